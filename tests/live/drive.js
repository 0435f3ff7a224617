// Plays streams in Chromium: node drive.js HOME < plan.json > seen.json
//
// HOME keeps players and streams between runs. HOME/seen contains a screenshot and the reports of each playback.
import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { delimiter, join } from "node:path";
import { serve } from "./origin.js";
import { prepare } from "./prepare.js";

const FLAGS = [
  "--no-sandbox", // the sandbox does not work for root
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--autoplay-policy=no-user-gesture-required",
];

function executable() {
  for (const name of ["chromium", "chromium-browser", "google-chrome"]) {
    for (const dir of process.env.PATH.split(delimiter)) {
      if (existsSync(join(dir, name))) return join(dir, name);
    }
  }
  throw new Error("players in a browser need Chromium: run `make doctor`");
}

async function input() {
  let text = "";
  for await (const chunk of process.stdin) text += chunk;
  return JSON.parse(text);
}

const LONG_MS = 300_000; // no action of a page takes this long, even on a busy machine

const ANSWER_MS = 60_000; // a report without a response for this long counts as unanswered

/** Plays a plan in a new page. Waits until the playback is over and all its reports are answered. */
async function playback(browser, origin, collector, plan) {
  const page = await browser.newPage({ userAgent, viewport: { width: 520, height: 360 } });
  page.setDefaultTimeout(LONG_MS);
  const messages = [];
  page.on("console", (message) => messages.push(message.text()));
  page.on("pageerror", (error) => messages.push(String(error)));
  const reports = new Map();
  page.on("request", (request) => {
    if (!request.url().startsWith(collector)) return;
    reports.set(request, { at_ms: Date.now(), url: request.url(), body: request.postData(), status: null });
  });
  const done = async (request) => {
    const report = reports.get(request);
    if (!report) return;
    const status = (await request.response())?.status() ?? 0; // 0 if there is no response
    Object.assign(report, { status, took_ms: Date.now() - report.at_ms });
  };
  page.on("requestfinished", done);
  page.on("requestfailed", done);

  await page.goto(`${origin.url}/pages/page.html?playback=${plan.id}`);
  await page.waitForFunction(() => "over" in window);
  const shot = page
    .waitForFunction((from) => document.querySelector("video").currentTime > from, 2, { timeout: 0 })
    .then(() => page.screenshot({ path: join(out, `${plan.id}.png`) }))
    .catch(() => {}); // not every playback reaches this position
  const seen = await page.evaluate(() => window.over);
  const answered = () => [...reports.values()].every(({ status }) => status !== null);
  const settle = async () => {
    const end = Date.now() + ANSWER_MS;
    for (let times = 0; times < 5; times = answered() ? times + 1 : 0) {
      if (Date.now() > end) return;
      await page.waitForTimeout(50);
    }
  };
  await settle(); // when Shaka Player ends, it may cancel its requests
  const responses = await page.evaluate(() => window.end());
  await settle();
  await page.close();
  await shot;
  for (const report of reports.values()) {
    if (report.status === null) Object.assign(report, { status: 0, took_ms: Date.now() - report.at_ms });
  }
  return { id: plan.id, seen, responses, messages, reports: [...reports.values()] };
}

const home = process.argv[2];
const out = join(home, "seen");
await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
const { collector, at_once, within_s, playbacks } = await input();
const prepared = await prepare(home);
const origin = await serve(prepared, playbacks);
const { chromium } = createRequire(join(prepared.modules, "package.json"))("playwright-core");
const browser = await chromium.launch({ executablePath: executable(), args: FLAGS, timeout: LONG_MS });
setTimeout(() => {
  console.error(`the playbacks were not over within ${within_s} s`);
  process.exit(1); // this also ends the browser
}, within_s * 1000).unref();
// The user agent of an ordinary browser, without "Headless".
const [version] = browser.version().split(".");
const userAgent = `Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${version}.0.0.0 Safari/537.36`;
const waiting = [...playbacks];
const results = [];
await Promise.all(
  Array.from({ length: at_once }, async () => {
    for (let plan = waiting.shift(); plan; plan = waiting.shift()) {
      results.push(await playback(browser, origin, collector, plan));
    }
  }),
);
await browser.close();
for (const { playback, ...report } of await origin.mirrored()) {
  results.find(({ id }) => id === playback).reports.push(report);
}
origin.close();
await writeFile(join(out, "seen.json"), JSON.stringify(results, null, 1));
process.stdout.write(JSON.stringify(results));
