// Opens the screen Pipeline with different states of the workers.
import { join } from "node:path";
import { LONG_MS, open, ready, violations } from "./browser.js";

/** Returns the rows of the table of outcomes, with the numbers of beacons. */
const outcomes = (page) => page.evaluate(() => {
  const rows = (part) => [...document.querySelectorAll(`.outcomes ${part} tr`)].map((row) => {
    const [name, number, share] = row.children;
    return [name.firstChild.textContent, Number(number.textContent.replaceAll(",", "")), Number.parseFloat(share.textContent)];
  });
  return { outcomes: rows("tbody"), sums: rows("tfoot") };
});

const RESTARTED = {
  workers: 1, unreachable: ["worker-1:9464"], lag_ms: 31_000, headroom_ms: 3_000_000, balanced: false,
  beacons: { read: 1200, released: 1500, withheld: 50, late: 100, duplicate: 50, opted_out: 50, excluded: 0, rejected: 50 },
};

/** Returns the outcomes of beacons of the real worker. */
async function real(browser, { address, tenant }) {
  const { page, errors } = await open(browser, address, 1280, "light");
  await page.goto(`${address}/?screen=pipeline&tenant=${tenant}`);
  await ready(page);
  const result = await outcomes(page);
  await page.close();
  return { ...result, errors };
}

/** Opens the screen with a worker that was restarted and a worker that does not answer. The lag then increases. */
async function restarted(browser, { address, tenant, seen, axe }, width, scheme) {
  const { page, errors } = await open(browser, address, width, scheme, { bypassCSP: true });
  let pipeline = RESTARTED;
  await page.route("**/api/v1/status*", async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: { ...(await response.json()), pipeline } });
  });
  await page.goto(`${address}/?screen=pipeline&tenant=${tenant}`);
  await ready(page);
  await page.screenshot({ path: join(seen, `restarted-${width}-${scheme}.png`), fullPage: true });
  const before = await page.locator("#workers").innerText();
  const table = await outcomes(page);
  await page.locator("#workers [tabindex]").focus();
  pipeline = { ...RESTARTED, lag_ms: 95_000 };
  // no window arrives, so only the state of the workers changes
  await page.waitForFunction(() => document.getElementById("workers").innerText.includes("95 s"), null, { timeout: LONG_MS });
  const focused = await page.evaluate(() => document.activeElement.getAttribute("aria-label"));
  const found = await violations(page, axe);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  await page.close();
  return { before, ...table, focused, violations: found, overflow, errors };
}

/** Opens the screen before the first window was published. */
async function empty(browser, { address, seen, axe }) {
  const { page, errors } = await open(browser, address, 1280, "light", { bypassCSP: true });
  await page.route("**/api/v1/tenants*", async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: { ...(await response.json()), tenants: [] } });
  });
  await page.goto(`${address}/?screen=pipeline`);
  await ready(page);
  await page.screenshot({ path: join(seen, "empty-1280-light.png"), fullPage: true });
  const text = await page.locator("main").innerText();
  const found = await violations(page, axe);
  await page.close();
  return { text, violations: found, errors };
}

/** Opens the screen in each state. Returns the texts and tables of the page. */
export async function pipeline(browser, options) {
  const states = [];
  for (const scheme of ["light", "dark"]) {
    for (const width of [360, 1280]) states.push(await restarted(browser, options, width, scheme));
  }
  return { real: await real(browser, options), restarted: states, empty: await empty(browser, options) };
}
