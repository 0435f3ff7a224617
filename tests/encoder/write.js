// Writes sessions with the CMCD library of the SVTA: node write.js HOME SEED SESSIONS
//
// HOME keeps the library from one run to the next. Standard output is one JSON object with, for each way of reporting,
// the captured requests (`lines`) and what really happened in each session (`truth`). The truth is noted where the session
// is made up, and never read from what the library wrote.
import { createRequire } from "node:module";
import { join } from "node:path";
import { here, packages } from "../live/prepare.js";
import { Clock } from "./clock.js";
import { plan } from "./plan.js";
import { Random } from "./random.js";
import { Session } from "./session.js";

/** The ways in which players report: by events, so many in a batch; with requests, in the query or in headers. */
const WAYS = {
  events: { events: 1 },
  batches: { events: 4 },
  query: { requests: "query" },
  headers: { requests: "headers" },
  "events-and-query": { events: 1, requests: "query" },
  "batches-and-headers": { events: 3, requests: "headers" },
  "query-v1": { requests: "query", version: 1 },
  "headers-v1": { requests: "headers", version: 1 },
};

/** The hour in which all sessions lie, ms since the epoch. */
const HOUR = 1_795_305_600_000;

const [home, seed, sessions] = process.argv.slice(2);
const modules = await packages(home, here("../encoder"));
const cmcd = createRequire(join(modules, "package.json"))("@svta/cml-cmcd");

const written = {};
for (const [name, way] of Object.entries(WAYS)) {
  const random = new Random(`${seed} ${name}`);
  const [lines, truth] = [[], []];
  for (let number = 0; number < Number(sessions); number += 1) {
    const clock = new Clock(HOUR + random.hundreds(0, 1_800_000));
    const session = new Session({ cmcd, way, random, number, clock });
    session.watch(plan(random));
    lines.push(...session.lines);
    truth.push(session.truth);
  }
  // as a log has them: in the order of receipt
  lines.sort((one, other) => one.received_at_ms - other.received_at_ms);
  written[name] = { lines, truth };
}
process.stdout.write(JSON.stringify(written));
