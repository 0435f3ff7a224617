// Measures one playback by the events of its <video> and the clock of the page. The measurements do not depend on the
// player's state or reports, so the reports can be compared with them.

const LAG_INTERVAL_MS = 50;
const NOTABLE_LAG_MS = 50; // shorter delays occur on any machine

/**
 * Measures the playback of `video` from the request to play on. The page calls `asked()` at this request.
 * `live_since_ms` is the time at which the live stream began, if it is one.
 */
export class Watch {
  #video;
  #state = "starting";
  #ready = false; // true if the element has enough data to play
  #since = performance.now();
  #asked = performance.now();
  #bitrate = { weighted: 0, loaded: 0, weight: 0, first: null, last: null, last_loaded: null, at: 0 };
  #log = [];
  #live;
  #responses = [];
  #observer = new PerformanceObserver((list) => this.#measureResponses(list.getEntries()));
  seen = {
    asked_ms: null,
    startup_ms: null,
    first_frame_ms: null,
    playing_ms: 0,
    stalled_ms: 0,
    seeking_ms: 0,
    stalls: 0,
    seeks: 0,
    switches: 0,
    switches_up: 0,
    switches_down: 0,
    error: null,
    ended: false,
    // The delays of a timer, which show how busy the machine was. The sum does not include short delays.
    max_lag_ms: 0,
    total_lag_ms: 0,
  };

  constructor(video, live_since_ms) {
    this.#video = video;
    this.#live = { since_ms: live_since_ms, weighted: 0, weight: 0, at: 0 };
    this.#observer.observe({ type: "resource" });
    const on = (event, then) => video.addEventListener(event, then);
    on("playing", () => this.#playing());
    on("waiting", () => this.#waiting());
    on("seeking", () => this.#seeking());
    on("ratechange", () => this.#rate());
    on("pause", () => this.#to("paused"));
    on("ended", () => {
      this.seen.ended = true;
      this.#to("ended");
    });
    video.requestVideoFrameCallback(() => {
      this.seen.first_frame_ms = performance.now() - this.#asked;
    });
  }

  /** Marks the request to play. At this time, the player receives the address of the stream. */
  asked() {
    this.seen.asked_ms = Date.now();
    this.#asked = this.#since = performance.now();
    this.#measureLag();
  }

  /** Measures the delays of a timer in the event loop, until the playback is over. */
  #measureLag() {
    let last = performance.now();
    const timer = setInterval(() => {
      const now = performance.now();
      const lag = Math.max(0, now - last - LAG_INTERVAL_MS);
      last = now;
      this.seen.max_lag_ms = Math.max(this.seen.max_lag_ms, lag);
      if (lag > NOTABLE_LAG_MS) this.seen.total_lag_ms += lag;
      if (this.over) clearInterval(timer);
    }, LAG_INTERVAL_MS);
  }

  get over() {
    return ["ended", "failed", "stopped"].includes(this.#state);
  }

  /** Marks that the player has reported a fatal error. */
  failed(error) {
    this.seen.error ??= String(error);
    this.#to("failed");
  }

  /** Marks that the page ends the playback. */
  stop() {
    this.#to("stopped");
  }

  // The position of the <video> is the time since the live stream began.
  #tickLive() {
    const live = this.#live;
    const now = Date.now();
    const latency_ms = now - live.since_ms - this.#video.currentTime * 1000;
    if (this.#state === "playing") {
      const { seen } = this;
      live.weighted += latency_ms * (now - live.at);
      live.weight += now - live.at;
      seen.live_latency_ms = live.weighted / live.weight;
      seen.lowest_latency_ms = Math.min(seen.lowest_latency_ms ?? Infinity, latency_ms);
      seen.highest_latency_ms = Math.max(seen.highest_latency_ms ?? 0, latency_ms);
    }
    live.at = now;
  }

  #measureResponses(entries) {
    for (const { name, responseStatus, startTime, requestStart, responseStart } of entries) {
      if (!/\.(mp4|m4s)$/.test(new URL(name).pathname) || responseStatus !== 200) continue;
      this.#responses.push({
        at_ms: performance.timeOrigin + startTime,
        queued_ms: requestStart - startTime,
        ttfb_ms: responseStart - requestStart,
      });
    }
  }

  /** Returns the measurements of all responses with media so far. */
  responses() {
    this.#measureResponses(this.#observer.takeRecords());
    return this.#responses;
  }

  /**
   * Adds a sample of the bitrates of the displayed and of the loaded video rendition, in kbit/s, as the player's API
   * returns them. The page calls this function every 100 ms.
   */
  tick(kbps, loaded) {
    if (this.#live.since_ms) this.#tickLive();
    const now = performance.now();
    const bitrate = this.#bitrate;
    if (this.#state === "playing" && bitrate.last !== null) {
      bitrate.weighted += bitrate.last * (now - bitrate.at);
      bitrate.loaded += bitrate.last_loaded * (now - bitrate.at);
      bitrate.weight += now - bitrate.at;
    }
    bitrate.at = now;
    if (Number.isFinite(kbps) && kbps > 0) {
      if (bitrate.last !== null && bitrate.last !== kbps) {
        this.seen.switches += 1;
        this.seen[kbps > bitrate.last ? "switches_up" : "switches_down"] += 1;
      }
      bitrate.first ??= kbps;
      bitrate.last = kbps;
      bitrate.last_loaded = loaded;
    }
  }

  /** Returns all measurements. The playback must be over. */
  result() {
    this.#to(this.#state);
    const { weighted, loaded, weight, first, last } = this.#bitrate;
    const frames = this.#video.getVideoPlaybackQuality();
    return {
      ...this.seen,
      bitrate_kbps: weight > 0 ? weighted / weight : null,
      loaded_kbps: weight > 0 ? loaded / weight : null,
      first_bitrate_kbps: first,
      last_bitrate_kbps: last,
      frames: frames.totalVideoFrames,
      dropped_frames: frames.droppedVideoFrames,
      log: this.#log,
    };
  }

  #playing() {
    this.#ready = true;
    if (this.#video.playbackRate === 0) return;
    if (this.seen.startup_ms === null) this.seen.startup_ms = performance.now() - this.#asked;
    this.#to("playing");
  }

  // While Shaka Player waits, it sets the playback rate to 0. The element has no other event for this wait.
  #rate() {
    if (this.#video.playbackRate === 0) this.#waiting();
    else if (this.#ready && ["starting", "stalled", "seeking"].includes(this.#state)) this.#playing();
  }

  // A wait before the first frame counts as startup. A wait after a seek counts as a part of the seek.
  #waiting() {
    if (this.#video.playbackRate !== 0) this.#ready = false;
    if (this.#state !== "playing") return;
    this.seen.stalls += 1;
    this.#to("stalled");
  }

  #seeking() {
    // Before the first frame, and to skip gaps, players set the position themselves. This is not a seek of the viewer.
    if (this.seen.startup_ms === null) return;
    if (this.#state !== "seeking") this.seen.seeks += 1;
    this.#to("seeking");
  }

  #to(state) {
    const now = performance.now();
    const amount = `${this.#state}_ms`;
    if (["playing_ms", "stalled_ms", "seeking_ms"].includes(amount)) this.seen[amount] += now - this.#since;
    if (state !== this.#state) this.#log.push([Math.round(now - this.#asked), state, this.#video.currentTime]);
    this.#since = now;
    if (!this.over) this.#state = state;
  }
}
