//! Sums over the rows of one table.

use crowdfold_model::{BOUNDED_FIELDS, FIRST_ERROR, Span, ValueMetric};

use crate::entry::{BOUNDED, Entry, Kind, pointer};
use crate::numbers::{DEVIATIONS, LONGEST_WINDOW};

/// The form in which a table contains its numbers, except the session counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// The numbers are exact.
    Exact,
    /// The numbers have noise with this standard deviation, in multiples of the clamp of each field.
    Noisy(u64),
    /// The numbers are absent.
    Hidden,
}

/// The maximum rounding error of a sum in the detail table, as a fraction of the sum.
const ROUNDING: f64 = 0.06;

impl Shown {
    pub(crate) fn of(row: &Entry<'_>) -> Self {
        let exact = row.policy.kind == Kind::DifferentialPrivacy || row.detail != Some(false);
        match (exact, row.errors.is_some() || row.amounts[0].is_some()) {
            (true, _) => Self::Exact,
            (false, true) => Self::Noisy(row.policy.noise.unwrap_or_default()),
            (false, false) => Self::Hidden,
        }
    }
}

/// The sums over the rows of one table, and the source partitions that its rows cover.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Totals {
    pub(crate) shown: Shown,
    rows: u64,
    length: Span,
    sessions: u64,
    beacons: i64,
    amounts: [i64; BOUNDED],
    /// The number of sessions with a value, for each distribution.
    parts: [u64; ValueMetric::COUNT],
    coverage: Option<(u64, u64)>,
    /// True if the counts of all classes of errors are 0 or 1 in all rows.
    has_few_errors: bool,
}

impl Totals {
    pub(crate) fn of(row: &Entry<'_>) -> Self {
        Self {
            shown: Shown::of(row),
            rows: 0,
            length: row.length().min(LONGEST_WINDOW),
            sessions: 0,
            beacons: 0,
            amounts: [0; BOUNDED],
            parts: [0; ValueMetric::COUNT],
            coverage: row.coverage,
            has_few_errors: true,
        }
    }

    pub(crate) fn add(&mut self, row: &Entry<'_>) {
        self.rows += 1;
        self.sessions = self.sessions.saturating_add(row.sessions);
        self.beacons = self.beacons.saturating_add(row.beacons.unwrap_or_default());
        for (sum, amount) in self.amounts.iter_mut().zip(row.amounts) {
            *sum = sum.saturating_add(amount.unwrap_or_default());
        }
        for (sum, summary) in self.parts.iter_mut().zip(&row.distributions) {
            *sum =
                sum.saturating_add(summary.as_ref().and_then(|summary| summary.sessions).unwrap_or_default());
        }
        let errors = FIRST_ERROR..FIRST_ERROR + 6;
        self.has_few_errors &= row.amounts[errors].iter().flatten().all(|amount| (0..=1).contains(amount));
    }

    /// Returns true if the table declares noise but almost certainly has no noise. If there is noise, the counts of all
    /// classes of errors in all rows are hardly ever 0 or 1.
    pub(crate) fn lacks_noise(&self) -> bool {
        /// The maximum probability that noise is reported as missing although it exists.
        const CHANCE: f64 = 1e-12;
        let Shown::Noisy(noise) = self.shown else { return false };
        // This is an upper bound for the probability that a count is 0 or 1 after noise with this standard deviation is
        // added.
        let likely = (2.0 / (noise as f64 * (2.0 * std::f64::consts::PI).sqrt())).min(1.0);
        self.has_few_errors && likely.powf(6.0 * self.rows as f64) < CHANCE
    }

    /// Compares the sums of two tables of one window. Returns the JSON pointer of the first field whose sums differ by
    /// more than the noise explains, or `None` if there is no such field.
    pub(crate) fn differing(&self, other: &Self) -> Option<String> {
        if self.sessions != other.sessions {
            return Some("/sessions".into());
        }
        let differs = |at: &usize| self.differs(other, *at);
        if let Some(at) = (0..BOUNDED).find(differs) {
            return Some(pointer(at));
        }
        if self.shown == Shown::Exact && other.shown == Shown::Exact {
            if self.beacons != other.beacons {
                return Some("/beacons".into());
            }
            let part = (0..ValueMetric::COUNT).find(|at| self.parts[*at] != other.parts[*at]);
            if let Some(part) = part {
                return Some(format!("/{}/sessions", ValueMetric::ALL[part].name()));
            }
        }
        (self.coverage != other.coverage).then(|| "/coverage".into())
    }

    fn differs(&self, other: &Self, at: usize) -> bool {
        // The sum of a distribution is computed from rounded values, so a small difference is accepted.
        let beyond = |noisy: i64, exact: i64, deviations: f64| {
            noisy as f64 - exact as f64 > deviations + ROUNDING * exact as f64
        };
        let deviations = |noise: u64, rows: u64| {
            DEVIATIONS * noise as f64 * BOUNDED_FIELDS[at].clamp(self.length) as f64 * (rows as f64).sqrt()
        };
        let (one, two) = (self.amounts[at], other.amounts[at]);
        match (self.shown, other.shown) {
            (Shown::Exact, Shown::Exact) => one != two,
            // Each session is in one row of each table, with the same clamps. So only noise explains a difference.
            (Shown::Noisy(first), Shown::Noisy(second)) => {
                one.abs_diff(two) as f64 > deviations(first, self.rows).hypot(deviations(second, other.rows))
            }
            // Clamps can only reduce a sum. So a sum with noise may be far below the exact sum, but can exceed it only
            // by the noise.
            (Shown::Noisy(noise), Shown::Exact) => beyond(one, two, deviations(noise, self.rows)),
            (Shown::Exact, Shown::Noisy(noise)) => beyond(two, one, deviations(noise, other.rows)),
            (Shown::Hidden, _) | (_, Shown::Hidden) => false,
        }
    }
}
