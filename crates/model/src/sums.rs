//! The sums of a group of sessions.

use std::ops::{Index, IndexMut};

use crate::{ErrorClass, Span, SumMetric};

/// The seconds between two reports of a player, over a whole window: players report every ten seconds or less often.
const REPORT_SECONDS: u64 = 10;

/// The reports beyond those that a session sends in one window.
const MORE_REPORTS: u64 = 10;

/// The sums of a group of session summaries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, bincode::Encode, bincode::Decode)]
pub struct Sums {
    /// Reports. They have no limit, because every beacon is accounted for by them.
    pub beacons: u64,
    /// Reports, limited for each session summary, for policies that must know what one session can add.
    pub clamped_beacons: u64,
    /// The sum of each metric, in the order of [`SumMetric::ALL`].
    pub metrics: [u64; SumMetric::COUNT],
    /// Session summaries with an error of the class, in the order of [`ErrorClass::ALL`].
    pub errors: [u64; ErrorClass::COUNT],
}

impl Sums {
    /// Returns these sums of metrics; all others are 0.
    #[must_use]
    pub fn of(metrics: &[(SumMetric, u64)]) -> Self {
        let mut sums = Self::default();
        metrics.iter().for_each(|(metric, sum)| sums[*metric] = *sum);
        sums
    }

    /// Adds another group's sums. Saturates: no sum of limited numbers comes near.
    pub fn add(&mut self, other: &Self) {
        self.beacons = self.beacons.saturating_add(other.beacons);
        self.clamped_beacons = self.clamped_beacons.saturating_add(other.clamped_beacons);
        for (mine, theirs) in self.metrics.iter_mut().zip(other.metrics) {
            *mine = mine.saturating_add(theirs);
        }
        for (mine, theirs) in self.errors.iter_mut().zip(other.errors) {
            *mine = mine.saturating_add(theirs);
        }
    }

    /// Returns the most that one session adds to one window of a length, where it ends after `idle`. `beacons`
    /// has no limit; playing and stalled time together stay below the limit that each has.
    #[must_use]
    pub const fn most(window: Span, idle: Span) -> Self {
        let mut metrics = [0; SumMetric::COUNT];
        let mut at = 0;
        while at < SumMetric::COUNT {
            metrics[at] = SumMetric::ALL[at].most().of(window, idle);
            at += 1;
        }
        Self {
            beacons: u64::MAX,
            clamped_beacons: window.as_millis().div_ceil(1_000).div_ceil(REPORT_SECONDS) + MORE_REPORTS,
            metrics,
            errors: [1; ErrorClass::COUNT],
        }
    }
}

impl Index<SumMetric> for Sums {
    type Output = u64;

    fn index(&self, metric: SumMetric) -> &u64 {
        &self.metrics[metric as usize]
    }
}

impl IndexMut<SumMetric> for Sums {
    fn index_mut(&mut self, metric: SumMetric) -> &mut u64 {
        &mut self.metrics[metric as usize]
    }
}
