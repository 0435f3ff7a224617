//! Compares the published rows of an attempt with the measurements of its page.
//!
//! Counts must be equal. Times may differ by a tolerance plus the measured delays of the page's timers, because the
//! page may receive an event that much later than the player. Attempts with long delays are repeated
//! ([`super::attempts`]).

use super::attempts::Attempt;
use super::gaps;
use super::latency;
use super::published::Published;
use super::scenario::{Mode, REPORT_S};

/// The tolerance of startup times, in milliseconds. The page begins to measure before the player does, and the
/// published time is rounded to two digits.
const STARTUP_MS: f64 = 250.0;
/// The tolerance of playing times, in milliseconds. The page and the player receive events at different times, and each
/// beacon is rounded to 100 ms.
const PLAYING_MS: f64 = 700.0;
/// The tolerance of stalled times, in milliseconds.
const STALLED_MS: f64 = 500.0;
/// The tolerance of seeking times, in milliseconds.
const SEEKING_MS: f64 = 500.0;
/// The tolerance of the bitrate for streams with one video rendition, as a share of the measured bitrate. The published
/// bitrate is rounded to two digits.
const FIXED_BITRATE: f64 = 0.02;
/// The tolerance of the bitrate for streams with two video renditions, as a share of the measured bitrate. It widens
/// the range that [`Differences::bitrate`] computes.
const ADAPTIVE_BITRATE: f64 = 0.1;
/// The tolerance of dropped frames. Frames may be dropped between the last beacon and the page's last measurement.
const DROPPED_FRAMES: f64 = 5.0;

/// Returns a description of each difference. The list is empty if the rows agree with the measurements.
pub(super) fn differences(attempt: &Attempt, published: &Published) -> Vec<String> {
    let mut found = Differences(attempt.unplanned().into_iter().collect());
    for report in attempt.reports() {
        if report["status"] != 204 {
            found.0.push(format!("a report received status {}", report["status"]));
        }
    }
    found.exact("sessions in a window", published.sessions, 1);
    match attempt.scenario.mode {
        Mode::Query | Mode::Headers => {
            found.exact("beacons", published.beacons, attempt.reports().len() as u64);
        }
        Mode::Events | Mode::Beacons => found.playback(attempt, published),
    }
    found.0
}

/// Returns a summary in one line. Each pair consists of the value that the page measured and the published value.
pub(super) fn summary(attempt: &Attempt, published: &Published) -> String {
    let of = |name: &str| attempt.seen()[name].as_f64().map_or("-".into(), |number| format!("{number:.0}"));
    let mean =
        |(sessions, sum): (u64, u64)| sum.checked_div(sessions).map_or("-".into(), |mean| mean.to_string());
    format!(
        "{:17} startup {:>5} {:>5}  playing {:>5} {:>5}  stalled {:>4} {:>4}  stalls {} {}  seeks {} {}  seeking {:>4} {:>4}  kbit/s {:>3} {:>3}  latency {:>4} {:>4}  ttfb {:>3} {:>3}  lag {:>3}",
        attempt.content,
        of("startup_ms"),
        mean(published.startup_ms),
        of("playing_ms"),
        published.playing_ms,
        of("stalled_ms"),
        published.stalled_ms,
        of("stalls"),
        published.stalls,
        of("seeks"),
        published.seeks,
        of("seeking_ms"),
        published.seeking_ms,
        of("bitrate_kbps"),
        mean(published.bitrate_kbps),
        of("live_latency_ms"),
        mean(published.live_latency_ms),
        latency::seen_ttfb(attempt).map_or("-".into(), |seen| format!("{seen:.0}")),
        mean(latency::published_ttfb(attempt, published)),
        of("max_lag_ms"),
    )
}

pub(super) struct Differences(Vec<String>);

impl Differences {
    pub(super) fn exact(&mut self, what: &str, published: u64, seen: u64) {
        if published != seen {
            self.0.push(format!("{what}: {published} published, {seen} measured"));
        }
    }

    pub(super) fn near(&mut self, what: &str, published: f64, seen: f64, tolerance: f64) {
        // If `published` is the mean of no values, it is NaN. The comparison is then false.
        let is_near = (published - seen).abs() <= tolerance;
        if !is_near {
            self.0.push(format!(
                "{what}: {published:.0} published, {seen:.0} measured, more than {tolerance:.0} apart"
            ));
        }
    }

    fn playback(&mut self, attempt: &Attempt, published: &Published) {
        let scenario = &attempt.scenario;
        let number = |name: &str| attempt.number(name);
        let started = attempt.started();
        let failed = attempt.failed() && !gaps::hides_failure(scenario);
        self.exact("attempts", published.attempts, (!gaps::hides_attempt(scenario)).into());
        self.exact("plays", published.plays, started.into());
        self.exact("startup failures", published.startup_failures, (failed && !started).into());
        self.exact("playback failures", published.playback_failures, (failed && started).into());
        let classes: Vec<_> = published.errors.keys().map(String::as_str).collect();
        let expected: Vec<_> = gaps::error_class(scenario).into_iter().collect();
        if classes != expected {
            self.0.push(format!("error classes: {classes:?} published, {expected:?} expected"));
        }
        self.exact("sessions with a startup time", published.startup_ms.0, started.into());
        let startup = number("startup_ms");
        self.near(
            "startup ms",
            published.startup_ms.1 as f64,
            startup,
            STARTUP_MS + startup * gaps::unmeasured_startup(scenario) + number("total_lag_ms"),
        );
        if scenario.minified {
            // Without player states in the reports, no playing time is counted.
            self.exact("playing ms", published.playing_ms, 0);
        } else {
            self.times(attempt, published);
        }
        if !gaps::hides_switches(scenario) {
            self.exact("switches", published.switches, number("switches") as u64);
            self.exact("switches up", published.switches_up, number("switches_up") as u64);
            self.exact("switches down", published.switches_down, number("switches_down") as u64);
        }
        if scenario.mode == Mode::Beacons {
            let (published, seen) = (published.dropped_frames as f64, number("dropped_frames"));
            self.near("dropped frames", published, seen, DROPPED_FRAMES);
        }
        if let Some(shown) = attempt.seen()["bitrate_kbps"].as_f64() {
            self.bitrate(attempt, published, shown);
        }
        latency::compare(self, attempt, published);
    }

    /// Compares bitrates. A report contains the bitrate that the player is loading and will display later. The worker
    /// applies this bitrate to the time since the previous report. Therefore a change of the bitrate may be published
    /// up to one report interval too early.
    fn bitrate(&mut self, attempt: &Attempt, published: &Published, shown: f64) {
        let number = |name: &str| attempt.number(name);
        let change = number("last_bitrate_kbps") - number("first_bitrate_kbps");
        let early = change * (REPORT_S * 1_000.0 / number("playing_ms")).min(1.0);
        let ends = [shown, number("loaded_kbps") + early];
        let (low, high) = (ends[0].min(ends[1]), ends[0].max(ends[1]));
        let part = if attempt.scenario.is_adaptive() { ADAPTIVE_BITRATE } else { FIXED_BITRATE };
        let (weights, sum) = published.bitrate_kbps;
        let mean = sum as f64 / weights as f64;
        self.near("kbit/s", mean, f64::midpoint(low, high), (high - low) / 2.0 + part * shown);
    }

    fn times(&mut self, attempt: &Attempt, published: &Published) {
        let scenario = &attempt.scenario;
        let number = |name: &str| attempt.number(name);
        if !gaps::hides_playing(scenario) {
            let early = if gaps::plays_early(scenario) { number("seeking_ms") } else { 0.0 };
            let playing = if gaps::hides_end(scenario) {
                attempt.playing_until_last_report()
            } else {
                number("playing_ms")
            };
            let middle = playing + early / 2.0;
            let tolerance = PLAYING_MS + early / 2.0 + number("total_lag_ms");
            self.near("playing ms", published.playing_ms as f64, middle, tolerance);
        }
        self.exact("seeks", published.seeks, number("seeks") as u64);
        let seeking = number("seeking_ms");
        let early = if gaps::plays_early(scenario) { seeking } else { 0.0 };
        let tolerance = SEEKING_MS + early / 2.0 + number("total_lag_ms");
        self.near("seeking ms", published.seeking_ms as f64, seeking - early / 2.0, tolerance);
        let stalls = number("stalls") as u64;
        let more = if published.stalls > stalls {
            gaps::stalled_before_first_frame(scenario, number("startup_ms"))
        } else {
            0.0
        };
        let middle = number("stalled_ms") + more / 2.0;
        let tolerance = STALLED_MS + more / 2.0 + number("total_lag_ms");
        self.near("stalled ms", published.stalled_ms as f64, middle, tolerance);
        if !(stalls..=stalls + gaps::more_stalls(scenario)).contains(&published.stalls) {
            self.exact("stalls", published.stalls, stalls);
        }
    }
}
