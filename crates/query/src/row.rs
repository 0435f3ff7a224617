//! Published rows.

use std::collections::BTreeMap;

use crowdfold_model::{Clamp, Metric, Span, SumMetric, ValueMetric, Window};
use serde::{Deserialize, Serialize};

use crate::measure::value_of;

mod read;
#[cfg(test)]
mod tests;

/// The name of the policy under which every row has the field `detail`.
const THRESHOLD: &str = "threshold";

/// A published row of the schema `crowdfold.rollup/1`. Unknown fields are ignored.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The name of the tenant.
    pub tenant: String,
    /// The window that the row covers.
    pub window: Window,
    /// The dimensions of the table, in order.
    pub breakdown: Vec<String>,
    /// `Some(true)` in the detail table, whose numbers are exact. `Some(false)` in other tables, where all numbers
    /// except `sessions` have noise or are absent. `None` under `differential-privacy`.
    pub detail: Option<bool>,
    /// The value of each dimension. The value `*` means that the dimension is folded.
    pub dimensions: BTreeMap<String, String>,
    /// The number of the row in its table. The first row has the number 1.
    pub row: u64,
    /// The number of rows in the table.
    pub rows: u64,
    /// The number of partitions that are included, or `None` if all partitions are included.
    pub coverage: Option<Coverage>,
    /// The number of distinct sessions in the window.
    pub sessions: u64,
    /// The number of beacons. Only rows of the detail table contain it.
    pub beacons: Option<i64>,
    /// The sums, in the order of [`SumMetric::ALL`]. They are `None` if the table contains only session counts. Noise
    /// may make them negative.
    pub sums: [Option<i64>; SumMetric::COUNT],
    /// The number of sessions with an error, by class. Without noise, only classes that occurred are present. With
    /// noise, all six classes are present.
    pub errors: Option<BTreeMap<String, i64>>,
    /// The distributions, in the order of [`ValueMetric::ALL`]. They are `None` if the table contains only session
    /// counts.
    pub values: [Option<DistributionSummary>; ValueMetric::COUNT],
    /// The policy under which the row was released.
    pub policy: Policy,
    /// `None` in a published row. `Some` if the row is the sum of rows that differ only in their windows. Such a row
    /// has no percentiles. A histogram in it is the sum of the histograms of these rows.
    pub added: Option<Added>,
}

/// The windows and rows of which a row is the sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Added {
    /// The number of windows in which the table was published.
    pub windows: u64,
    /// The number of published rows that were added.
    pub rows: u64,
    /// The length of each window. The size of the noise depends on it.
    pub length: Span,
}

/// The kind of the numbers in a row. The number of sessions is not included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Numbers {
    /// The numbers are exact, as in the detail table.
    Exact,
    /// The numbers have noise whose size the policy declares: its standard deviation is `noise` times the clamp of
    /// each field.
    Noisy,
    /// The numbers have the noise of `differential-privacy`, whose size is declared only for `sessions`.
    Private,
    /// The numbers are absent, because the worker has no secret from which it can generate noise.
    Absent,
}

/// The number of partitions of the beacons that a window includes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Coverage {
    /// The number of partitions that are included.
    pub partitions: u64,
    /// The number of all partitions.
    pub of: u64,
}

/// A range of a histogram: `[from, to, sessions]`. It contains the values with from ≤ value < to. A bound is `None`
/// (`null` in JSON) if the range is open on that side.
pub type Range = (Option<u64>, Option<u64>, u64);

/// The distribution of a metric over the sessions of a row. With noise, it contains only the sum.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct DistributionSummary {
    /// The number of sessions with a value.
    pub sessions: Option<u64>,
    /// The sum of the sessions' values.
    pub sum: i64,
    /// The median. A percentile is `None` if too few sessions are below or above it.
    pub p50: Option<u64>,
    /// The 90th percentile.
    pub p90: Option<u64>,
    /// The 95th percentile.
    pub p95: Option<u64>,
    /// The 99th percentile.
    pub p99: Option<u64>,
    /// The histogram, whose ranges cover all values. Only rows of the detail table contain it.
    pub histogram: Option<Vec<Range>>,
}

/// The policy under which a row was released.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Policy {
    /// The name of the policy: `threshold` or `differential-privacy`.
    pub name: String,
    /// The minimum number of sessions in a row.
    pub k: Option<u64>,
    /// The margin of the policy: the minimum number of sizes that are possible, judging from a published row, for the
    /// small group that was folded into this row.
    pub margin: Option<u64>,
    /// The standard deviation of the noise in each number, as a multiple of the clamp of the number's field. The
    /// numbers of the detail table have no noise.
    pub noise: Option<u64>,
    /// The standard deviation of the noise in the number of sessions, or `None` if it has no noise.
    pub sigma: Option<f64>,
    /// The threshold τ of differential privacy: a row has at least τ + k − 1 sessions, including noise.
    pub tau: Option<u64>,
}

impl Numbers {
    /// Returns the name used in answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Noisy => "noisy",
            Self::Private => "private",
            Self::Absent => "counts_only",
        }
    }
}

impl Row {
    /// Returns the sum of a metric, or `None` if the row does not contain it.
    #[must_use]
    pub const fn sum(&self, metric: SumMetric) -> Option<i64> {
        self.sums[metric as usize]
    }

    /// Returns the distribution of a metric, or `None` if the row does not contain it.
    #[must_use]
    pub const fn distribution(&self, metric: ValueMetric) -> Option<&DistributionSummary> {
        self.values[metric as usize].as_ref()
    }

    /// Returns the name of the breakdown, such as `os.browser`.
    #[must_use]
    pub fn breakdown_name(&self) -> String {
        self.breakdown.join(".")
    }

    /// Returns the value of a dimension, or `None` if the breakdown does not have the dimension.
    #[must_use]
    pub fn value(&self, dimension: &str) -> Option<&str> {
        self.dimensions.get(dimension).map(String::as_str)
    }

    /// Returns the kind of the numbers. Returns `None` if the fields of the row contradict each other, so that its
    /// noise is unknown.
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

    /// Returns true if each dimension of the breakdown has a value, the number of the row is in its table, and the
    /// window is not empty.
    pub(crate) fn is_sound(&self) -> bool {
        !self.breakdown.is_empty()
            && self.breakdown.iter().all(|dimension| self.dimensions.contains_key(dimension))
            && self.dimensions.len() == self.breakdown.len()
            && (1..=self.rows).contains(&self.row)
            && self.window.start < self.window.end
    }
}
