//! Rows added up, and what may be divided out of the sums.

use std::collections::{BTreeMap, BTreeSet};

use crate::row::{Row, Spread, Window};

/// Sums of published rows.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    /// Whose rows: one tenant's, unless several are added up.
    pub(crate) tenants: BTreeSet<String>,
    /// The time its windows lie in: of the first's start to the last's end.
    pub(crate) span: Window,
    /// Its value for each dimension grouped by.
    pub(crate) label: Vec<String>,
    /// Sessions by start of window: distinct within a window, and never across.
    windows: BTreeMap<u64, u64>,
    pub(crate) rows: u64,
    pub(crate) beacons: u64,
    pub(crate) attempts: u64,
    pub(crate) plays: u64,
    pub(crate) startup_failures: u64,
    pub(crate) playback_failures: u64,
    pub(crate) playing_ms: u64,
    pub(crate) stalled_ms: u64,
    pub(crate) stalls: u64,
    pub(crate) dropped_frames: u64,
    pub(crate) switches: u64,
    pub(crate) errors: BTreeMap<String, u64>,
    pub(crate) startup: Spread,
    pub(crate) bandwidth: Spread,
    pub(crate) bitrate: Spread,
    /// Variance of the noise in its sessions; 0 where there is none.
    pub(crate) noise: f64,
}

impl Group {
    pub(crate) fn of(row: &Row, label: Vec<String>) -> Self {
        Self {
            tenants: BTreeSet::from([row.tenant.clone()]),
            span: row.window,
            label,
            windows: BTreeMap::from([(row.window.start, row.sessions)]),
            rows: 1,
            beacons: row.beacons,
            attempts: row.attempts,
            plays: row.plays,
            startup_failures: row.startup_failures,
            playback_failures: row.playback_failures,
            playing_ms: row.playing_ms,
            stalled_ms: row.stalled_ms,
            stalls: row.stalls,
            dropped_frames: row.dropped_frames,
            switches: row.switches,
            errors: row.errors.clone(),
            startup: row.startup_ms.clone(),
            bandwidth: row.bandwidth_kbps.clone(),
            bitrate: row.bitrate_kbps.clone(),
            noise: variance(row),
        }
    }

    pub(crate) fn add(&mut self, row: &Row) {
        self.span.start = self.span.start.min(row.window.start);
        self.span.end = self.span.end.max(row.window.end);
        self.rows += 1;
        if !self.tenants.contains(&row.tenant) {
            self.tenants.insert(row.tenant.clone());
        }
        self.noise += variance(row);
        plus(self.windows.entry(row.window.start).or_default(), row.sessions);
        for (mine, theirs) in [
            (&mut self.beacons, row.beacons),
            (&mut self.attempts, row.attempts),
            (&mut self.plays, row.plays),
            (&mut self.startup_failures, row.startup_failures),
            (&mut self.playback_failures, row.playback_failures),
            (&mut self.playing_ms, row.playing_ms),
            (&mut self.stalled_ms, row.stalled_ms),
            (&mut self.stalls, row.stalls),
            (&mut self.dropped_frames, row.dropped_frames),
            (&mut self.switches, row.switches),
        ] {
            plus(mine, theirs);
        }
        for (class, sessions) in &row.errors {
            plus(self.errors.entry(class.clone()).or_default(), *sessions);
        }
        for (mine, theirs) in [
            (&mut self.startup, &row.startup_ms),
            (&mut self.bandwidth, &row.bandwidth_kbps),
            (&mut self.bitrate, &row.bitrate_kbps),
        ] {
            // Percentiles and ranges of several rows cannot be had from those of each.
            let sessions = mine.sessions.saturating_add(theirs.sessions);
            *mine = Spread { sessions, sum: mine.sum.saturating_add(theirs.sum), ..Spread::default() };
        }
    }

    /// The tenant, where it is one alone.
    pub(crate) fn tenant(&self) -> &str {
        self.tenants.first().map_or("", String::as_str)
    }

    /// Its sessions; over several windows session-windows: one who stays is counted in each.
    pub(crate) fn sessions(&self) -> u64 {
        self.windows.values().fold(0, |sum, sessions| sum.saturating_add(*sessions))
    }

    /// Windows in which it was published.
    pub(crate) fn windows(&self) -> u64 {
        self.windows.len() as u64
    }

    /// Sessions at the same time: the most in any window.
    pub(crate) fn concurrent_max(&self) -> u64 {
        self.windows.values().copied().max().unwrap_or_default()
    }

    /// Sessions at the same time: the mean over the windows in which it was published.
    pub(crate) fn concurrent_mean(&self) -> Option<f64> {
        ratio(self.sessions(), self.windows())
    }

    pub(crate) fn minutes_watched(&self) -> f64 {
        self.playing_ms as f64 / 60_000.0
    }

    /// Time stalled of the time played or stalled.
    pub(crate) fn rebuffering_ratio(&self) -> Option<f64> {
        ratio(self.stalled_ms, self.playing_ms.saturating_add(self.stalled_ms))
    }

    /// Stalls per hour played.
    pub(crate) fn stalls_per_hour(&self) -> Option<f64> {
        ratio(self.stalls, self.playing_ms).map(|per_ms| per_ms * 3_600_000.0)
    }

    /// Video startup failures per attempt.
    pub(crate) fn vsf(&self) -> Option<f64> {
        ratio(self.startup_failures, self.attempts)
    }

    /// Exits before video start per attempt: neither a first frame nor a fatal error. Who asks in one window and sees in
    /// the next is one in the first and takes one away in the second, so it is never told below 0.
    pub(crate) fn ebvs(&self) -> Option<f64> {
        let settled = self.plays.saturating_add(self.startup_failures);
        ratio(self.attempts.saturating_sub(settled), self.attempts)
    }

    /// Video playback failures per play.
    pub(crate) fn vpf(&self) -> Option<f64> {
        ratio(self.playback_failures, self.plays)
    }
}

/// The mean of a spread's values over its sessions.
pub(crate) fn mean(spread: &Spread) -> Option<f64> {
    ratio(spread.sum, spread.sessions)
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

fn plus(mine: &mut u64, theirs: u64) {
    *mine = mine.saturating_add(theirs);
}

/// Each row's noise is drawn for itself, so variances add up.
fn variance(row: &Row) -> f64 {
    row.policy.sigma.map_or(0.0, |sigma| sigma * sigma)
}
