// Starts Chromium for the tests of the console.
import { existsSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { packages } from "../live/prepare.js";

const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

// the rules of axe
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** The time limit of each step. It only ends a browser that hangs. */
export const LONG_MS = 120_000;

let load;

function executable() {
  for (const name of ["chromium", "chromium-browser", "google-chrome"]) {
    for (const dir of process.env.PATH.split(delimiter)) {
      if (existsSync(join(dir, name))) return join(dir, name);
    }
  }
  throw new Error("the page needs Chromium: run `make doctor`");
}

/** Returns the path of axe, after `prepare`. */
export const axePath = () => load.resolve("axe-core/axe.min.js");

/** Starts the browser, and creates an empty directory for screenshots in `home`. */
export async function prepare(home, screenshots) {
  const modules = await packages(home, fileURLToPath(new URL(".", import.meta.url)));
  load = createRequire(join(modules, "package.json"));
  const seen = join(home, screenshots);
  await rm(seen, { recursive: true, force: true });
  await mkdir(seen, { recursive: true });
  const browser = await load("playwright-core").chromium.launch({ executablePath: executable(), args: FLAGS });
  return { browser, seen };
}

/** Waits until a screen is complete. */
export const ready = (page) => page.waitForFunction(() => document.body.dataset.ready, null, { timeout: LONG_MS });

/** Opens a page, and collects its errors and its requests to other hosts than `address`. */
export async function open(browser, address, width, colorScheme, options = {}) {
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

/** Returns the accessibility violations of a page. `axe` is the source of axe. */
export async function violations(page, axe) {
  await page.evaluate(axe);
  return page.evaluate(async (runOnly) => {
    const result = await window.axe.run(document, { runOnly });
    return result.violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html).join(" ")}`);
  }, RULES);
}
