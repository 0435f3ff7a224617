// Writes sessions with the CMCD library of the SVTA: node write.js HOME SEED SESSIONS
//
// HOME keeps the library between runs. Standard output is one JSON object. For each reporting mode, it contains the
// captured requests (`lines`) and the events of each session (`truth`). The truth is recorded when a session is
// simulated, and is never read from the output of the library.
import { createRequire } from "node:module";
import { join } from "node:path";
import { here, packages } from "../live/prepare.js";
import { Clock } from "./clock.js";
import { plan } from "./plan.js";
import { Random } from "./random.js";
import { Session } from "./session.js";

/** The reporting modes: events in batches of this size, requests with CMCD in the query or in headers, or both. */
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

/** The start of the hour that contains all sessions, in milliseconds since the epoch. */
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
  // Lines are in the order of receipt, as in a log.
  lines.sort((one, other) => one.received_at_ms - other.received_at_ms);
  written[name] = { lines, truth };
}
process.stdout.write(JSON.stringify(written));
