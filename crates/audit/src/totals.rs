//! Sums over the rows of one table.

use crowdfold_model::{BOUNDED_FIELDS, FIRST_ERROR, Span, ValueMetric};

use crate::entry::{BOUNDED, Entry, Kind, pointer};
use crate::numbers::{DEVIATIONS, LONGEST_WINDOW};

/// The form of a table's numbers except the sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// Exact.
    Exact,
    /// With noise of this many clamps.
    Noisy(u64),
    /// Absent.
    Hidden,
}

/// The largest rounding error of an exact sum, as a fraction of it.
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

/// Sums over rows, and the source partitions they cover.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Totals {
    pub(crate) shown: Shown,
    rows: u64,
    length: Span,
    sessions: u64,
    beacons: i64,
    amounts: [i64; BOUNDED],
    /// The sessions with a value in each distribution.
    parts: [u64; ValueMetric::COUNT],
    coverage: Option<(u64, u64)>,
    /// True if every class of errors of every row is 0 or 1.
    quiet: bool,
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
            quiet: true,
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
        self.quiet &= row.amounts[errors].iter().flatten().all(|amount| (0..=1).contains(amount));
    }

    /// Returns true if declared noise is missing: rare classes of errors almost everywhere, but never below 0.
    pub(crate) fn lacks_noise(&self) -> bool {
        /// The probability that an audit reports existing noise as missing.
        const CHANCE: f64 = 1e-12;
        let Shown::Noisy(noise) = self.shown else { return false };
        // at most two values of a Gaussian with that deviation
        let likely = (2.0 / (noise as f64 * (2.0 * std::f64::consts::PI).sqrt())).min(1.0);
        self.quiet && likely.powf(6.0 * self.rows as f64) < CHANCE
    }

    /// Returns the first field in which two tables of a window differ by more than their noise, as a JSON pointer.
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
        // values of distributions are rounded to two digits
        let beyond = |noisy: i64, exact: i64, deviations: f64| {
            noisy as f64 - exact as f64 > deviations + ROUNDING * exact as f64
        };
        let deviations = |noise: u64, rows: u64| {
            DEVIATIONS * noise as f64 * BOUNDED_FIELDS[at].clamp(self.length) as f64 * (rows as f64).sqrt()
        };
        let (one, two) = (self.amounts[at], other.amounts[at]);
        match (self.shown, other.shown) {
            (Shown::Exact, Shown::Exact) => one != two,
            // each session is in one row of each table, and is clamped in the same way
            (Shown::Noisy(first), Shown::Noisy(second)) => {
                one.abs_diff(two) as f64 > deviations(first, self.rows).hypot(deviations(second, other.rows))
            }
            // clamps only reduce sums
            (Shown::Noisy(noise), Shown::Exact) => beyond(one, two, deviations(noise, self.rows)),
            (Shown::Exact, Shown::Noisy(noise)) => beyond(two, one, deviations(noise, other.rows)),
            (Shown::Hidden, _) | (_, Shown::Hidden) => false,
        }
    }
}
