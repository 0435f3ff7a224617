//! The activity of the players, added up: exact cells, before folding, clamps and noise.

mod session_summary;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::{Serialize, Serializer};

use crate::profile::CONSTANT;
use crate::{ConfigError, Outcome, Report};
use session_summary::SessionSummary;

/// Adds up what the players did. See the crate's page for what it is good for.
pub struct Truth {
    window_ms: u64,
    breakdowns: Vec<Vec<String>>,
    /// Those of tenants that have others.
    own: BTreeMap<String, Vec<Vec<String>>>,
    /// By window, by session.
    windows: BTreeMap<u64, HashMap<u64, SessionSummary>>,
    latest_ms: u64,
    ledger: Ledger,
}

/// The session summaries of one combination of dimension values, before folding. Times in ms, rates in kbit/s.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names of the rollup's fields")]
pub struct Cell {
    pub tenant: String,
    pub window: Window,
    pub breakdown: Vec<String>,
    /// Name and value, in the order of the breakdown.
    #[serde(serialize_with = "as_object")]
    pub dimensions: Vec<(String, String)>,
    pub sessions: u64,
    pub beacons: u64,
    pub attempts: u64,
    pub plays: u64,
    pub startup_failures: u64,
    pub playback_failures: u64,
    pub playing_ms: u64,
    pub stalled_ms: u64,
    pub stalls: u64,
    pub dropped_frames: u64,
    pub switches: u64,
    /// Session summaries with an error of the class.
    pub errors: BTreeMap<&'static str, u64>,
    /// Ascending, each value with its number of sessions.
    pub startup_ms: Vec<(u64, u64)>,
    /// Ascending, each value with its number of sessions.
    pub bandwidth_kbps: Vec<(u64, u64)>,
    /// Ascending, each value with its number of sessions.
    pub bitrate_kbps: Vec<(u64, u64)>,
}

/// A half-open span of event time, ms since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "said above")]
pub struct Window {
    pub start: u64,
    pub end: u64,
}

/// What became of every record that was sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names of the worker's ledger")]
pub struct Ledger {
    pub read: u64,
    /// Released or withheld, as k will have it.
    pub placed: u64,
    pub late: u64,
    pub duplicate: u64,
    pub opted_out: u64,
    pub malformed: u64,
    pub no_session: u64,
    pub no_time: u64,
}

impl Truth {
    /// Nothing yet, for windows of that length (ms) and those breakdowns.
    ///
    /// # Errors
    /// If a window has no length, or a breakdown a dimension that the players do not report.
    pub fn new<S: AsRef<str>>(window_ms: u64, breakdowns: &[impl AsRef<[S]>]) -> Result<Self, ConfigError> {
        if window_ms == 0 {
            return Err(ConfigError::Window);
        }
        let breakdowns = known(breakdowns)?;
        let (windows, own, ledger) = (BTreeMap::new(), BTreeMap::new(), Ledger::default());
        Ok(Self { window_ms, breakdowns, own, windows, latest_ms: 0, ledger })
    }

    /// The same with other breakdowns for one tenant.
    ///
    /// # Errors
    /// If one of them has a dimension that the players do not report.
    pub fn with_own<S: AsRef<str>>(
        mut self,
        tenant: &str,
        breakdowns: &[impl AsRef<[S]>],
    ) -> Result<Self, ConfigError> {
        self.own.insert(tenant.into(), known(breakdowns)?);
        Ok(self)
    }

    /// Takes note of what was sent. Every report, in order.
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
        let Some(who) = report.who.as_ref().filter(|_| report.outcome == Outcome::Placed) else {
            return;
        };
        let window = report.deed.ts / self.window_ms * self.window_ms;
        let summaries = self.windows.entry(window).or_default();
        summaries.entry(who.number).or_insert_with(|| SessionSummary::of(Arc::clone(who))).add(&report.deed);
    }

    /// The cells of the windows that are over by now, in their order; each window once.
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

    /// What became of the records so far.
    #[must_use]
    pub const fn ledger(&self) -> Ledger {
        self.ledger
    }

    /// The cells of all windows that [`Truth::complete`] has not given, and what became of the records.
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
                let cell_key =
                    breakdown.iter().map(|name| summary.value(name).unwrap_or("unknown")).collect();
                table.entry((summary.tenant(), at, cell_key)).or_default().push(summary);
            }
        }
        for ((tenant, at, cell_key), summaries) in table {
            let breakdown = self.breakdowns_of(&tenant)[at].clone();
            let dimensions = breakdown.iter().cloned().zip(cell_key.into_iter().map(Into::into)).collect();
            cells.push(session_summary::sum(&summaries, tenant.to_string(), window, breakdown, dimensions));
        }
    }
}

/// Names of dimensions that players report.
fn known<S: AsRef<str>>(breakdowns: &[impl AsRef<[S]>]) -> Result<Vec<Vec<String>>, ConfigError> {
    let owned = |breakdown: &[S]| breakdown.iter().map(|name| name.as_ref().to_string()).collect();
    let breakdowns: Vec<Vec<String>> = breakdowns.iter().map(|breakdown| owned(breakdown.as_ref())).collect();
    // Nobody reports a region, which is as good as any other value.
    let known = |name: &str| CONSTANT.contains(&name) || matches!(name, "cdn" | "quality" | "region");
    match breakdowns.iter().flatten().find(|name| !known(name)) {
        Some(name) => Err(ConfigError::Dimension(name.clone())),
        None => Ok(breakdowns),
    }
}

fn as_object<S: Serializer>(pairs: &[(String, String)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().map(|(name, value)| (name, value)))
}
