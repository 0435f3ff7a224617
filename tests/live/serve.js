// Players to open in a browser of one's own: node serve.js HOME COLLECTOR TENANT (make player)
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
console.log("twenty seconds of a test picture, by content id:");
for (const { id } of plans) console.log(`  ${id.padEnd(8)}${url}/pages/page.html?playback=${id}`);
