// Opens the page of the demo in Chromium: node demo.js HOME [PICTURE]
//
// The address of the page is read from standard input, so that the browser has started before the demo. Each line of
// the output is a step that was seen: `browser`, `chart` (the first chart has a value) and `live` (a new window appeared
// without a reload). The last line is a JSON object. With PICTURE, a screenshot of 30 windows is written to this path.
import { join } from "node:path";
import { createInterface } from "node:readline";
import { LONG_MS, open, prepare } from "./browser.js";

const WINDOWS = 30;
const PATIENT_MS = 600_000; // this time limit only ends a demo that hangs

const [home, picture] = process.argv.slice(2);
const say = (text) => process.stdout.write(`${text}\n`);
const { browser, seen } = await prepare(home, "demo");
say("browser");
const { value: address } = await createInterface({ input: process.stdin })[Symbol.asyncIterator]().next();
const { page, errors } = await open(browser, address, 1280, "light");
await page.goto(address);

/** Waits until the first chart shows more than `few` values, and returns their number. */
async function more(few, timeout) {
  const handle = await page.waitForFunction((least) => {
    const label = document.querySelector(".chart .u-over") && document.querySelector(".chart").getAttribute("aria-label");
    const values = Number(/ (\d+) of \d+ intervals have a value/.exec(label || "")?.[1] || 0);
    return values > least ? values : false;
  }, few, { timeout });
  return handle.jsonValue();
}

const first = await more(0, LONG_MS);
say("chart");
// The chart of a single window must not be empty.
const drawn = await page.evaluate(() => {
  const canvas = document.querySelector(".chart canvas");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const wanted = getComputedStyle(document.documentElement).getPropertyValue("--accent").trim();
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(wanted.slice(at, at + 2), 16));
  let found = 0;
  for (let at = 0; at < data.length; at += 4) if (data[at] === red && data[at + 1] === green && data[at + 2] === blue) found += 1;
  return found;
});
await page.screenshot({ path: join(seen, "first-1280-light.png") });
await page.evaluate(() => { window.isSamePage = true; });
await more(first, LONG_MS);
const isSamePage = await page.evaluate(() => window.isSamePage === true);
say("live");
await page.screenshot({ path: join(seen, "live-1280-light.png") });
if (picture) {
  await more(WINDOWS - 1, PATIENT_MS);
  await page.screenshot({ path: picture });
}
await browser.close();
say(JSON.stringify({ drawn, isSamePage, errors }));
