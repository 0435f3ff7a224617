// The origin server of pages and streams, on loopback. It serves files, and applies the faults of each plan.
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { LEAD_MS, isAvailable, manifest } from "./livestream.js";
import { here } from "./prepare.js";

const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".m3u8": "application/vnd.apple.mpegurl",
  ".mpd": "application/dash+xml",
  ".mp4": "video/mp4",
  ".m4s": "video/iso.segment",
};

/**
 * Serves pages, players, `/plan/ID`, and `/media/ID/…` with the faults of that playback. A fault applies to files whose
 * name matches its pattern. `status` is the status of the response. `hold_ms` delays all responses until this long
 * after the first request. `wait_ms` delays each response by this time. `kbps` limits the bitrate of each response. If
 * the stream of a plan is `live`, it begins when the page is opened. In the modes `query` and `headers`, each media
 * request is mirrored to the collector.
 */
export async function serve({ modules, ...streams }, list) {
  const roots = { pages: here("pages"), deploy: here("../../deploy"), modules: join(modules, "node_modules") };
  const plans = new Map();
  const released = new Map();
  const mirrored = [];

  async function fault(plan, name) {
    for (const fault of plan.faults) {
      if (!new RegExp(fault.file).test(name)) continue;
      if (fault.hold_ms) {
        const key = `${plan.id} ${fault.file}`;
        if (!released.has(key)) released.set(key, Date.now() + fault.hold_ms);
        await sleep(Math.max(0, released.get(key) - Date.now()));
      }
      if (fault.wait_ms) await sleep(fault.wait_ms);
      return fault;
    }
    return {};
  }

  /**
   * Sends a media request to the collector as a CDN would mirror it: with its path, its query and the relevant headers.
   */
  function mirror(plan, name, request) {
    const { search } = new URL(request.url, "http://origin");
    const kept = ([header]) => header === "user-agent" || /^(cmcd|sec-ch-ua)/.test(header);
    const headers = Object.fromEntries(Object.entries(request.headers).filter(kept));
    const sent = Date.now();
    const report = (status) => ({ playback: plan.id, search, headers, status, took_ms: Date.now() - sent });
    const answer = fetch(`${plan.collector}/${name}${search}`, { headers });
    mirrored.push(answer.then(({ status }) => report(status)).catch(() => report(0)));
  }

  /** Returns the plan of a page that is being opened. */
  function opened(id) {
    const plan = plans.get(id) ?? null;
    if (plan?.stream === "live") plan.live_since_ms = Date.now() - LEAD_MS;
    return plan;
  }

  async function answer(request, response) {
    const path = normalize(decodeURIComponent(new URL(request.url, "http://origin").pathname));
    const [, root, ...rest] = path.split("/");
    if (root === "plan") return send(response, 200, JSON.stringify(opened(rest[0])));
    let file = roots[root] && join(roots[root], ...rest);
    let applied = {};
    let live_since_ms = null;
    if (root === "media") {
      const plan = plans.get(rest[0]);
      live_since_ms = plan?.live_since_ms;
      file = join(streams[plan?.stream ?? "fixed"], ...rest.slice(1));
      if (plan && plan.mode !== "events") mirror(plan, rest.at(-1), request);
      if (live_since_ms && !isAvailable(file, live_since_ms)) return send(response, 404, "");
      if (plan) applied = await fault(plan, rest.at(-1));
    }
    if (applied.status) return send(response, applied.status, "");
    if (live_since_ms && extname(file) === ".mpd") {
      return send(response, 200, await manifest(file, live_since_ms), TYPES[".mpd"]);
    }
    const found = file && (await stat(file).catch(() => null));
    if (!found?.isFile()) return send(response, 404, "");
    response.writeHead(200, {
      "content-type": TYPES[extname(file)] ?? "application/octet-stream",
      "content-length": found.size,
      "cache-control": "no-store",
    });
    if (request.method === "HEAD") return response.end();
    const chunk = applied.kbps ? Math.ceil((applied.kbps * 1000) / 8 / 20) : 64 * 1024;
    const began = performance.now();
    let sent = 0;
    for await (const bytes of createReadStream(file, { highWaterMark: chunk })) {
      if (response.destroyed) return;
      response.write(bytes);
      sent += bytes.length;
      // One kbit/s is one bit per ms. The wait ends at a computed time, so the bitrate is also correct on a busy
      // machine.
      if (applied.kbps) await sleep(began + (sent * 8) / applied.kbps - performance.now());
    }
    response.end();
  }

  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const url = `http://127.0.0.1:${server.address().port}`;
  for (const plan of list) plans.set(plan.id, { ...plan, media: `${url}/media/${plan.id}` });
  return {
    url,
    /** Returns the mirrored requests, with the status codes of the collector. */
    mirrored: () => Promise.all(mirrored),
    close: () => server.close(),
  };
}

function send(response, status, text, type = "application/json") {
  response.writeHead(status, { "content-type": type, "cache-control": "no-store" });
  response.end(text);
}
