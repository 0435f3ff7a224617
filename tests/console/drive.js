// Opens each screen of the console in Chromium: node drive.js HOME ADDRESS TENANT TABLE > seen.json
//
// HOME keeps npm packages between runs. HOME/seen contains a screenshot of each screen, width and colour scheme.
import { existsSync } from "node:fs";
import { mkdir, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { packages } from "../live/prepare.js";

const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const LONG_MS = 120_000; // this time limit only ends a browser that hangs
const SCREENS = ["overview", "breakdown", "distribution", "privacy", "pipeline"];

function executable() {
  for (const name of ["chromium", "chromium-browser", "google-chrome"]) {
    for (const dir of process.env.PATH.split(delimiter)) {
      if (existsSync(join(dir, name))) return join(dir, name);
    }
  }
  throw new Error("the page needs Chromium: run `make doctor`");
}

const [home, address, tenant, table] = process.argv.slice(2);
const modules = await packages(home, fileURLToPath(new URL(".", import.meta.url)));
const load = createRequire(join(modules, "package.json"));
const { chromium } = load("playwright-core");
const axe = await readFile(load.resolve("axe-core/axe.min.js"), "utf8");
const seen = join(home, "seen");
await rm(seen, { recursive: true, force: true });
await mkdir(seen, { recursive: true });
const browser = await chromium.launch({ executablePath: executable(), args: FLAGS });

const ready = (page) => page.waitForFunction(() => document.body.dataset.ready, null, { timeout: LONG_MS });

/** Opens a page, and collects its errors and its requests to other hosts. */
async function open(width, colorScheme, options = {}) {
  const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme, ...options });
  page.setDefaultTimeout(LONG_MS);
  const errors = [];
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("request", (request) => {
    if (!request.url().startsWith(address)) errors.push(`request to ${request.url()}`);
  });
  return { page, errors };
}

/** Opens each screen. Returns its text, its errors, its accessibility violations, and its overflow in pixels. */
async function screens(width, scheme) {
  const shown = [];
  // axe is not part of the page. Without `bypassCSP`, the content security policy of the page would block it.
  const { page, errors } = await open(width, scheme, { bypassCSP: true });
  for (const screen of SCREENS) {
    errors.length = 0;
    const began = Date.now();
    // The strip of windows has most bars if the period is long.
    const period = screen === "pipeline" ? "12h" : "1h";
    await page.goto(`${address}/?screen=${screen}&tenant=${tenant}&period=${period}`);
    await ready(page);
    const took = Date.now() - began;
    await page.evaluate(axe);
    const violations = await page.evaluate(async (runOnly) => {
      const result = await window.axe.run(document, { runOnly });
      return result.violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html).join(" ")}`);
    }, RULES);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    const text = await page.locator("main").innerText();
    await page.screenshot({ path: join(seen, `${screen}-${width}-${scheme}.png`), fullPage: true });
    shown.push({ screen, width, scheme, took_ms: took, violations, overflow, errors: [...errors], text });
  }
  await page.close();
  return shown;
}

/** Uses the page with the keyboard only: opens a screen, filters by the first row, and goes back. */
async function keyboard() {
  const { page, errors } = await open(1280, "light");
  await page.goto(`${address}/?tenant=${tenant}&breakdown=${table}`);
  await ready(page);
  const focus = async (text) => {
    for (let at = 0; at < 60; at += 1) {
      await page.keyboard.press("Tab");
      if ((await page.evaluate(() => document.activeElement.textContent)) === text) return;
    }
    throw new Error(`the key Tab does not move the focus to ${text}`);
  };
  await focus("Breakdown");
  await page.keyboard.press("Enter");
  await page.waitForSelector("td.cell button");
  const kept = await page.evaluate(() => document.activeElement.textContent);
  if (kept !== "Breakdown") throw new Error(`after the screen was opened, the focus is on "${kept}"`);
  const row = await page.locator("td.cell button").first().textContent();
  await focus(row);
  await page.keyboard.press("Enter");
  await page.waitForSelector(".chips button");
  const filtered = page.url();
  await page.goBack();
  await page.waitForSelector(".chips", { state: "detached" });
  // The address contains the filter, so the filtered view can be shared.
  await page.goto(filtered);
  await page.waitForSelector(".chips button");
  await page.close();
  return { filtered, row, errors };
}

/** Opens the overview with a change of the rebuffering ratio that its two decimals do not show. Returns its card. */
async function unchanged() {
  const { page, errors } = await open(1280, "light");
  await page.route("**/api/v1/compare?*", async (route) => {
    const response = await route.fetch();
    const answer = await response.json();
    const row = answer.rows.find((one) => one.metric === "rebuffering_ratio");
    Object.assign(row, { now: { value: 0.0352 }, before: { value: 0.03524 }, change: { value: -0.00004 }, relative: -0.0011 });
    await route.fulfill({ response, json: answer });
  });
  await page.goto(`${address}/?tenant=${tenant}`);
  await ready(page);
  const card = await page.locator(".card", { hasText: "Rebuffering ratio" }).first().innerText();
  await page.close();
  return { card, errors };
}

/** Opens the overview. Returns the problem that the page shows after the store has stopped to be up to date. */
async function problem() {
  const { page, errors } = await open(1280, "light");
  await page.goto(`${address}/?tenant=${tenant}`);
  await ready(page);
  await page.route("**/api/v1/status*", async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: { ...(await response.json()), problem: "The disk is full" } });
  });
  await page.waitForFunction(() => !document.getElementById("problem").hidden, null, { timeout: LONG_MS });
  const text = await page.locator("#problem").innerText();
  await page.close();
  return { text, errors };
}

/** Opens the overview with missing, withheld and incomplete windows and with noise. Returns its legend. */
async function gaps() {
  const { page, errors } = await open(1280, "light");
  await page.route("**/api/v1/timeseries?*", async (route) => {
    const response = await route.fetch();
    const answer = await response.json();
    const start = Array.from({ length: 60 }, (_, at) => answer.intervals.start[0] + at * answer.step_ms);
    const list = (value) => start.map((_, at) => value(at));
    const isMissing = (at) => at >= 10 && at < 15;
    const isHeld = (at) => at >= 25 && at < 28;
    const isAbsent = (at) => isMissing(at) || isHeld(at);
    answer.intervals = {
      start, expected: list(() => 1), published: list((at) => (isAbsent(at) ? 0 : 1)),
      incomplete: list((at) => (at >= 40 && at < 42 ? 1 : 0)), withheld: list((at) => (isHeld(at) ? 1 : 0)),
    };
    const one = answer.series[0];
    one.sessions = list((at) => (isAbsent(at) ? null : 500));
    one.numbers = list((at) => (isAbsent(at) ? null : "noisy"));
    for (const [name, figures] of Object.entries(one.values)) {
      const size = name === "bitrate_kbps" ? 4000 : name.endsWith("ratio") || name === "vsf" ? 0.02 : 800;
      figures.value = list((at) => (isAbsent(at) ? null : size * (1 + Math.sin(at / 5) / 5)));
      figures.error = list((at) => (isAbsent(at) ? null : size / 20));
    }
    await route.fulfill({ response, json: answer });
  });
  await page.goto(`${address}/?tenant=${tenant}`);
  await ready(page);
  const legend = await page.locator(".legend").first().innerText();
  const chart = page.locator(".chart").first();
  const box = await chart.boundingBox();
  // the pointer is in the first gap
  await page.mouse.move(box.x + 44 + (box.width - 62) * (12 / 59), box.y + box.height / 2);
  await page.waitForFunction(() => !document.querySelector(".tip").hidden, null, { timeout: LONG_MS });
  const tip = await page.locator(".tip").first().innerText();
  await page.screenshot({ path: join(seen, "gaps-1280-light.png"), fullPage: true });
  await page.close();
  return { legend, tip, errors };
}

const shown = [];
for (const scheme of ["light", "dark"]) {
  for (const width of [360, 768, 1280, 1920]) shown.push(...(await screens(width, scheme)));
}
const used = await keyboard();
const same = await unchanged();
const absent = await gaps();
const broken = await problem();
await browser.close();
process.stdout.write(JSON.stringify({ shown, used, same, absent, broken }));
