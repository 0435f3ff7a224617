// What the viewer of a <video> saw, told by the element's own events and the page's clock. It knows of no player and of
// no report: it is what reports are held to.

/** Follows `video` from the moment playing is asked for, which a page tells by `asked()`. */
export class Watch {
  #video;
  #state = "starting";
  #ready = false; // the element would play
  #since = performance.now();
  #asked = performance.now();
  #bitrate = { weighted: 0, weight: 0, last: null, at: 0 };
  #log = [];
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
    error: null,
    ended: false,
  };

  constructor(video) {
    this.#video = video;
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

  /** Playing is asked for: the player is given the stream's address. */
  asked() {
    this.seen.asked_ms = Date.now();
    this.#asked = this.#since = performance.now();
  }

  get over() {
    return this.#state === "ended" || this.#state === "failed";
  }

  /** The player said that it gives up. */
  failed(error) {
    this.seen.error ??= String(error);
    this.#to("failed");
  }

  /** The bitrate, in kbit/s, that the player's own interface says is shown; asked for ten times a second. */
  tick(kbps) {
    const now = performance.now();
    const bitrate = this.#bitrate;
    if (this.#state === "playing" && bitrate.last !== null) {
      bitrate.weighted += bitrate.last * (now - bitrate.at);
      bitrate.weight += now - bitrate.at;
    }
    bitrate.at = now;
    if (Number.isFinite(kbps) && kbps > 0) {
      if (bitrate.last !== null && bitrate.last !== kbps) this.seen.switches += 1;
      bitrate.last = kbps;
    }
  }

  /** Everything, once it is over. */
  result() {
    this.#to(this.#state);
    const { weighted, weight, last } = this.#bitrate;
    const frames = this.#video.getVideoPlaybackQuality();
    return {
      ...this.seen,
      bitrate_kbps: weight > 0 ? weighted / weight : null,
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

  // a player may hold the picture by a rate of 0 while it waits, without an event of its own (Shaka Player)
  #rate() {
    if (this.#video.playbackRate === 0) this.#waiting();
    else if (this.#ready && ["starting", "stalled", "seeking"].includes(this.#state)) this.#playing();
  }

  // before the first frame it is startup, after a seek it is the seek
  #waiting() {
    if (this.#video.playbackRate !== 0) this.#ready = false;
    if (this.#state !== "playing") return;
    this.seen.stalls += 1;
    this.#to("stalled");
  }

  #seeking() {
    // players set the position themselves before the first frame, and to get over gaps
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
