import Hls from "/modules/hls.js/dist/hls.min.mjs";
import { reporting } from "/deploy/players/hls.js";

export const prepare = (plan) => (video, watch) => {
  const hls = make(plan, watch, cmcd(plan));
  watch.asked();
  start(hls, video, plan);
  const loaded = () => hls.levels[hls.loadLevel]?.bitrate / 1000;
  return { kbps: kbps(hls), loaded, end: () => hls.destroy() };
};

function cmcd(plan) {
  if (plan.mode === "events") return reporting(plan.collector, plan.id, plan.report_s, plan.events);
  // CMCD version 1 on the media requests.
  return { cmcd: { contentId: plan.id, useHeaders: plan.mode === "headers" } };
}

/** Creates hls.js with a small buffer and one retry. */
export function make(plan, watch, more) {
  const hls = new Hls({
    maxBufferLength: plan.buffer_s,
    maxMaxBufferLength: plan.buffer_s,
    abrEwmaDefaultEstimate: 5_000_000,
    startLevel: plan.worst_until_s ? 0 : undefined,
    ...more,
  });
  const { fragLoadPolicy, manifestLoadPolicy } = hls.config;
  for (const policy of [fragLoadPolicy, manifestLoadPolicy]) policy.default.errorRetry.maxNumRetry = 1;
  hls.on(Hls.Events.ERROR, (_, error) => error.fatal && watch.failed(error.details));
  return hls;
}

/** Starts playback. Until the position `plan.worst_until_s`, only the worst rendition is played. */
export function start(hls, video, plan) {
  if (plan.worst_until_s) {
    hls.on(Hls.Events.MANIFEST_PARSED, () => (hls.autoLevelCapping = 0));
    video.addEventListener("timeupdate", () => {
      if (video.currentTime >= plan.worst_until_s) hls.autoLevelCapping = -1;
    });
  }
  hls.loadSource(`${plan.media}/master.m3u8`);
  hls.attachMedia(video);
}

export const kbps = (hls) => () => hls.levels[hls.currentLevel]?.bitrate / 1000;
