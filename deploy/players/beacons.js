// Reports one playback of a <video> element by JSON beacons. This file works with any player. Call `report` when
// playback is requested:
//
//   const reporter = report(video, "https://collect.example/v1/beacons", () => ({ tenant: "acme", content: "movie-0042" }));
//   reporter.error("network", true);   // network, manifest, media, drm, timeout or other; true: the playback failed
//   reporter.end();                    // the viewer ends the playback but stays on the page
//
// The function in the third argument returns further fields of the JSON beacon with their current values: player,
// bitrate_kbps, cdn … A beacon is sent every `seconds` seconds, and also at the request for playback, the first frame,
// an error and the end of the playback, and when the page is hidden.
export function report(video, collector, currentFields, seconds = 10) {
  const session = crypto.randomUUID(); // identifies this playback only, and is not stored
  const requestedAt = performance.now();
  let state = "starting"; // the time in "playing", "stalled" and "seeking" is counted
  let since = requestedAt;
  let amounts = zeroAmounts();
  let frames = 0;
  let started = false;
  let ended = false;

  function zeroAmounts() {
    return { playing_ms: 0, stalled_ms: 0, stalls: 0, seeking_ms: 0, seeks: 0 };
  }

  function changeState(next) {
    const now = performance.now();
    if (`${state}_ms` in amounts) amounts[`${state}_ms`] += now - since;
    since = now;
    state = next;
  }

  function send(event, eventFields) {
    if (ended) return;
    changeState(state);
    const dropped = video.getVideoPlaybackQuality?.().droppedVideoFrames ?? 0;
    const height = video.videoHeight || undefined;
    const beacon = { ts: Date.now(), session, event, height, ...currentFields(), ...eventFields };
    for (const [name, amount] of Object.entries(amounts)) beacon[name] = Math.round(amount);
    beacon.dropped_frames = dropped - frames;
    // sendBeacon returns false if the queue of the browser is full. In this case, the next beacon contains these
    // amounts.
    if (!navigator.sendBeacon(collector, JSON.stringify(beacon))) return;
    amounts = zeroAmounts();
    frames = dropped;
  }

  function end() {
    send("end");
    ended = true;
    clearInterval(heartbeat);
    stop.abort();
  }

  const stop = new AbortController();
  const on = (target, event, listener) => target.addEventListener(event, listener, { signal: stop.signal });
  on(video, "playing", () => {
    changeState("playing");
    if (started) return;
    started = true;
    send("play", { startup_ms: Math.round(performance.now() - requestedAt) });
  });
  on(video, "waiting", () => {
    if (state !== "playing") return; // startup and seeks are not stalls
    amounts.stalls += 1;
    changeState("stalled");
  });
  on(video, "seeking", () => {
    if (!started) return; // players set the position themselves before the first frame
    if (state !== "seeking") amounts.seeks += 1;
    changeState("seeking");
  });
  on(video, "pause", () => changeState("paused"));
  on(video, "ended", end);
  // this is the last event that a page reliably receives before it is closed
  on(document, "visibilitychange", () => document.visibilityState === "hidden" && send("heartbeat"));
  const heartbeat = setInterval(() => send("heartbeat"), seconds * 1000);
  send("attempt");

  return {
    error(errorClass, fatal) {
      send("error", { error: errorClass, fatal });
      if (fatal) end();
    },
    end,
  };
}
