// Opens each screen of the console in Chromium: node drive.js HOME ADDRESS TENANT TABLE SECURED TOKEN > seen.json
//
// HOME keeps npm packages between runs. HOME/seen contains a screenshot of each screen, width and colour scheme. SECURED
// is the address of a console that requires TOKEN.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { LONG_MS, axePath, open, prepare, ready, violations } from "./browser.js";
import { pipeline } from "./pipeline.js";

const SCREENS = ["overview", "breakdown", "distribution", "privacy", "pipeline"];

const [home, address, tenant, table, secured, token] = process.argv.slice(2);
const { browser, seen } = await prepare(home, "seen");
const axe = await readFile(axePath(), "utf8");

/** Opens each screen. Returns its text, its errors, its accessibility violations, and its overflow in pixels. */
async function screens(width, scheme) {
  const shown = [];
  // axe is not part of the page. Without `bypassCSP`, the content security policy of the page would block it.
  const { page, errors } = await open(browser, address, width, scheme, { bypassCSP: true });
  for (const screen of SCREENS) {
    errors.length = 0;
    const began = Date.now();
    // The strip of windows has most bars if the period is long.
    const period = screen === "pipeline" ? "12h" : "1h";
    await page.goto(`${address}/?screen=${screen}&tenant=${tenant}&period=${period}`);
    await ready(page);
    const took = Date.now() - began;
    const found = await violations(page, axe);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    const text = await page.locator("main").innerText();
    await page.screenshot({ path: join(seen, `${screen}-${width}-${scheme}.png`), fullPage: true });
    shown.push({ screen, width, scheme, took_ms: took, violations: found, overflow, errors: [...errors], text });
  }
  await page.close();
  return shown;
}

/** Uses the page with the keyboard only: opens a screen, filters by the first row, and goes back. */
async function keyboard() {
  const { page, errors } = await open(browser, address, 1280, "light");
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
  const { page, errors } = await open(browser, address, 1280, "light");
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

/** Opens the overview with an earlier period that lacks windows. Returns the cards of a sum and of a ratio. */
async function incomparable() {
  const { page, errors } = await open(browser, address, 1280, "light");
  await page.route("**/api/v1/compare?*", async (route) => {
    const response = await route.fetch();
    const answer = await response.json();
    const windows = (number) => ({ windows: number, incomplete: false });
    for (const row of answer.rows) {
      if (row.metric === "minutes_watched") Object.assign(row, { before: { value: 700, error: 0 }, change: null, relative: null, incomparable: { now: windows(60), before: windows(12) } });
      if (row.metric === "rebuffering_ratio") Object.assign(row, { now: { value: 0.03, error: 0 }, before: { value: 0.02, error: 0 }, change: { value: 0.01, error: 0 }, relative: 0.5, incomparable: null });
    }
    await route.fulfill({ response, json: answer });
  });
  await page.goto(`${address}/?tenant=${tenant}`);
  await ready(page);
  const card = (text) => page.locator(".card", { hasText: text }).first().innerText();
  const cards = { sum: await card("Minutes watched"), ratio: await card("Rebuffering ratio") };
  await page.close();
  return { ...cards, errors };
}

/** Opens the rows of a filter by clicks, and then the same address in another page. Returns both views. */
async function link() {
  const { page, errors } = await open(browser, address, 1280, "light");
  await page.goto(`${address}/?screen=breakdown&tenant=${tenant}`);
  await ready(page);
  const change = async (name, value, wanted) => {
    await page.selectOption(`select[name=${name}]`, value);
    await page.waitForFunction((text) => location.search.includes(text) && document.querySelector("caption")?.textContent.includes("by"), wanted);
  };
  await change("breakdown", table, "breakdown=");
  await change("period", "3h", "period=3h");
  await change("metric", "vsf", "metric=vsf");
  await page.waitForFunction(() => document.querySelector("caption").textContent.startsWith("Startup failures"));
  await page.locator("td.cell button").first().click();
  await page.waitForSelector(".chips button");
  const view = async (one) => ({
    rows: await one.locator("table").innerText(), filters: await one.locator(".chips").innerText(),
    selected: await one.locator("select").evaluateAll((all) => all.map((select) => `${select.name}=${select.value}`)),
  });
  const first = await view(page);
  const other = await open(browser, address, 1280, "light");
  await other.page.goto(page.url());
  await ready(other.page);
  const second = await view(other.page);
  const result = { url: page.url(), first, second, errors: [...errors, ...other.errors] };
  await page.close();
  await other.page.close();
  return result;
}

/** Opens the breakdown, and then lets no request be answered. Returns the texts before, meanwhile and after. */
async function unanswered() {
  const { page, errors } = await open(browser, address, 1280, "light");
  await page.goto(`${address}/?screen=breakdown&tenant=${tenant}`);
  await ready(page);
  const before = await page.locator("main").innerText();
  await page.route("**/api/v1/**", (route) => route.abort());
  await page.waitForFunction(() => !document.getElementById("problem").hidden, null, { timeout: LONG_MS });
  const text = await page.locator("#problem").innerText();
  const kept = await page.locator("main").innerText();
  await page.screenshot({ path: join(seen, "unanswered-1280-light.png") });
  // another screen has no content to show
  await page.locator("nav a", { hasText: "Privacy" }).click();
  await page.waitForFunction(() => document.getElementById("title").textContent === "Privacy");
  const other = await page.locator("main").innerText();
  await page.unroute("**/api/v1/**");
  await page.waitForSelector(".facts .card", { timeout: LONG_MS });
  const after = await page.locator("main").innerText();
  const isOver = await page.evaluate(() => document.getElementById("problem").hidden);
  await page.close();
  return { before, text, kept, other, after, isOver, errors: errors.filter((one) => !one.includes("ERR_FAILED")) };
}

/** Opens the overview. Returns the problem that the page shows after the store has stopped to be up to date. */
async function problem() {
  const { page, errors } = await open(browser, address, 1280, "light");
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
  const { page, errors } = await open(browser, address, 1280, "light");
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
  await page.mouse.move(box.x + 44 + (box.width - 72) * (12 / 59), box.y + box.height / 2);
  await page.waitForFunction(() => !document.querySelector(".tip").hidden, null, { timeout: LONG_MS });
  const tip = await page.locator(".tip").first().innerText();
  await page.screenshot({ path: join(seen, "gaps-1280-light.png"), fullPage: true });
  await page.close();
  return { legend, tip, errors };
}

/** Signs in at a console with a token, first with a wrong one. Returns the state of the page after the sign-in. */
async function signIn() {
  const { page, errors } = await open(browser, secured, 1280, "light");
  const state = `screen=breakdown&tenant=${tenant}&period=3h&metric=vsf&breakdown=${table}&where=${table.split(".")[0]}%3A*`;
  await page.goto(`${secured}/?${state}`);
  const submit = async (text) => {
    await page.waitForSelector("form.login");
    await page.screenshot({ path: join(seen, "login-1280-light.png") });
    await page.fill("input[name=token]", text);
    await page.click("form.login button");
  };
  await submit("wrong-wrong-wrong");
  await page.waitForSelector("form.login [role=alert]");
  await submit(token);
  await ready(page);
  const now = new URL(page.url());
  const result = {
    kept: Object.fromEntries(["screen", "tenant", "period", "metric", "breakdown", "where"].map((name) => [name, now.searchParams.get(name)])),
    failed: now.searchParams.get("login"), title: await page.locator("h1").innerText(),
    chosen: await page.locator("select[name=period]").inputValue(), errors: errors.filter((text) => !text.includes("401")),
  };
  await page.close();
  return result;
}

/** Opens the page with names that do not exist. Returns the texts, and the state after the first allowed name is chosen. */
async function unknown() {
  const { page, errors } = await open(browser, address, 1280, "light");
  const texts = {};
  for (const [name, value] of [["breakdown", "os.shoe"], ["metric", "happiness"], ["period", "9y"], ["tenant", "nobody"]]) {
    const others = name === "tenant" ? "" : `&tenant=${tenant}`;
    await page.goto(`${address}/?screen=breakdown&${name}=${value}${others}`);
    await ready(page);
    texts[name] = await page.locator("main").innerText();
  }
  await page.screenshot({ path: join(seen, "unknown-1280-light.png") });
  for (const [name, value] of [["by", "shoe"], ["where", "shoe:large"]]) {
    const others = await browser.newPage();
    await others.goto(`${address}/?screen=breakdown&tenant=${tenant}&breakdown=${table}&${name}=${value}`);
    await ready(others);
    texts[name] = await others.locator("main").innerText();
    await others.locator(".choices a").first().click();
    await others.waitForSelector("td.cell");
    await others.close();
  }
  const selects = await page.locator("select[name=tenant]").count();
  const chosen = selects ? await page.locator("select[name=tenant]").inputValue() : "";
  await page.locator(".choices a", { hasText: tenant }).click();
  await page.waitForSelector("td.cell");
  const after = page.url();
  await page.close();
  return { texts, chosen, after, errors };
}

/** Opens the breakdown with large errors. Returns how far the error bars reach beyond their boxes, in pixels. */
async function noise() {
  const { page, errors } = await open(browser, address, 1280, "light");
  await page.route("**/api/v1/breakdown?*", async (route) => {
    const response = await route.fetch();
    const answer = await response.json();
    const shares = [0.03, 0.02, 0.011];
    const names = Object.keys(answer.rows[0].dimensions);
    answer.numbers = "noisy";
    answer.rows = shares.map((value, at) => ({
      dimensions: Object.fromEntries(names.map((name) => [name, `value ${at + 1}`])), folded: false, sessions: 900 - 200 * at,
      share: 0.3, value: { value, error: value / 2 }, impact: { value: 0.004 - 0.004 * at, error: 0.003 },
    }));
    await route.fulfill({ response, json: answer });
  });
  await page.goto(`${address}/?screen=breakdown&tenant=${tenant}&metric=vsf`);
  await ready(page);
  await page.screenshot({ path: join(seen, "noise-1280-light.png"), fullPage: true });
  const beyond = await page.evaluate(() => [...document.querySelectorAll(".meter")].map((box) => {
    const outer = box.getBoundingClientRect();
    const inner = box.querySelector(".span").getBoundingClientRect();
    return Math.max(outer.left - inner.left, inner.right - outer.right);
  }));
  const widths = await page.evaluate(() => [...document.querySelectorAll(".meter")].map((box) => [".span", "i"].map((name) => box.querySelector(name).getBoundingClientRect().width)));
  await page.close();
  return { beyond, widths, errors };
}

const shown = [];
for (const scheme of ["light", "dark"]) {
  for (const width of [360, 768, 1280, 1920]) shown.push(...(await screens(width, scheme)));
}
const used = await keyboard();
const same = await unchanged();
const unlike = await incomparable();
const linked = await link();
const silent = await unanswered();
const absent = await gaps();
const broken = await problem();
const signed = await signIn();
const strange = await unknown();
const noisy = await noise();
const workers = await pipeline(browser, { address, tenant, seen, axe });
await browser.close();
process.stdout.write(JSON.stringify({ shown, used, same, unlike, linked, silent, absent, broken, signed, strange, noisy, workers }));
