//! The state of the published windows: freshness, gaps, and the effect of folding.

use std::collections::{BTreeMap, BTreeSet};

use crowdfold_model::{Span, Timestamp, Window};
use serde::Serialize;

#[cfg(test)]
mod tests;

/// The most windows that a list of a report contains.
const LISTED: usize = 1_000;

/// The most windows before the newest one that are searched for gaps.
const SEARCHED: u64 = 1_000_000;

/// The facts of one published table that a report needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableFacts {
    /// Its tenant.
    pub tenant: String,
    /// Its breakdown: `os.browser`.
    pub breakdown: String,
    /// Its window.
    pub window: Window,
    /// The sessions of its rows.
    pub sessions: u64,
    /// The sessions of its rows with a folded value.
    pub folded: u64,
    /// The sessions of its smallest row.
    pub smallest: u64,
    /// The minimum number of sessions of a row, by its policy.
    pub k: Option<u64>,
    /// True if some partitions of the beacons, or some rows, are missing.
    pub is_incomplete: bool,
}

/// The state of the windows of one tenant.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WindowReport {
    /// The tenant.
    pub tenant: String,
    /// The length of its windows, ms.
    pub length_ms: u64,
    /// The end of its newest window, ms since the epoch.
    pub newest: u64,
    /// The windows with at least one table.
    pub published: u64,
    /// Starts of windows without some partitions of the beacons or some rows; at most 1,000 are listed.
    pub incomplete: Vec<u64>,
    /// Starts of windows in which no tenant has a table; at most 1,000 are listed.
    pub missing: Vec<u64>,
    /// Starts of windows in which other tenants have tables and this one has none, because it had fewer sessions than
    /// the minimum; at most 1,000 are listed.
    pub withheld: Vec<u64>,
    /// Its tables.
    pub tables: Vec<BreakdownReport>,
}

/// The state of one breakdown of a tenant.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BreakdownReport {
    /// The breakdown: `os.browser`.
    pub breakdown: String,
    /// The windows in which it was published.
    pub windows: u64,
    /// The minimum number of sessions of a row, by the newest policy.
    pub k: Option<u64>,
    /// The sessions of the smallest row of all windows.
    pub smallest_row: u64,
    /// The part of the sessions that is in rows with a folded value.
    pub folded_share: f64,
}

#[derive(Default)]
struct Tenant {
    lengths: BTreeMap<Span, u64>,
    starts: BTreeSet<Timestamp>,
    incomplete: BTreeSet<Timestamp>,
    newest: Timestamp,
    tables: BTreeMap<String, TableSums>,
}

#[derive(Default)]
struct TableSums {
    windows: u64,
    sessions: u64,
    folded: u64,
    smallest: Option<u64>,
    newest: Timestamp,
    k: Option<u64>,
}

impl WindowReport {
    /// Computes the report of each tenant. A gap is a window between the first and the newest window of all tenants.
    #[must_use]
    pub fn of(tables: impl IntoIterator<Item = TableFacts>) -> Vec<Self> {
        let mut tenants: BTreeMap<String, Tenant> = BTreeMap::new();
        for facts in tables {
            tenants.entry(facts.tenant.clone()).or_default().add(facts);
        }
        let published: BTreeSet<Timestamp> =
            tenants.values().flat_map(|tenant| tenant.starts.iter().copied()).collect();
        tenants.into_iter().map(|(name, tenant)| tenant.report(name, &published)).collect()
    }
}

impl Tenant {
    fn add(&mut self, facts: TableFacts) {
        *self.lengths.entry(facts.window.length()).or_default() += 1;
        self.starts.insert(facts.window.start);
        self.newest = self.newest.max(facts.window.end);
        if facts.is_incomplete {
            self.incomplete.insert(facts.window.start);
        }
        let table = self.tables.entry(facts.breakdown).or_default();
        table.windows += 1;
        table.sessions = table.sessions.saturating_add(facts.sessions);
        table.folded = table.folded.saturating_add(facts.folded);
        table.smallest = Some(table.smallest.map_or(facts.smallest, |smallest| smallest.min(facts.smallest)));
        if facts.window.end >= table.newest {
            (table.newest, table.k) = (facts.window.end, facts.k);
        }
    }

    fn report(self, tenant: String, published: &BTreeSet<Timestamp>) -> WindowReport {
        let common = self.lengths.iter().max_by_key(|(_, tables)| **tables);
        let length = common.map_or(Span::MINUTE, |(length, _)| *length);
        let (mut missing, mut withheld) = (Vec::new(), Vec::new());
        let last = published.last().copied().unwrap_or_default();
        let first = published.first().copied().unwrap_or_default();
        let searched = Span::from_millis(length.as_millis().saturating_mul(SEARCHED));
        let mut start = first.max(last.saturating_sub(searched).ceil(length));
        while start < last && !length.is_zero() {
            if !self.starts.contains(&start) {
                let gaps = if published.contains(&start) { &mut withheld } else { &mut missing };
                gaps.push(start.as_millis());
            }
            start = start.saturating_add(length);
        }
        let table = |(breakdown, table): (String, TableSums)| BreakdownReport {
            breakdown,
            windows: table.windows,
            k: table.k,
            smallest_row: table.smallest.unwrap_or_default(),
            folded_share: if table.sessions == 0 { 0.0 } else { table.folded as f64 / table.sessions as f64 },
        };
        WindowReport {
            tenant,
            length_ms: length.as_millis(),
            newest: self.newest.as_millis(),
            published: self.starts.len() as u64,
            incomplete: newest(self.incomplete.iter().map(|start| start.as_millis()).collect()),
            missing: newest(missing),
            withheld: newest(withheld),
            tables: self.tables.into_iter().map(table).collect(),
        }
    }
}

/// Shortens a list to its newest entries.
fn newest(mut starts: Vec<u64>) -> Vec<u64> {
    starts.drain(..starts.len().saturating_sub(LISTED));
    starts
}
