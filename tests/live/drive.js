// Drives players in Chromium: node drive.js HOME < plan.json > seen.json
// HOME keeps players and streams from one run to the next; in HOME/seen lie screenshots and what was sent.
import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { delimiter, join } from "node:path";
import { serve } from "./origin.js";
import { prepare } from "./prepare.js";

const FLAGS = [
  "--no-sandbox", // as root there is none
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

/** One page, until its playback is over and nothing that it reports is on its way any more. */
async function playback(browser, origin, collector, plan) {
  const page = await browser.newPage({ userAgent, viewport: { width: 520, height: 360 } });
  const says = [];
  page.on("console", (message) => says.push(message.text()));
  page.on("pageerror", (error) => says.push(String(error)));
  const reports = new Map();
  page.on("request", (request) => {
    if (!request.url().startsWith(collector)) return;
    reports.set(request, { at_ms: Date.now(), url: request.url(), body: request.postData(), status: null });
  });
  const done = async (request) => {
    const report = reports.get(request);
    if (report) report.status = (await request.response())?.status() ?? 0;
  };
  page.on("requestfinished", done);
  page.on("requestfailed", done);

  await page.goto(`${origin.url}/pages/page.html?playback=${plan.id}`);
  await page.waitForFunction(() => "over" in window);
  const shot = page
    .waitForFunction((from) => document.querySelector("video").currentTime > from, 2, { timeout: 0 })
    .then(() => page.screenshot({ path: join(out, `${plan.id}.png`) }))
    .catch(() => {}); // it never came so far
  const seen = await page.evaluate(() => window.over);
  const arrived = () => [...reports.values()].every(({ status }) => status !== null);
  const quiet = async () => {
    for (let times = 0; times < 5; times = arrived() ? times + 1 : 0) await page.waitForTimeout(50);
  };
  await quiet(); // the end of a player may be that of its requests (Shaka Player)
  await page.evaluate(() => window.end());
  await quiet();
  await page.close();
  await shot;
  return { id: plan.id, seen, says, reports: [...reports.values()] };
}

const home = process.argv[2];
const out = join(home, "seen");
await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
const { collector, at_once, within_s, playbacks } = await input();
const prepared = await prepare(home);
const origin = await serve(prepared, playbacks);
const { chromium } = createRequire(join(prepared.modules, "package.json"))("playwright-core");
const browser = await chromium.launch({ executablePath: executable(), args: FLAGS });
setTimeout(() => {
  console.error(`not over within ${within_s} s`);
  process.exit(1); // which takes the browser along
}, within_s * 1000).unref();
// what a viewer's browser would say
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
