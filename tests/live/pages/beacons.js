// Plays with hls.js without CMCD. The page sends JSON beacons instead.
import Hls from "/modules/hls.js/dist/hls.min.mjs";
import { report } from "/deploy/players/beacons.js";
import { kbps, make, start } from "./hls.js";

export const prepare = (plan) => (video, watch) => {
  const hls = make(plan, watch, {});
  const fields = () => ({
    tenant: plan.tenant,
    content: plan.id,
    stream: "vod",
    format: "hls",
    player: "hls.js",
    player_version: Hls.version,
    bitrate_kbps: kbps(hls)() || undefined,
    bandwidth_kbps: hls.bandwidthEstimate / 1000,
  });
  watch.asked();
  const reporter = report(video, plan.collector, fields, plan.report_s);
  hls.on(Hls.Events.ERROR, (_, error) => {
    if (error.fatal) reporter.error(error.details.startsWith("manifest") ? "manifest" : "network", true);
  });
  start(hls, video, plan);
  return {
    kbps: kbps(hls),
    end() {
      reporter.end();
      hls.destroy();
    },
  };
};
