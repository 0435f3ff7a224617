//! Published rows, and their form as JSON.

use std::sync::Arc;

use crowdfold_model::{
    CellKey, Dimension, ErrorClass, Metric, ROLLUP_SCHEMA, SumMetric, Sums, ValueMetric, Window,
};
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::covered::{Covered, Sum};
use crate::distribution_summary::DistributionSummary;
use crate::fold::Row;
use crate::privacy::Noisy;
use crate::{Policy, breakdown_name};

#[cfg(test)]
mod tests;

/// The initial size in bytes of the buffer for the JSON of a row. Most rows are shorter.
const USUAL_LENGTH: usize = 1024;

/// The number of source partitions whose sessions a row contains. A row contains this object only if partitions are
/// missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Coverage {
    /// The number of partitions that contributed to the window.
    pub partitions: u32,
    /// The number of all source partitions.
    pub of: u32,
}

/// The values that all rows of one table have in common.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) tenant: Box<str>,
    pub(crate) window: Window,
    pub(crate) breakdown: Box<[Dimension]>,
    pub(crate) rows: usize,
    pub(crate) coverage: Option<Coverage>,
    pub(crate) policy: PolicyNote,
    /// True for the detail table, whose distributions have histograms.
    pub(crate) detail: bool,
}

/// A published row, which covers a crowd. Only [`release()`](crate::release()) can create one:
///
/// ```compile_fail,E0451
/// fn forge(row: crowdfold_release::Rollup) -> crowdfold_release::Rollup {
///     crowdfold_release::Rollup { sessions: 1, ..row }
/// }
/// ```
/// ```compile_fail,E0624
/// let forge = crowdfold_release::Rollup::new;
/// ```
///
/// It contains only values that are published: percentiles and ranges instead of the values of single sessions, and
/// outside the detail table only numbers with noise.
#[derive(Debug)]
pub struct Rollup {
    head: Arc<Head>,
    row: usize,
    cell_key: CellKey,
    sessions: u64,
    numbers: Numbers,
}

/// The numbers of a row, except its session count.
#[derive(Debug)]
enum Numbers {
    /// All numbers. They are in the rows of the detail table, and under `differential-privacy` in the rows of every
    /// table.
    Full(Box<Full>),
    /// The numbers of a row outside the detail table, with noise.
    Covered(Covered),
    /// No numbers, because there is no secret for the noise of a row outside the detail table.
    Hidden,
}

/// All numbers of a row, except its session count.
#[derive(Debug)]
struct Full {
    sums: Sums,
    /// The summaries of the distributions, in the order of [`ValueMetric::ALL`].
    values: [DistributionSummary; ValueMetric::COUNT],
}

impl Rollup {
    /// Creates row number `row` (from 1) of the detail table. The caller has checked that the cell is a crowd.
    pub(crate) fn new(head: &Arc<Head>, row: usize, Row { cell_key, cell }: Row) -> Self {
        let summary = |metric: ValueMetric| {
            DistributionSummary::of(&cell.values[metric], head.detail && metric.has_histogram())
        };
        let full = Full { sums: cell.sums, values: ValueMetric::ALL.map(summary) };
        let numbers = Numbers::Full(Box::new(full));
        Self { row, cell_key, sessions: cell.sessions, numbers, head: Arc::clone(head) }
    }

    /// Creates row number `row` (from 1) of a table under `differential-privacy`.
    pub(crate) fn of_noisy(head: &Arc<Head>, row: usize, cell_key: CellKey, noisy: Noisy) -> Self {
        let Noisy { sessions, sums, values } = noisy;
        let numbers = Numbers::Full(Box::new(Full { sums, values }));
        Self { row, cell_key, sessions, numbers, head: Arc::clone(head) }
    }

    /// Creates row number `row` (from 1) of a table other than the detail table. The caller has checked that the cell
    /// is a crowd. If `covered` is `None`, only the session count is published.
    pub(crate) fn of_covered(
        head: &Arc<Head>,
        row: usize,
        cell_key: CellKey,
        sessions: u64,
        covered: Option<Covered>,
    ) -> Self {
        let numbers = covered.map_or(Numbers::Hidden, Numbers::Covered);
        Self { row, cell_key, sessions, numbers, head: Arc::clone(head) }
    }

    /// Returns the key of the record in which the row is published, such as `tenant/os.browser/1795308480000`. All
    /// rows of a table have the same key, so that they are in one partition.
    #[must_use]
    pub fn key(&self) -> String {
        let Head { tenant, window, breakdown, .. } = &*self.head;
        format!("{tenant}/{}/{}", breakdown_name(breakdown), window.start.as_millis())
    }

    /// Returns the tenant of the row.
    #[must_use]
    pub fn tenant(&self) -> &str {
        &self.head.tenant
    }

    /// Returns the window of the row.
    #[must_use]
    pub fn window(&self) -> Window {
        self.head.window
    }

    /// Returns the dimensions of the table that contains the row.
    #[must_use]
    pub fn breakdown(&self) -> &[Dimension] {
        &self.head.breakdown
    }

    /// Returns the value of each dimension, in the order of the breakdown. A value is `*` if the row was folded.
    pub fn cell_key(&self) -> impl Iterator<Item = &str> {
        self.cell_key.iter().map(|value| &**value)
    }

    /// Returns the number of distinct sessions that the row covers. Under `differential-privacy`, the number has
    /// noise.
    #[must_use]
    pub const fn sessions(&self) -> u64 {
        self.sessions
    }

    /// Returns the number of beacons of the sessions in the row, or `None` if the row does not contain this number.
    #[must_use]
    pub fn beacons(&self) -> Option<u64> {
        self.numbers.beacons()
    }

    /// Returns the value of the record in which the row is published: JSON with the schema `crowdfold.rollup/1`.
    #[must_use]
    pub fn json(&self) -> Vec<u8> {
        let mut json = Vec::with_capacity(USUAL_LENGTH);
        // This cannot fail, because keys are strings and a `Vec` accepts any bytes.
        let written = serde_json::to_writer(&mut json, &Wire::from(self));
        debug_assert!(written.is_ok());
        json
    }
}

/// The published form of a row, in the order of its fields.
#[derive(serde::Serialize)]
struct Wire<'a> {
    schema: &'static str,
    tenant: &'a str,
    window: WireWindow,
    breakdown: Names<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<bool>,
    dimensions: Values<'a>,
    row: usize,
    rows: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    coverage: Option<Coverage>,
    sessions: u64,
    #[serde(flatten)]
    numbers: WireNumbers<'a>,
    policy: PolicyNote,
}

/// A number of a row. `Hidden` is written as `null`.
#[derive(serde::Serialize)]
#[serde(untagged)]
enum Number {
    Exact(u64),
    Noisy(i64),
    Hidden,
}

#[derive(serde::Serialize)]
#[serde(untagged)]
enum Errors<'a> {
    Exact(Classes<'a>),
    Noisy(&'a Covered),
    Hidden,
}

#[derive(serde::Serialize)]
#[serde(untagged)]
enum Distribution<'a> {
    Full(&'a DistributionSummary),
    Sum(Sum),
    Hidden,
}

/// The numbers of a row, in their published order: beacons, sums, errors, distributions.
struct WireNumbers<'a>(&'a Numbers);

impl Serialize for WireNumbers<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        // The number of beacons is not in the list of fields with noise.
        map.serialize_entry("beacons", &self.0.beacons().map_or(Number::Hidden, Number::Exact))?;
        for metric in SumMetric::ALL {
            map.serialize_entry(metric.name(), &self.0.sum(metric))?;
        }
        map.serialize_entry("errors", &self.0.errors())?;
        for metric in ValueMetric::ALL {
            map.serialize_entry(metric.name(), &self.0.distribution(metric))?;
        }
        map.end()
    }
}

impl Numbers {
    fn beacons(&self) -> Option<u64> {
        match self {
            Self::Full(full) => Some(full.sums.beacons),
            Self::Covered(_) | Self::Hidden => None,
        }
    }

    fn sum(&self, metric: SumMetric) -> Number {
        match self {
            Self::Full(full) => Number::Exact(full.sums[metric]),
            Self::Covered(covered) => covered.get(Metric::Sum(metric)).map_or(Number::Hidden, Number::Noisy),
            Self::Hidden => Number::Hidden,
        }
    }

    fn distribution(&self, metric: ValueMetric) -> Distribution<'_> {
        match self {
            Self::Full(full) => Distribution::Full(&full.values[metric as usize]),
            Self::Covered(covered) => {
                let sum = covered.get(Metric::Value(metric));
                sum.map_or(Distribution::Hidden, |sum| Distribution::Sum(Sum { sum }))
            }
            Self::Hidden => Distribution::Hidden,
        }
    }

    fn errors(&self) -> Errors<'_> {
        match self {
            Self::Full(full) => Errors::Exact(Classes(&full.sums.errors)),
            Self::Covered(covered) => Errors::Noisy(covered),
            Self::Hidden => Errors::Hidden,
        }
    }
}

#[derive(serde::Serialize)]
struct WireWindow {
    start: u64,
    end: u64,
}

/// The part of the policy that each row contains.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub(crate) struct PolicyNote {
    name: &'static str,
    k: u64,
    #[serde(flatten)]
    rules: Rules,
}

#[derive(Clone, Copy, Debug, serde::Serialize)]
#[serde(untagged)]
enum Rules {
    Threshold { margin: u64, noise: u64 },
    DifferentialPrivacy(PrivacyNote),
}

/// The privacy budget of a session and day, the standard deviation of the noise of the session count, and the
/// threshold.
#[derive(Clone, Copy, Debug, serde::Serialize)]
struct PrivacyNote {
    epsilon: f64,
    delta: f64,
    sigma: f64,
    tau: u64,
}

impl From<&Policy> for PolicyNote {
    fn from(policy: &Policy) -> Self {
        let note = |privacy: &crate::Privacy| PrivacyNote {
            epsilon: privacy.epsilon(),
            delta: privacy.delta(),
            sigma: privacy.sigma().to_f64(),
            tau: privacy.tau(),
        };
        let rules = match policy.privacy() {
            Some(privacy) => Rules::DifferentialPrivacy(note(privacy)),
            None => Rules::Threshold { margin: policy.margin(), noise: policy.noise() },
        };
        Self { name: policy.name(), k: policy.k(), rules }
    }
}

impl<'a> From<&'a Rollup> for Wire<'a> {
    fn from(rollup: &'a Rollup) -> Self {
        let Rollup { head, row, cell_key, sessions, numbers } = rollup;
        let is_threshold = matches!(head.policy.rules, Rules::Threshold { .. });
        Self {
            schema: ROLLUP_SCHEMA,
            tenant: &head.tenant,
            window: WireWindow { start: head.window.start.as_millis(), end: head.window.end.as_millis() },
            breakdown: Names(&head.breakdown),
            detail: is_threshold.then_some(head.detail),
            dimensions: Values(&head.breakdown, cell_key),
            row: *row,
            rows: head.rows,
            coverage: head.coverage.filter(|coverage| coverage.partitions < coverage.of),
            sessions: *sessions,
            numbers: WireNumbers(numbers),
            policy: head.policy,
        }
    }
}

struct Names<'a>(&'a [Dimension]);

impl Serialize for Names<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.0.iter().map(|dimension| dimension.name()))
    }
}

struct Values<'a>(&'a [Dimension], &'a CellKey);

impl Serialize for Values<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(
            self.0.iter().map(|dimension| dimension.name()).zip(self.1.iter().map(|value| &**value)),
        )
    }
}

struct Classes<'a>(&'a [u64; ErrorClass::COUNT]);

impl Serialize for Classes<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        for (class, sessions) in
            ErrorClass::ALL.into_iter().zip(self.0).filter(|(_, sessions)| **sessions > 0)
        {
            map.serialize_entry(class.name(), sessions)?;
        }
        map.end()
    }
}
