// One session: a player that executes a plan, reports with the library, and records what happened (the truth).
import { optional } from "./optional.js";

const ADDRESSES = ["203.0.113.7", "198.51.100.23", "2001:db8:4::9"];
const FORMATS = { h: "hls", d: "dash", s: "smooth" };
const STREAMS = { v: "vod", l: "live", ll: "low-latency" };
const BITRATES = [600, 1_200, 2_500, 4_800];
const STEP_MS = 100;
const MOST_DELAY_MS = 900;

/**
 * The truth of a session without events. With CMCD version 1, all states, errors and totals have these values, because
 * players cannot report them.
 */
const NOTHING = {
  attempts: 0,
  plays: 0,
  startup_failures: 0,
  playback_failures: 0,
  playing_ms: 0,
  stalled_ms: 0,
  stalls: 0,
  dropped_frames: 0,
  switches: 0,
  switches_up: 0,
  switches_down: 0,
  seeks: 0,
  seeking_ms: 0,
  exits_before_start: 0,
  startup_ms: null,
  errors: [],
};

export class Session {
  constructor({ cmcd, way, random, number, clock }) {
    Object.assign(this, { cmcd, way, random, clock, lines: [] });
    this.version = way.version ?? 2;
    this.address = random.pick(ADDRESSES);
    // Session ids with special characters test quoting and escaping in the library.
    this.sid = random.percent(20) ? `player "${number}", tab\\1` : `0d4b9b7c-${number}-4c58`;
    this.bitrate = random.pick(BITRATES);
    this.throughput = 1_000 * (1 + random.below(99));
    this.tellsTotals = random.percent(50);
    // The weights of the mean are exact only if no requests report. Therefore the live latency changes only in sessions
    // without requests.
    this.latency = this.version === 2 && random.percent(70) ? random.hundreds(1_000, 9_900) : null;
    this.receivedAt = 0;
    this.dropped = 0;
    this.playedSinceReport = 0;
    const [sf, st] = [random.pick(Object.keys(FORMATS)), random.pick(Object.keys(STREAMS))];
    this.fixed = { cid: `title-${random.pick(["north", "south", "east"])}`, sf, st, mtp: [this.throughput] };
    this.truth = {
      stream: STREAMS[st],
      format: FORMATS[sf],
      content: this.fixed.cid,
      ...structuredClone(NOTHING),
      bandwidth_kbps: this.throughput,
      // For each report with a bitrate, and for each period of playback: the bitrate, and the playing time.
      bitrates: [],
      // For each report with a live latency: the latency, and the playing time since the previous report.
      latencies: [],
      // The time to first byte of each response with audio or video.
      ttfbs: [],
    };
    this.reporter = this.#reporter();
  }

  /** Executes the plan. */
  watch(plan) {
    this.reporter.update({ ...this.fixed, ...(this.version === 2 && { dfa: 0 }), br: this.#br() });
    this.reporter.start();
    const seen = { started: false, startedAt: null, interrupted: false, framed: false, played: false };
    Object.assign(seen, { msdSent: false, sought: false, stalled: false });
    for (const step of plan) {
      if (step.bitrate) this.#switch(seen);
      if (step.dropped) this.#drop(step.dropped);
      if (step.state) {
        this.#enter(step, seen);
        this.#stay(step.ms, seen);
      }
      if (step.error) this.#error(step.error);
    }
    this.reporter.stop(true);
    if (this.version === 1) Object.assign(this.truth, NOTHING);
    this.truth.good_sessions = Number(this.#isGood());
  }

  /** Returns true if the session meets the default thresholds of `[quality]`. */
  #isGood() {
    const { startup_failures, playback_failures, startup_ms, playing_ms, stalled_ms } = this.truth;
    const started = startup_ms === null || startup_ms <= 2_000;
    return startup_failures + playback_failures === 0 && started && 100 * stalled_ms <= playing_ms + stalled_ms;
  }

  #reporter() {
    const { CmcdReporter, CMCD_KEYS, CmcdEventType } = this.cmcd;
    const enabledKeys = [...CMCD_KEYS, "com.example-n", "com.example-note", "com.example-on"];
    const target = {
      url: "https://collect.example/v1/cmcd/acme",
      enabledKeys,
      events: Object.values(CmcdEventType),
      // With an interval of 0, the library sends no periodic reports. This value is not used with batches or requests,
      // because a session without reports for longer than the idle timeout counts as a new session.
      interval: this.random.pick(this.way.events > 1 || this.way.requests ? [10, 30] : [0, 10, 30]),
      batchSize: this.way.events,
      transform: (report) => {
        const played = this.playedSinceReport;
        this.playedSinceReport = 0;
        if (report.br) this.truth.bitrates.push([this.bitrate, 0]);
        const members = { ...optional(this.random, { version: 2, event: true }), ...this.#latency(played) };
        return { ...report, ...members };
      },
    };
    return new CmcdReporter(
      {
        version: this.version,
        sid: this.sid,
        enabledKeys: this.way.requests ? enabledKeys : [],
        transmissionMode: this.way.requests,
        eventTargets: this.way.events ? [target] : [],
      },
      async (request) => {
        this.#capture(request);
        return { status: 204 };
      },
    );
  }

  /** Enters a state of the player. An event reports the state, or the next request does. */
  #enter({ state }, seen) {
    const { truth } = this;
    if (!seen.started && !"deq".includes(state)) {
      seen.started = true;
      truth.attempts = 1;
    }
    if (state === "s") {
      if (seen.framed) truth.attempts += 1;
      Object.assign(seen, { startedAt: this.clock.now, interrupted: false, framed: false });
    }
    // A pause or a seek before the first frame makes the startup time unknown, although the player may report one.
    if ("ak".includes(state) && !seen.framed && seen.startedAt !== null) seen.interrupted = true;
    const told = { sta: state };
    if (state === "p" && !seen.framed) {
      Object.assign(seen, { framed: true, played: true });
      truth.plays += 1;
      // The player has recovered from a failure before the first frame.
      truth.startup_failures = 0;
      const { startedAt } = seen;
      const startup = startedAt === null ? this.random.hundreds(100, 9_900) : this.clock.now - startedAt;
      // Events show when playback started. Without a report of the start or without events, the player reports the
      // startup time itself. The library sends only the first one.
      const isMeasured = startedAt !== null && this.way.events > 0;
      if (!isMeasured) told.msd = startup;
      const isKnown = isMeasured || !seen.msdSent;
      seen.msdSent ||= !isMeasured;
      // The first startup time of a session in a window counts.
      if (isKnown && !seen.interrupted) truth.startup_ms ??= startup;
    }
    if (state === "k" && seen.played) {
      seen.sought = true;
      truth.seeks += 1;
    }
    if (state === "q" && seen.started && !seen.framed) truth.exits_before_start = 1;
    if (state === "p") Object.assign(seen, { sought: false, stalled: false });
    if ("rw".includes(state) && seen.played && !seen.sought && !seen.stalled) {
      seen.stalled = true;
      truth.stalls += 1;
    }
    if (state === "f") truth[seen.framed ? "playback_failures" : "startup_failures"] += 1;
    seen.playing = state === "p";
    if (this.version === 2) this.reporter.update({ ...told, ...this.#totals() });
    this.#request();
  }

  /** Returns cumulative values that some players send in addition to states. They describe the same stalls. */
  #totals() {
    if (!this.tellsTotals) return {};
    return { bsa: [this.truth.stalls], bsda: [this.truth.stalled_ms] };
  }

  /** Keeps the state for `ms` milliseconds. The player continues to send requests. */
  #stay(ms, { played, playing, stalled, sought }) {
    let untilRequest = this.random.hundreds(STEP_MS, 4_000);
    for (let left = ms; left > 0; left -= STEP_MS) {
      if (playing) {
        this.truth.playing_ms += STEP_MS;
        this.playedSinceReport += STEP_MS;
        if (this.way.events) this.truth.bitrates.push([this.bitrate, STEP_MS]);
      }
      if (stalled) this.truth.stalled_ms += STEP_MS;
      if (sought) this.truth.seeking_ms += STEP_MS;
      this.clock.pass(STEP_MS);
      untilRequest -= STEP_MS;
      if (untilRequest > 0 || left === STEP_MS) continue;
      this.#request();
      this.#response();
      untilRequest = this.random.hundreds(STEP_MS, 4_000);
    }
  }

  #switch({ played }) {
    // If only events report, the weights of the mean bitrate are exact. Therefore the bitrate changes only in sessions
    // without requests.
    if (!played || this.way.requests) return;
    const before = this.bitrate;
    this.bitrate = this.random.pick(BITRATES.filter((other) => other !== before));
    this.truth.switches += 1;
    this.truth[this.bitrate > before ? "switches_up" : "switches_down"] += 1;
    this.reporter.update({ br: this.#br() });
  }

  #drop(frames) {
    this.dropped += frames;
    this.truth.dropped_frames += frames;
    this.reporter.update({ dfa: this.dropped });
  }

  #error([code, errorClass]) {
    if (!this.truth.errors.includes(errorClass)) this.truth.errors.push(errorClass);
    if (this.way.events) this.reporter.recordEvent("e", { ec: [code] });
    else this.#request({ ec: [code] });
  }

  #request(data = {}) {
    if (!this.way.requests) return;
    const kind = this.random.below(10);
    // The bitrate of an audio object is not the bitrate of the video, and a manifest has no bitrate.
    const object =
      kind < 6
        ? { ot: kind < 3 ? "v" : "av", br: this.#br() }
        : kind < 8
          ? { ot: "a", br: [128] }
          : { ot: kind < 9 ? "m" : "i", br: undefined };
    if (kind < 6) this.truth.bitrates.push([this.bitrate, 0]);
    const more = { ...optional(this.random, { version: this.version, event: false }), ...this.#latency(0) };
    this.#capture(
      this.reporter.createRequestReport(
        { url: "https://media.example/title/segment-7.m4s?token=x%2Cy", method: "GET", headers: {} },
        { ...more, ...object, ...data },
      ),
    );
  }

  /** Reports the response to a request that began at this moment. */
  #response() {
    if (!this.way.events || this.random.percent(30)) return;
    const ot = this.random.pick(["v", "av", "a", "m"]);
    const ttfb = this.random.hundreds(1_000, 9_900);
    // The time to first byte of a manifest does not count.
    if (ot !== "m") this.truth.ttfbs.push(ttfb);
    const customData = { [this.cmcd.CMCD_REQUEST_PROVENANCE]: { sid: this.sid } };
    const request = { url: `https://media.example/title/${ot}-7`, customData };
    const br = ot === "a" || ot === "m" ? undefined : this.#br();
    this.reporter.recordResponseReceived({ request, status: 200 }, { ot, ttfb, br });
  }

  /** Returns the live latency, if this report contains it. `played` is the playing time since the previous report. */
  #latency(played) {
    if (this.latency === null || this.random.percent(40)) return {};
    if (!this.way.requests) this.latency = this.random.hundreds(1_000, 9_900);
    this.truth.latencies.push([this.latency, played]);
    return { ltc: this.latency };
  }

  #br() {
    if (this.version === 1 || this.random.percent(50)) return [this.bitrate];
    return [this.cmcd.toCmcdValue(this.bitrate, { v: true })];
  }

  #capture({ url, method, headers, body }) {
    const { pathname, search } = new URL(url);
    // Events have a random delay. Requests have none, because the time of a request is its time of receipt, and a delay
    // would make its times inexact.
    const delay = this.way.requests ? 0 : this.random.below(MOST_DELAY_MS);
    this.receivedAt = Math.max(this.receivedAt, this.clock.now + delay);
    this.lines.push({
      received_at_ms: this.receivedAt,
      client_ip: this.address,
      method,
      path: pathname,
      query: search.slice(1),
      headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
      body: body ?? "",
    });
  }
}
