import * as dashjs from "/modules/dashjs/dist/modern/esm/dash.all.min.js";
import { reporting } from "/deploy/players/dash.js";

export const prepare = (plan) => (video, watch) => {
  const player = dashjs.MediaPlayer().create();
  player.updateSettings({
    debug: { logLevel: dashjs.Debug.LOG_LEVEL_NONE },
    streaming: {
      // The page and the origin have the same clock.
      utcSynchronization: { enabled: false },
      buffer: { bufferTimeDefault: plan.buffer_s, bufferTimeAtTopQuality: plan.buffer_s },
      retryAttempts: { MPD: 1, MediaSegment: 1 },
    },
  });
  player.updateSettings(cmcd(plan));
  player.on(dashjs.MediaPlayer.events.ERROR, ({ error }) => watch.failed(error.code));
  watch.asked();
  player.initialize(video, `${plan.media}/stream.mpd`, true);
  return { kbps: () => kbps(player), end: () => player.destroy() };
};

function cmcd(plan) {
  if (plan.mode === "events") return reporting(plan.collector, plan.id, plan.report_s, plan.events);
  // CMCD version 1 on the media requests. The mode is `query` or `headers`.
  return { streaming: { cmcd: { enabled: true, cid: plan.id, mode: plan.mode } } };
}

// Returns the bitrate of the video without audio, as the player reports it.
function kbps(player) {
  return player.getActiveStream() ? player.getCurrentRepresentationForType("video")?.bitrateInKbit : NaN;
}
