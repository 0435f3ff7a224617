//! A released row, as a reader sees it.

use crowdfold_model::{Clamp, Metric, SumMetric, ValueMetric};
use std::collections::BTreeMap;

use serde::Deserialize;

use crate::measure::value_of;

mod read;
#[cfg(test)]
mod tests;

/// The schema this reader knows.
pub(crate) const SCHEMA: &str = "crowdfold.rollup/1";
/// The policy whose rows say whether they are of the detail table.
const THRESHOLD: &str = "threshold";
/// Stands for the rest of a node.
pub(crate) const STAR: &str = "*";

/// One row of `crowdfold.rollup/1`. Fields that a later writer adds are ignored.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Its tenant.
    pub tenant: String,
    /// Its window.
    pub window: Window,
    /// The dimensions of its table, in order.
    pub breakdown: Vec<String>,
    /// `true` in the detail table, whose numbers are exact. `false` in every other table, where each number except
    /// `sessions` carries noise, or is absent. Absent under `differential-privacy`.
    pub detail: Option<bool>,
    /// Its value for each of them, `*` for the rest of a node.
    pub dimensions: BTreeMap<String, String>,
    /// Its number in the table, from 1.
    pub row: u64,
    /// Rows of the table.
    pub rows: u64,
    /// Where a source partition is missing: how many came.
    pub coverage: Option<Coverage>,
    /// Distinct sessions in the window.
    pub sessions: u64,
    /// Reports, in the detail table.
    pub beacons: Option<i64>,
    /// The sums, in the order of [`SumMetric::ALL`]. They are absent where the table shows session counts only, and may
    /// be negative where they carry noise.
    pub sums: [Option<i64>; SumMetric::COUNT],
    /// Sessions that saw an error, by class: those that occur, or all six where they carry noise.
    pub errors: Option<BTreeMap<String, i64>>,
    /// The distributions, in the order of [`ValueMetric::ALL`].
    pub values: [Option<DistributionSummary>; ValueMetric::COUNT],
    /// The conditions that the row had to meet to be published.
    pub policy: Policy,
}

/// The kind of a row's numbers, except its number of sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Numbers {
    /// Exact, as in the detail table.
    Exact,
    /// With noise whose size the policy states: `noise` times the clamp of each field.
    Noisy,
    /// With the noise of `differential-privacy`: that of `sessions` is stated, that of other numbers is not.
    Private,
    /// Absent, because the publisher has no secret to draw noise with.
    Absent,
}

/// A half-open span of event time, ms since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
pub struct Window {
    /// First millisecond.
    pub start: u64,
    /// First millisecond after it.
    pub end: u64,
}

/// How many of the source partitions a window was made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Coverage {
    /// Partitions that came.
    pub partitions: u64,
    /// Partitions there are.
    pub of: u64,
}

/// `[from, to, sessions]` of a histogram: from ≤ value < to, `null` for an open end.
pub type Range = (Option<u64>, Option<u64>, u64);

/// The distribution of the values of a row's sessions. Where it carries noise it is the sum alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct DistributionSummary {
    /// Sessions that have a value.
    pub sessions: Option<u64>,
    /// The sum of their values.
    pub sum: i64,
    /// Median; absent, like the others, where too few sessions lie on one side of it.
    pub p50: Option<u64>,
    /// 90th percentile.
    pub p90: Option<u64>,
    /// 95th percentile.
    pub p95: Option<u64>,
    /// 99th percentile.
    pub p99: Option<u64>,
    /// Ranges that cover all values, in the detail table only.
    pub histogram: Option<Vec<Range>>,
}

/// The release policy of a row.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Policy {
    /// `threshold` or `differential-privacy`.
    pub name: String,
    /// The least number of sessions of a row.
    pub k: Option<u64>,
    /// The least number of possibilities that a star row's arithmetic leaves for its rest.
    pub margin: Option<u64>,
    /// Outside the detail table: the standard deviation of each number's noise, in clamps of its field.
    pub noise: Option<u64>,
    /// Standard deviation of the noise in the count of sessions, where there is noise.
    pub sigma: Option<f64>,
    /// Where there is noise: a row shows τ + k − 1 sessions or more.
    pub tau: Option<u64>,
}

impl Numbers {
    /// Its name in answers: rows under `differential-privacy` are noisy too.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Noisy | Self::Private => "noisy",
            Self::Absent => "counts_only",
        }
    }
}

impl Row {
    /// Returns a sum; absent where the row does not show it.
    #[must_use]
    pub const fn sum(&self, metric: SumMetric) -> Option<i64> {
        self.sums[metric as usize]
    }

    /// Returns a distribution; absent where the row does not show it.
    #[must_use]
    pub const fn distribution(&self, metric: ValueMetric) -> Option<&DistributionSummary> {
        self.values[metric as usize].as_ref()
    }

    /// The name of its breakdown: `os.browser`.
    #[must_use]
    pub fn breakdown_name(&self) -> String {
        self.breakdown.join(".")
    }

    /// Its value for a dimension of its breakdown.
    #[must_use]
    pub fn value(&self, dimension: &str) -> Option<&str> {
        self.dimensions.get(dimension).map(String::as_str)
    }

    /// The kind of its numbers; absent where the row contradicts itself, so that its noise is not known.
    #[must_use]
    pub fn numbers(&self) -> Option<Numbers> {
        let shown = |metric: &Metric| self.detail != Some(false) || metric.outside_detail() != Clamp::Hidden;
        let amounts = || Metric::ALL.into_iter().filter(shown).map(|metric| value_of(metric, self));
        let complete = amounts().all(|amount| amount.is_some()) && self.errors.is_some();
        let exact = complete
            && amounts().chain([self.beacons]).all(|amount| amount.is_some_and(|amount| amount >= 0))
            && self.errors.iter().flat_map(BTreeMap::values).all(|sessions| *sessions >= 0)
            && self.values.iter().flatten().all(|summary| summary.sessions.is_some());
        let threshold = self.policy.name == THRESHOLD;
        match self.detail {
            Some(false) if complete => self.policy.noise.map(|_| Numbers::Noisy),
            Some(false) => {
                let empty = amounts().all(|amount| amount.is_none()) && self.errors.is_none();
                empty.then_some(Numbers::Absent)
            }
            None if threshold => None,
            Some(true) | None if !exact => None,
            None if self.policy.sigma.is_some() => Some(Numbers::Private),
            Some(true) | None => Some(Numbers::Exact),
        }
    }

    /// Returns true if it holds together: a value for each dimension, a number within its table, a window that has a
    /// length.
    pub(crate) fn is_sound(&self) -> bool {
        !self.breakdown.is_empty()
            && self.breakdown.iter().all(|dimension| self.dimensions.contains_key(dimension))
            && self.dimensions.len() == self.breakdown.len()
            && (1..=self.rows).contains(&self.row)
            && self.window.start < self.window.end
    }
}
