// Serves players that can be opened in any browser: node serve.js HOME COLLECTOR TENANT (see `make player`)
import { serve } from "./origin.js";
import { prepare } from "./prepare.js";

const [home, collector, tenant] = process.argv.slice(2);
const players = ["hls", "dash", "shaka", "beacons"];
const plans = players.map((player) => ({
  id: player,
  player,
  tenant,
  mode: "events",
  collector: `${collector}/v1/${player === "beacons" ? "beacons" : `cmcd/${tenant}`}`,
  report_s: 10,
  buffer_s: 10,
  within_s: 3600,
  faults: [],
  seeks: [],
}));
const { url } = await serve(await prepare(home), plans);
console.log("players of a test stream, by content id:");
for (const { id } of plans) console.log(`  ${id.padEnd(8)}${url}/pages/page.html?playback=${id}`);
