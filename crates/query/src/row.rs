//! Released rows.

use std::collections::BTreeMap;

use crowdfold_model::{Clamp, Metric, Span, SumMetric, ValueMetric, Window};
use serde::{Deserialize, Serialize};

use crate::measure::value_of;

mod read;
#[cfg(test)]
mod tests;

/// The policy under which rows contain whether they belong to the detail table.
const THRESHOLD: &str = "threshold";

/// A row of `crowdfold.rollup/1`. Fields of later versions are ignored.
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
    /// The value of each dimension, `*` for the rest of a node.
    pub dimensions: BTreeMap<String, String>,
    /// Its number in the table, from 1.
    pub row: u64,
    /// The number of rows of the table.
    pub rows: u64,
    /// The number of source partitions that are included, if some are missing.
    pub coverage: Option<Coverage>,
    /// Distinct sessions in the window.
    pub sessions: u64,
    /// Reports, only in the detail table.
    pub beacons: Option<i64>,
    /// The sums, in the order of [`SumMetric::ALL`]. They are absent if the table contains session counts only, and may
    /// be negative if they carry noise.
    pub sums: [Option<i64>; SumMetric::COUNT],
    /// Sessions with an error, by class: the classes that occurred, or all six if they carry noise.
    pub errors: Option<BTreeMap<String, i64>>,
    /// The distributions, in the order of [`ValueMetric::ALL`].
    pub values: [Option<DistributionSummary>; ValueMetric::COUNT],
    /// The release policy of the row.
    pub policy: Policy,
    /// Absent in a published row. Present if the row is the sum of rows of several windows, which differ in nothing
    /// else. Then it has no percentiles and no histograms.
    pub added: Option<Added>,
}

/// The windows that were added up in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Added {
    /// The windows in which the table was published.
    pub windows: u64,
    /// The published rows that were added.
    pub rows: u64,
    /// The length of each window, which determines the noise.
    pub length: Span,
}

/// The kind of a row's numbers, except its number of sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Numbers {
    /// Exact, as in the detail table.
    Exact,
    /// With noise whose size the policy declares: `noise` times the clamp of each field.
    Noisy,
    /// With the noise of `differential-privacy`, which is declared only for `sessions`.
    Private,
    /// Absent, because the publisher has no secret from which to generate noise.
    Absent,
}

/// The number of source partitions that a window includes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Coverage {
    /// Included partitions.
    pub partitions: u64,
    /// All partitions.
    pub of: u64,
}

/// A range `[from, to, sessions]` of a histogram: from ≤ value < to, `null` for an open end.
pub type Range = (Option<u64>, Option<u64>, u64);

/// The distribution of the values of a row's sessions. With noise it contains only the sum.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct DistributionSummary {
    /// Sessions with a value.
    pub sessions: Option<u64>,
    /// The sum of their values.
    pub sum: i64,
    /// The median. Percentiles are absent if too few sessions are on one side of them.
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
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Policy {
    /// `threshold` or `differential-privacy`.
    pub name: String,
    /// The minimum number of sessions of a row.
    pub k: Option<u64>,
    /// The minimum number of possible values for the rest that the arithmetic of a star row leaves open.
    pub margin: Option<u64>,
    /// Outside the detail table: the standard deviation of each number's noise, in clamps of its field.
    pub noise: Option<u64>,
    /// The standard deviation of the noise in the number of sessions, if there is noise.
    pub sigma: Option<f64>,
    /// With noise: a row contains at least τ + k − 1 sessions.
    pub tau: Option<u64>,
}

impl Numbers {
    /// Returns the name used in answers; rows under `differential-privacy` are called noisy too.
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
    /// Returns a sum; absent if the row does not contain it.
    #[must_use]
    pub const fn sum(&self, metric: SumMetric) -> Option<i64> {
        self.sums[metric as usize]
    }

    /// Returns a distribution; absent if the row does not contain it.
    #[must_use]
    pub const fn distribution(&self, metric: ValueMetric) -> Option<&DistributionSummary> {
        self.values[metric as usize].as_ref()
    }

    /// Returns the name of its breakdown: `os.browser`.
    #[must_use]
    pub fn breakdown_name(&self) -> String {
        self.breakdown.join(".")
    }

    /// Returns its value for a dimension of its breakdown.
    #[must_use]
    pub fn value(&self, dimension: &str) -> Option<&str> {
        self.dimensions.get(dimension).map(String::as_str)
    }

    /// Returns the kind of its numbers; absent if the row is inconsistent, so that its noise is unknown.
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

    /// Returns true if it is consistent: a value for each dimension, a number within its table, a window with a length.
    pub(crate) fn is_sound(&self) -> bool {
        !self.breakdown.is_empty()
            && self.breakdown.iter().all(|dimension| self.dimensions.contains_key(dimension))
            && self.dimensions.len() == self.breakdown.len()
            && (1..=self.rows).contains(&self.row)
            && self.window.start < self.window.end
    }
}
