//! Statistics of the rollups topic: the published rows and their sums.

use std::collections::{BTreeMap, BTreeSet};

use crowdfold_model::{Dimension, Timestamp};
use crowdfold_query::Row;
use crowdfold_release::breakdown_name;
use crowdfold_worker::Config;

#[cfg(test)]
mod tests;

/// The number of windows with incomplete tables; older ones are complete, or will never be.
const WINDOWS: usize = 8;

/// Returns the breakdowns by name, `device.os.browser`, in the order of display: first the one with the systems, which
/// readers know best, then the detail table with exact numbers.
pub(super) fn order(config: &Config) -> Vec<String> {
    let policy = config.policy();
    let mut breakdowns: Vec<_> = policy.breakdowns().iter().enumerate().collect();
    breakdowns
        .sort_by_key(|(at, breakdown)| (!breakdown.contains(&Dimension::Os), policy.detail() != Some(*at)));
    breakdowns.iter().map(|(_, breakdown)| breakdown_name(breakdown)).collect()
}

/// All rows of one breakdown and window, ordered by sessions, the most first.
pub(super) struct Table {
    /// The tenant.
    pub(super) tenant: String,
    /// The breakdown.
    pub(super) breakdown: Vec<String>,
    /// The rows in that order.
    pub(super) rows: Vec<Row>,
}

impl Table {
    pub(super) fn sessions(&self) -> u64 {
        self.rows.iter().map(|row| row.sessions).sum()
    }
}

/// Statistics of the rows published so far.
pub(super) struct Stats {
    /// The breakdowns by name, in the order of display.
    breakdowns: Vec<String>,
    /// Incomplete tables by start of window, tenant, breakdown.
    unfinished: BTreeMap<(Timestamp, String, String), Vec<Row>>,
    /// The last complete table of each tenant and breakdown.
    tables: BTreeMap<(String, usize), Table>,
    /// The number of windows of tenants with released rows.
    pub(super) windows: u64,
    /// The number of rows of all breakdowns.
    pub(super) rows: u64,
    /// The smallest number of sessions of a row.
    pub(super) smallest: Option<u64>,
    /// The number of sessions, counted in each window.
    pub(super) sessions: u64,
    /// The number of those sessions in folded rows.
    pub(super) folded: u64,
    /// The time at which the first table was complete.
    pub(super) first: Option<Timestamp>,
}

impl Stats {
    /// Creates statistics for the configured breakdowns.
    pub(super) fn new(config: &Config) -> Self {
        Self {
            breakdowns: order(config),
            unfinished: BTreeMap::new(),
            tables: BTreeMap::new(),
            windows: 0,
            rows: 0,
            smallest: None,
            sessions: 0,
            folded: 0,
            first: None,
        }
    }

    /// Adds a record's value. Returns true if it is a rollup.
    pub(super) fn push(&mut self, value: &[u8], now: Timestamp) -> bool {
        let Ok(row) = serde_json::from_slice::<Row>(value) else { return false };
        let name = row.breakdown_name();
        let Some(shown) = self.breakdowns.iter().position(|known| *known == name) else { return false };
        self.rows += 1;
        self.smallest = Some(self.smallest.map_or(row.sessions, |least| least.min(row.sessions)));
        // sessions are counted in one table only
        if shown == 0 {
            self.sessions += row.sessions;
            if row.dimensions.values().any(|value| value == "*") {
                self.folded += row.sessions;
            }
        }
        let key = (row.window.start, row.tenant.clone(), name);
        let rows = self.unfinished.entry(key.clone()).or_default();
        let whole = row.rows;
        rows.push(row);
        if rows.len() as u64 == whole {
            let rows = self.unfinished.remove(&key).unwrap_or_default();
            self.finish(key.1, shown, rows, now);
        }
        let known: BTreeSet<Timestamp> = self.unfinished.keys().map(|(start, ..)| *start).collect();
        if let Some(oldest) = known.into_iter().rev().nth(WINDOWS) {
            self.unfinished.retain(|(start, ..), _| *start > oldest);
        }
        true
    }

    fn finish(&mut self, tenant: String, shown: usize, mut rows: Vec<Row>, now: Timestamp) {
        if shown == 0 {
            self.windows += 1;
        }
        self.first.get_or_insert(now);
        rows.sort_by(|a, b| b.sessions.cmp(&a.sessions).then(a.row.cmp(&b.row)));
        let Some(breakdown) = rows.first().map(|row| row.breakdown.clone()) else { return };
        self.tables.insert((tenant.clone(), shown), Table { tenant, breakdown, rows });
    }

    /// Returns the last complete table of each tenant and breakdown, in the order of display.
    pub(super) fn tables(&self) -> impl Iterator<Item = &Table> {
        self.tables.values()
    }
}
