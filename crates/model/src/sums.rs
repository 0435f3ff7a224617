//! The sums of a group of sessions.

use std::ops::{Index, IndexMut};

use crate::{ErrorClass, Span, SumMetric};

/// The assumed time between two beacons of a player, in seconds. Players usually report every ten seconds, or less
/// often.
const REPORT_SECONDS: u64 = 10;

/// The number of additional beacons of one session in one window. Events such as errors can cause them.
const MORE_REPORTS: u64 = 10;

/// The sums of a group of session summaries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, bincode::Encode, bincode::Decode)]
pub struct Sums {
    /// The number of beacons. It is not limited for each session, because the ledger must account for every beacon.
    pub beacons: u64,
    /// The number of beacons, limited for each session summary. The policy `differential-privacy` uses this number,
    /// because it must limit the contribution of one session.
    pub clamped_beacons: u64,
    /// The sum of each metric, in the order of [`SumMetric::ALL`].
    pub metrics: [u64; SumMetric::COUNT],
    /// The number of session summaries with an error of each class, in the order of [`ErrorClass::ALL`].
    pub errors: [u64; ErrorClass::COUNT],
}

impl Sums {
    /// Creates a value with these sums of metrics. All other sums are 0.
    #[must_use]
    pub fn of(metrics: &[(SumMetric, u64)]) -> Self {
        let mut sums = Self::default();
        metrics.iter().for_each(|(metric, sum)| sums[*metric] = *sum);
        sums
    }

    /// Adds the sums of another group. A sum that would overflow becomes the maximum of its type, which sums of valid
    /// numbers never reach.
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

    /// Returns the maximum of each sum for one session in a window of this length. `idle` is the idle time-out of
    /// sessions. The field `beacons` has no maximum. Playing time and stalled time have the same maximum, which is also
    /// the maximum of their sum.
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
