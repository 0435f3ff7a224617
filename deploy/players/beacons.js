// Any <video>, whatever plays it: JSON beacons about one playback. Call it when playing is asked for:
//
//   const reporter = report(video, "https://collect.example/v1/beacons", () => ({ tenant: "acme", content: "movie-0042" }));
//   reporter.error("network", true);   // network, manifest, media, drm, timeout, other; true: the playback is lost
//   reporter.end();                    // the viewer leaves the playback, not the page
//
// The function says what else is known at that moment, by the names of the JSON beacon: player, bitrate_kbps, cdn …
export function report(video, collector, says, seconds = 10) {
  const session = crypto.randomUUID(); // of this playback, kept nowhere
  const asked = performance.now();
  let state = "starting"; // playing, stalled, or something that is counted as neither
  let since = asked;
  let amounts = nothing();
  let frames = 0;
  let started = false;
  let over = false;

  function nothing() {
    return { playing_ms: 0, stalled_ms: 0, stalls: 0 };
  }

  function to(next) {
    const now = performance.now();
    if (state === "playing") amounts.playing_ms += now - since;
    if (state === "stalled") amounts.stalled_ms += now - since;
    since = now;
    state = next;
  }

  function send(event, more) {
    if (over) return;
    to(state);
    const dropped = video.getVideoPlaybackQuality?.().droppedVideoFrames ?? 0;
    const beacon = { ts: Date.now(), session, event, height: video.videoHeight || undefined, ...says(), ...more };
    for (const [name, amount] of Object.entries(amounts)) beacon[name] = Math.round(amount);
    beacon.dropped_frames = dropped - frames;
    // false where the browser has no room for it: then the next beacon says it
    if (!navigator.sendBeacon(collector, JSON.stringify(beacon))) return;
    amounts = nothing();
    frames = dropped;
  }

  function end() {
    send("end");
    over = true;
    clearInterval(heartbeat);
    stop.abort();
  }

  const stop = new AbortController();
  const on = (target, event, then) => target.addEventListener(event, then, { signal: stop.signal });
  on(video, "playing", () => {
    to("playing");
    if (started) return;
    started = true;
    send("play", { startup_ms: Math.round(performance.now() - asked) });
  });
  on(video, "waiting", () => {
    if (state !== "playing") return; // it is startup, or a seek
    amounts.stalls += 1;
    to("stalled");
  });
  on(video, "seeking", () => started && to("seeking"));
  on(video, "pause", () => to("paused"));
  on(video, "ended", end);
  // the last that a page hears before it may be gone
  on(document, "visibilitychange", () => document.visibilityState === "hidden" && send("heartbeat"));
  const heartbeat = setInterval(() => send("heartbeat"), seconds * 1000);
  send("attempt");

  return {
    error(what, fatal) {
      send("error", { error: what, fatal });
      if (fatal) end();
    },
    end,
  };
}
