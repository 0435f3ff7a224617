//! Statistics of the published rows that the demo has read from the rollups topic.

use std::collections::{BTreeMap, BTreeSet};

use crowdfold_model::{Dimension, Timestamp};
use crowdfold_query::Row;
use crowdfold_release::breakdown_name;
use crowdfold_worker::Config;

#[cfg(test)]
mod tests;

/// The maximum number of windows whose incomplete tables are kept. Rows for tables of older windows are not expected.
const WINDOWS: usize = 8;

/// Returns the names of the breakdowns, such as `device.os.browser`, in the order of display. The breakdown with the
/// dimension `os` is first, because readers know its values best. The detail table is second, because it has exact
/// numbers.
pub(super) fn order(config: &Config) -> Vec<String> {
    let policy = config.policy();
    let mut breakdowns: Vec<_> = policy.breakdowns().iter().enumerate().collect();
    breakdowns
        .sort_by_key(|(at, breakdown)| (!breakdown.contains(&Dimension::Os), policy.detail() != Some(*at)));
    breakdowns.iter().map(|(_, breakdown)| breakdown_name(breakdown)).collect()
}

/// All rows of one tenant, breakdown and window.
pub(super) struct Table {
    /// The name of the tenant.
    pub(super) tenant: String,
    /// The dimensions of the breakdown.
    pub(super) breakdown: Vec<String>,
    /// The rows, by descending number of sessions.
    pub(super) rows: Vec<Row>,
}

impl Table {
    pub(super) fn sessions(&self) -> u64 {
        self.rows.iter().map(|row| row.sessions).sum()
    }
}

/// Statistics of the rows published so far.
pub(super) struct Stats {
    /// The names of the breakdowns, in the order of display.
    breakdowns: Vec<String>,
    /// The rows of incomplete tables, by start of the window, tenant and name of the breakdown.
    unfinished: BTreeMap<(Timestamp, String, String), Vec<Row>>,
    /// The last complete table of each tenant and breakdown. The number in the key is the index in `breakdowns`.
    tables: BTreeMap<(String, usize), Table>,
    /// The number of published tables of the first breakdown. It equals the number of windows with rows, over all
    /// tenants.
    pub(super) windows: u64,
    /// The number of rows, over all breakdowns.
    pub(super) rows: u64,
    /// The number of beacons in the rows of the detail table, or `None` if no row contains a number of beacons.
    pub(super) beacons: Option<u64>,
    /// The session count of the smallest row, or `None` if there is no row yet.
    pub(super) smallest: Option<u64>,
    /// The number of session-windows in the rows of the first breakdown.
    pub(super) sessions: u64,
    /// The number of session-windows in rows of the first breakdown that contain `*`.
    pub(super) folded: u64,
    /// The real time at which the first table was complete.
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
            beacons: None,
            smallest: None,
            sessions: 0,
            folded: 0,
            first: None,
        }
    }

    /// Adds the value of a record. Returns false if the value is not a rollup of a known breakdown.
    pub(super) fn push(&mut self, value: &[u8], now: Timestamp) -> bool {
        let Ok(row) = serde_json::from_slice::<Row>(value) else { return false };
        let name = row.breakdown_name();
        let Some(shown) = self.breakdowns.iter().position(|known| *known == name) else { return false };
        self.rows += 1;
        self.smallest = Some(self.smallest.map_or(row.sessions, |least| least.min(row.sessions)));
        // Only the rows of the detail table contain a number of beacons, so each beacon is counted once.
        if let Some(beacons) = row.beacons.and_then(|beacons| u64::try_from(beacons).ok()) {
            *self.beacons.get_or_insert(0) += beacons;
        }
        // The tables of all breakdowns contain the same sessions, so only sessions of the first breakdown are counted.
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
