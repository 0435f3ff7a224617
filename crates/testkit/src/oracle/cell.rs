//! The sums over a group of session summaries.

use std::collections::{BTreeMap, BTreeSet};

/// The sums over session summaries, which are already clamped. Times are in milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of the rollup's fields")]
pub struct Sums {
    pub beacons: u64,
    pub attempts: u64,
    pub plays: u64,
    pub startup_failures: u64,
    pub playback_failures: u64,
    pub playing_ms: u64,
    pub stalled_ms: u64,
    pub stalls: u64,
    pub dropped_frames: u64,
    pub switches: u64,
    pub switches_up: u64,
    pub switches_down: u64,
    pub seeks: u64,
    pub seeking_ms: u64,
    pub exits_before_start: u64,
    pub good_sessions: u64,
    /// The number of sessions with an error, by error class. A class without errors has no entry.
    pub errors: BTreeMap<&'static str, u64>,
}

/// The numbers of a group of sessions in one window.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// The number of distinct sessions.
    pub sessions: u64,
    /// The sums over the sessions.
    pub sums: Sums,
    /// The startup times of the sessions in milliseconds, in ascending order. A session without a startup time has no
    /// entry.
    pub startup_ms: Vec<u64>,
    /// The mean bandwidths of the sessions in kbit/s, in ascending order.
    pub bandwidth_kbps: Vec<u64>,
    /// The mean bitrates of the sessions in kbit/s, in ascending order.
    pub bitrate_kbps: Vec<u64>,
    /// The mean live latencies of the sessions in milliseconds, in ascending order.
    pub live_latency_ms: Vec<u64>,
    /// The mean times to first byte of the sessions in milliseconds, in ascending order.
    pub ttfb_ms: Vec<u64>,
    /// The sums for tables other than the detail table, by field. The amounts of each session are limited by clamps and
    /// by the noise budget.
    pub bounded: BTreeMap<&'static str, u64>,
    /// The ids of the sessions.
    pub session_ids: BTreeSet<String>,
}

impl Cell {
    /// Adds the numbers of another group.
    pub fn add(&mut self, other: &Self) {
        self.sessions += other.sessions;
        self.session_ids.extend(other.session_ids.iter().cloned());
        for (field, adds) in &other.bounded {
            *self.bounded.entry(field).or_default() += adds;
        }
        self.sums.beacons += other.sums.beacons;
        self.sums.attempts += other.sums.attempts;
        self.sums.plays += other.sums.plays;
        self.sums.startup_failures += other.sums.startup_failures;
        self.sums.playback_failures += other.sums.playback_failures;
        self.sums.playing_ms += other.sums.playing_ms;
        self.sums.stalled_ms += other.sums.stalled_ms;
        self.sums.stalls += other.sums.stalls;
        self.sums.dropped_frames += other.sums.dropped_frames;
        self.sums.switches += other.sums.switches;
        self.sums.switches_up += other.sums.switches_up;
        self.sums.switches_down += other.sums.switches_down;
        self.sums.seeks += other.sums.seeks;
        self.sums.seeking_ms += other.sums.seeking_ms;
        self.sums.exits_before_start += other.sums.exits_before_start;
        self.sums.good_sessions += other.sums.good_sessions;
        for (class, summaries) in &other.sums.errors {
            *self.sums.errors.entry(class).or_default() += summaries;
        }
        for (mine, theirs) in [
            (&mut self.startup_ms, &other.startup_ms),
            (&mut self.bandwidth_kbps, &other.bandwidth_kbps),
            (&mut self.bitrate_kbps, &other.bitrate_kbps),
            (&mut self.live_latency_ms, &other.live_latency_ms),
            (&mut self.ttfb_ms, &other.ttfb_ms),
        ] {
            mine.extend(theirs);
            mine.sort_unstable();
        }
    }
}
