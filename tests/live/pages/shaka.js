import { reporting } from "/deploy/players/shaka.js";

export async function prepare(plan) {
  // The minified build does not report the player's state (as of version 5.2.12).
  const build = plan.minified ? "compiled" : "compiled.debug";
  await import(`/modules/shaka-player/dist/shaka-player.${build}.js`);
  const { shaka } = window;
  shaka.log?.setLevel(shaka.log.Level.ERROR);

  return async (video, watch) => {
    const player = new shaka.Player();
    const retryParameters = { maxAttempts: 2 };
    player.configure({
      manifest: { retryParameters },
      streaming: { bufferingGoal: plan.buffer_s, rebufferingGoal: 1, retryParameters },
    });
    player.configure(cmcd(plan));
    player.addEventListener("error", ({ detail }) => {
      if (detail.severity === shaka.util.Error.Severity.CRITICAL) watch.failed(detail.code);
    });
    await player.attach(video);
    watch.asked();
    player.load(`${plan.media}/stream.mpd`).catch((error) => watch.failed(error.code));
    return { kbps: () => kbps(player), end: () => player.destroy() };
  };
}

function cmcd(plan) {
  if (plan.mode === "events") return reporting(plan.collector, plan.id, plan.report_s, plan.events);
  // CMCD version 1 on the media requests.
  return { cmcd: { enabled: true, contentId: plan.id, useHeaders: plan.mode === "headers" } };
}

const kbps = (player) => player.getVariantTracks().find((track) => track.active)?.bandwidth / 1000;
