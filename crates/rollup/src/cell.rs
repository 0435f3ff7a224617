//! The sums of session summaries: counts, sums and distributions.

use crowdfold_airlock::ErrorClass;

use crate::Bounded;

/// Additive amounts of a group of session summaries. Times in ms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, bincode::Encode, bincode::Decode)]
pub struct Sums {
    /// Reports. Not clamped: beacons are accounted for by it.
    pub beacons: u64,
    /// Reports, each session summary's clamped: what a policy may publish that must know what one session can add.
    pub clamped_beacons: u64,
    /// Times that play was requested.
    pub attempts: u64,
    /// Times that a first frame was shown.
    pub plays: u64,
    /// Fatal errors before anything played.
    pub startup_failures: u64,
    /// Fatal errors after something played.
    pub playback_failures: u64,
    /// Time played, ms.
    pub playing_ms: u64,
    /// Time stalled, without startup and seeks, ms.
    pub stalled_ms: u64,
    /// Stalls.
    pub stalls: u64,
    /// Frames dropped.
    pub dropped_frames: u64,
    /// Changes of quality.
    pub switches: u64,
    /// Session summaries with an error of the class, in the order of [`ErrorClass::ALL`].
    pub errors: [u64; ErrorClass::COUNT],
}

impl Sums {
    /// Adds another group's amounts. Saturates: no sum of clamped amounts comes near.
    pub fn add(&mut self, other: &Self) {
        let pairs = [
            (&mut self.beacons, other.beacons),
            (&mut self.clamped_beacons, other.clamped_beacons),
            (&mut self.attempts, other.attempts),
            (&mut self.plays, other.plays),
            (&mut self.startup_failures, other.startup_failures),
            (&mut self.playback_failures, other.playback_failures),
            (&mut self.playing_ms, other.playing_ms),
            (&mut self.stalled_ms, other.stalled_ms),
            (&mut self.stalls, other.stalls),
            (&mut self.dropped_frames, other.dropped_frames),
            (&mut self.switches, other.switches),
        ];
        for (mine, theirs) in pairs {
            *mine = mine.saturating_add(theirs);
        }
        for (mine, theirs) in self.errors.iter_mut().zip(other.errors) {
            *mine = mine.saturating_add(theirs);
        }
    }
}

/// One two-digit value from each session summary that has one: a sorted list of (value, sessions), exact and free of
/// order.
#[derive(Clone, Debug, Default, PartialEq, Eq, bincode::Encode, bincode::Decode)]
pub struct Distribution(pub(crate) Vec<(u32, u64)>);

impl Distribution {
    /// The values in ascending order, each with the number of sessions that have it.
    #[must_use]
    pub fn values(&self) -> &[(u32, u64)] {
        &self.0
    }

    /// How many sessions have a value. Saturates: what is read off a topic may claim anything.
    #[must_use]
    pub fn sessions(&self) -> u64 {
        self.0.iter().fold(0, |sum: u64, (_, sessions)| sum.saturating_add(*sessions))
    }

    /// The sum of the values over the sessions.
    #[must_use]
    pub fn sum(&self) -> u64 {
        self.0.iter().fold(0, |sum: u64, (value, n)| sum.saturating_add(u64::from(*value).saturating_mul(*n)))
    }

    /// Adds one session's value.
    pub fn record(&mut self, value: u32) {
        self.record_many(value, 1);
    }

    /// Adds `sessions` sessions with the same value.
    pub fn record_many(&mut self, value: u32, sessions: u64) {
        match self.0.binary_search_by_key(&value, |(value, _)| *value) {
            Ok(at) => self.0[at].1 = self.0[at].1.saturating_add(sessions),
            Err(at) => self.0.insert(at, (value, sessions)),
        }
    }

    /// Adds another group's values.
    pub fn add(&mut self, other: &Self) {
        if self.0.is_empty() {
            self.0.clone_from(&other.0);
            return;
        }
        for (value, sessions) in &other.0 {
            self.record_many(*value, *sessions);
        }
    }
}

/// A group of session summaries: how many, their sums, and the distributions of their values.
#[derive(Clone, Debug, Default, PartialEq, Eq, bincode::Encode, bincode::Decode)]
pub struct Cell {
    /// Distinct sessions of the window.
    pub sessions: u64,
    /// The OR of the session summaries' network bits; 0 where the guard is off.
    pub networks: u64,
    /// Their amounts.
    pub sums: Sums,
    /// The same within the bounds of rows outside the detail table.
    pub bounded: Bounded,
    /// Their first startup times, ms.
    pub startup: Distribution,
    /// Their mean bandwidths, kbit/s.
    pub bandwidth: Distribution,
    /// Their mean bitrates, kbit/s.
    pub bitrate: Distribution,
}

impl Cell {
    /// Adds another group. The groups must be disjoint: then so are the counts.
    pub fn add(&mut self, other: &Self) {
        self.sessions = self.sessions.saturating_add(other.sessions);
        self.networks |= other.networks;
        self.sums.add(&other.sums);
        self.bounded.add(&other.bounded);
        self.startup.add(&other.startup);
        self.bandwidth.add(&other.bandwidth);
        self.bitrate.add(&other.bitrate);
    }
}
