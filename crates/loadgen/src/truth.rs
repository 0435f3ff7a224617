//! Adds up the activity of the players. The results are the exact cells before folding, clamping and noise.

mod session_summary;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crowdfold_model::{Bounded, Budget, Dimension, Qualities, SumMetric, ValueMetric};
use serde::ser::{Serialize, SerializeMap as _, Serializer};

use crate::{Custom, LoadgenError, Outcome, Report};
use session_summary::SessionSummary;

/// A collector of exact cells. The documentation of the crate describes its use.
pub struct Truth {
    window_ms: u64,
    breakdowns: Vec<Vec<String>>,
    /// The names of custom dimensions.
    custom: Vec<String>,
    qualities: Qualities,
    budget: Option<Budget>,
    /// The breakdowns of tenants that have their own breakdowns, by tenant.
    own: BTreeMap<String, Vec<Vec<String>>>,
    /// The session summaries, by start of the window and number of the session.
    windows: BTreeMap<u64, HashMap<u64, SessionSummary>>,
    latest_ms: u64,
    ledger: Ledger,
}

/// The sums over all sessions with one combination of dimension values in one window. Its JSON has the fields of a row,
/// except that distributions contain all values.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the rollup's fields")]
pub struct Cell {
    pub tenant: String,
    pub window: Window,
    pub breakdown: Vec<String>,
    /// The names and values of the dimensions, in the order of the breakdown.
    pub dimensions: Vec<(String, String)>,
    pub sessions: u64,
    pub beacons: u64,
    /// The sum of each metric, in the order of [`SumMetric::ALL`].
    pub sums: [u64; SumMetric::COUNT],
    /// The number of sessions with an error, by class of the error.
    pub errors: BTreeMap<&'static str, u64>,
    /// The values of each metric in ascending order, each with its number of sessions. Metrics are in the order of
    /// [`ValueMetric::ALL`].
    pub values: [Vec<(u64, u64)>; ValueMetric::COUNT],
    /// The sums of what the sessions add to a row of a table other than the detail table. Empty unless
    /// [`Truth::with_budget`] was called.
    pub bounded: Bounded,
}

impl Cell {
    /// Returns the sum of a metric over the sessions of the cell.
    #[must_use]
    pub const fn sum(&self, metric: SumMetric) -> u64 {
        self.sums[metric as usize]
    }

    /// Returns the values of a metric in ascending order, each with its number of sessions.
    #[must_use]
    pub fn values(&self, metric: ValueMetric) -> &[(u64, u64)] {
        &self.values[metric as usize]
    }
}

impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("tenant", &self.tenant)?;
        map.serialize_entry("window", &self.window)?;
        map.serialize_entry("breakdown", &self.breakdown)?;
        map.serialize_entry("dimensions", &AsObject(&self.dimensions))?;
        map.serialize_entry("sessions", &self.sessions)?;
        map.serialize_entry("beacons", &self.beacons)?;
        for metric in SumMetric::ALL {
            map.serialize_entry(metric.name(), &self.sum(metric))?;
        }
        map.serialize_entry("errors", &self.errors)?;
        for metric in ValueMetric::ALL {
            map.serialize_entry(metric.name(), self.values(metric))?;
        }
        map.end()
    }
}

/// A half-open interval of event time. Start and end are in milliseconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[expect(missing_docs, reason = "the comment on the type describes both fields")]
pub struct Window {
    pub start: u64,
    pub end: u64,
}

/// The number of sent records, by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[expect(missing_docs, reason = "the names are those of the worker's ledger")]
pub struct Ledger {
    pub read: u64,
    /// The number of beacons that the worker counts. Depending on k, it releases or withholds them.
    pub placed: u64,
    pub late: u64,
    pub duplicate: u64,
    pub opted_out: u64,
    pub malformed: u64,
    pub no_session: u64,
    pub no_time: u64,
}

impl Truth {
    /// Creates a collector without cells, for a window length in milliseconds and breakdowns.
    ///
    /// # Errors
    /// Returns an error if the window length is 0, or if a breakdown contains a dimension that players do not report.
    pub fn new<S: AsRef<str>>(window_ms: u64, breakdowns: &[impl AsRef<[S]>]) -> Result<Self, LoadgenError> {
        Self::with_custom(window_ms, breakdowns, &[])
    }

    /// Creates a collector without cells like [`Self::new`], for players with these custom dimensions.
    ///
    /// # Errors
    /// Returns an error if the window length is 0, or if a breakdown contains a dimension that the players do not
    /// report.
    pub fn with_custom<S: AsRef<str>>(
        window_ms: u64,
        breakdowns: &[impl AsRef<[S]>],
        custom: &[Custom],
    ) -> Result<Self, LoadgenError> {
        if window_ms == 0 {
            return Err(LoadgenError::Window);
        }
        let custom: Vec<String> = custom.iter().map(|custom| custom.name.clone()).collect();
        let breakdowns = known(breakdowns, &custom)?;
        let (windows, own, ledger) = (BTreeMap::new(), BTreeMap::new(), Ledger::default());
        Ok(Self {
            window_ms,
            breakdowns,
            custom,
            qualities: Qualities::default(),
            budget: None,
            own,
            windows,
            latest_ms: 0,
            ledger,
        })
    }

    /// Replaces the breakdowns of one tenant.
    ///
    /// # Errors
    /// Returns an error if a breakdown contains a dimension that players do not report.
    pub fn with_own<S: AsRef<str>>(
        mut self,
        tenant: &str,
        breakdowns: &[impl AsRef<[S]>],
    ) -> Result<Self, LoadgenError> {
        self.own.insert(tenant.into(), known(breakdowns, &self.custom)?);
        Ok(self)
    }

    /// Sets the thresholds of good sessions.
    #[must_use]
    pub fn with_qualities(self, qualities: Qualities) -> Self {
        Self { qualities, ..self }
    }

    /// Sets the budget of one session, with which [`Cell::bounded`] is computed.
    #[must_use]
    pub fn with_budget(self, budget: Budget) -> Self {
        Self { budget: Some(budget), ..self }
    }

    /// Adds a sent record. The caller must add all reports, in the order of sending.
    pub fn watch(&mut self, report: &Report) {
        self.latest_ms = self.latest_ms.max(report.sent_ms);
        self.ledger.read += 1;
        let count = match report.outcome {
            Outcome::Placed => &mut self.ledger.placed,
            Outcome::Duplicate => &mut self.ledger.duplicate,
            Outcome::Late => &mut self.ledger.late,
            Outcome::OptedOut => &mut self.ledger.opted_out,
            Outcome::Malformed => &mut self.ledger.malformed,
            Outcome::NoSession => &mut self.ledger.no_session,
            Outcome::NoTime => &mut self.ledger.no_time,
        };
        *count += 1;
        let Some(profile) = report.profile.as_ref().filter(|_| report.outcome == Outcome::Placed) else {
            return;
        };
        let window = report.activity.ts / self.window_ms * self.window_ms;
        let summaries = self.windows.entry(window).or_default();
        summaries
            .entry(profile.number)
            .or_insert_with(|| SessionSummary::of(Arc::clone(profile)))
            .add(&report.activity);
    }

    /// Returns, in order, the cells of the windows that ended since the previous call. Each cell is returned only once.
    pub fn complete(&mut self) -> Vec<Cell> {
        let mut cells = Vec::new();
        while let Some(window) = self.windows.first_entry() {
            if window.key() + self.window_ms > self.latest_ms {
                break;
            }
            let (start, summaries) = window.remove_entry();
            self.tabulate(start, &summaries, &mut cells);
        }
        cells
    }

    /// Returns the number of records so far, by outcome.
    #[must_use]
    pub const fn ledger(&self) -> Ledger {
        self.ledger
    }

    /// Returns the cells of all windows that [`Truth::complete`] has not returned, and the number of records by
    /// outcome.
    #[must_use]
    pub fn finish(mut self) -> (Vec<Cell>, Ledger) {
        let mut cells = Vec::new();
        for (start, summaries) in std::mem::take(&mut self.windows) {
            self.tabulate(start, &summaries, &mut cells);
        }
        (cells, self.ledger)
    }

    fn breakdowns_of(&self, tenant: &str) -> &[Vec<String>] {
        self.own.get(tenant).unwrap_or(&self.breakdowns)
    }

    fn tabulate(&self, start: u64, summaries: &HashMap<u64, SessionSummary>, cells: &mut Vec<Cell>) {
        let window = Window { start, end: start + self.window_ms };
        let mut table = BTreeMap::<(Arc<str>, usize, Vec<&str>), Vec<&SessionSummary>>::new();
        for summary in summaries.values() {
            for (at, breakdown) in self.breakdowns_of(&summary.tenant()).iter().enumerate() {
                let absent = |name: &str| Dimension::named(name).map_or("unknown", Dimension::absent);
                let cell_key = breakdown
                    .iter()
                    .map(|name| summary.value(name).unwrap_or_else(|| absent(name)))
                    .collect();
                table.entry((summary.tenant(), at, cell_key)).or_default().push(summary);
            }
        }
        for ((tenant, at, cell_key), summaries) in table {
            let breakdown = self.breakdowns_of(&tenant)[at].clone();
            let quality = self.qualities.of(&tenant);
            let dimensions = breakdown.iter().cloned().zip(cell_key.into_iter().map(Into::into)).collect();
            cells.push(session_summary::sum(
                &summaries,
                &quality,
                self.budget.as_ref(),
                tenant.to_string(),
                window,
                breakdown,
                dimensions,
            ));
        }
    }
}

/// Checks that the values of these dimensions are known. If the players do not report a dimension, such as `region`, its
/// value is that of sessions without one. The network of an address comes from a database, so its value is not known.
fn known<S: AsRef<str>>(
    breakdowns: &[impl AsRef<[S]>],
    custom: &[String],
) -> Result<Vec<Vec<String>>, LoadgenError> {
    let owned = |breakdown: &[S]| breakdown.iter().map(|name| name.as_ref().to_string()).collect();
    let breakdowns: Vec<Vec<String>> = breakdowns.iter().map(|breakdown| owned(breakdown.as_ref())).collect();
    let known = |name: &String| match Dimension::named(name) {
        Some(dimension) => dimension != Dimension::Network,
        None => custom.contains(name),
    };
    match breakdowns.iter().flatten().find(|name| !known(name)) {
        Some(name) => Err(LoadgenError::Dimension(name.clone())),
        None => Ok(breakdowns),
    }
}

/// Pairs of names and values, which are serialized as one JSON object.
struct AsObject<'a>(&'a [(String, String)]);

impl Serialize for AsObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}
