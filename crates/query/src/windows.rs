//! Reports on published windows: their age, missing windows, and the share of folded sessions.

use std::collections::{BTreeMap, BTreeSet};

use crowdfold_model::{Span, Timestamp, Window};
use serde::Serialize;

#[cfg(test)]
mod tests;

/// The maximum number of windows in each list of a report.
const LISTED: usize = 1_000;

/// The maximum number of windows before the newest window in which gaps are searched.
const SEARCHED: u64 = 1_000_000;

/// The facts about one published table that a report needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableFacts {
    /// The name of the tenant.
    pub tenant: String,
    /// The name of the breakdown, such as `os.browser`.
    pub breakdown: String,
    /// The window that the table covers.
    pub window: Window,
    /// The number of sessions in all rows.
    pub sessions: u64,
    /// The number of sessions in rows with a folded value.
    pub folded: u64,
    /// The number of sessions in the smallest row.
    pub smallest: u64,
    /// The minimum number of sessions in a row, as the policy declares it.
    pub k: Option<u64>,
    /// True if some partitions or some rows are missing.
    pub is_incomplete: bool,
}

/// A report on the windows of one tenant.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WindowReport {
    /// The name of the tenant.
    pub tenant: String,
    /// The length of the windows in milliseconds. If windows have different lengths, this is the most frequent length.
    pub length_ms: u64,
    /// The end of the newest window, in milliseconds since the epoch.
    pub newest: u64,
    /// The number of windows with at least one table.
    pub published: u64,
    /// The starts of the windows in which some partitions or some rows are missing, in milliseconds since the epoch.
    /// The list contains the newest 1,000.
    pub incomplete: Vec<u64>,
    /// The starts of the windows in which no tenant has a table, in milliseconds since the epoch. The list contains
    /// the newest 1,000.
    pub missing: Vec<u64>,
    /// The starts of the windows in which this tenant has no table, but another tenant has a table, in milliseconds
    /// since the epoch. In such a window, this tenant had too few sessions for a row. The list contains the newest
    /// 1,000.
    pub withheld: Vec<u64>,
    /// A report on each breakdown of the tenant.
    pub tables: Vec<BreakdownReport>,
}

/// A report on one breakdown of a tenant.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BreakdownReport {
    /// The name of the breakdown, such as `os.browser`.
    pub breakdown: String,
    /// The number of windows in which the table was published.
    pub windows: u64,
    /// The minimum number of sessions in a row, as the newest policy declares it.
    pub k: Option<u64>,
    /// The number of sessions in the smallest row of all windows.
    pub smallest_row: u64,
    /// The share of the sessions that are in rows with a folded value.
    pub folded_share: f64,
}

#[derive(Debug, Default)]
struct Tenant {
    lengths: BTreeMap<Span, u64>,
    starts: BTreeSet<Timestamp>,
    incomplete: BTreeSet<Timestamp>,
    newest: Timestamp,
    tables: BTreeMap<String, TableSums>,
}

#[derive(Debug, Default)]
struct TableSums {
    windows: u64,
    sessions: u64,
    folded: u64,
    smallest: Option<u64>,
    newest: Timestamp,
    k: Option<u64>,
}

/// The reports on the windows of several tenants, to which tables are added one after the other.
#[derive(Debug, Default)]
pub struct WindowReports {
    tenants: BTreeMap<String, Tenant>,
}

impl WindowReports {
    /// Adds a table to the report on its tenant.
    pub fn add(&mut self, facts: &TableFacts) {
        if !self.tenants.contains_key(&facts.tenant) {
            self.tenants.insert(facts.tenant.clone(), Tenant::default());
        }
        if let Some(tenant) = self.tenants.get_mut(&facts.tenant) {
            tenant.add(facts);
        }
    }

    /// Returns the report on each tenant. `published` contains the starts of the windows of all tenants, including
    /// tenants without a report. Gaps are searched between the first and the last of these windows.
    #[must_use]
    pub fn finish(self, published: &BTreeSet<Timestamp>) -> Vec<WindowReport> {
        self.tenants.into_iter().map(|(name, tenant)| tenant.report(name, published)).collect()
    }
}

impl Tenant {
    fn add(&mut self, facts: &TableFacts) {
        *self.lengths.entry(facts.window.length()).or_default() += 1;
        self.starts.insert(facts.window.start);
        self.newest = self.newest.max(facts.window.end);
        if facts.is_incomplete {
            self.incomplete.insert(facts.window.start);
        }
        if !self.tables.contains_key(&facts.breakdown) {
            self.tables.insert(facts.breakdown.clone(), TableSums::default());
        }
        let Some(table) = self.tables.get_mut(&facts.breakdown) else { return };
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

/// Removes all entries of a list except the newest [`LISTED`].
fn newest(mut starts: Vec<u64>) -> Vec<u64> {
    starts.drain(..starts.len().saturating_sub(LISTED));
    starts
}
