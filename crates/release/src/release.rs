//! From the tables of one tenant and window to the rows that leave.

use std::sync::Arc;

use crowdfold_rollup::{Cell, Label, Table, Window};

use crate::covered::Covered;
use crate::fold::{Margin, Row, STAR, fold};
use crate::privacy::Place;
use crate::row::{Coverage, Head, Rollup};
use crate::{Policy, drilldown_name};

mod noisy;

#[cfg(test)]
mod tests;

/// What became of one tenant and window. Under `threshold` its sittings are all released or all withheld; where there
/// is noise each drill-down shows others, and the one that shows most is what is told here.
#[derive(Debug, Default)]
#[must_use]
pub struct Released {
    /// The rows: drill-down by drill-down in the policy's order, each in label order.
    pub rollups: Vec<Rollup>,
    /// Rows of each drill-down, in the policy's order.
    pub rows: Vec<u64>,
    /// Sittings that the rows of each drill-down stand for.
    pub sittings_released: u64,
    /// Beacons of those sittings.
    pub beacons_released: u64,
    /// Sittings that no row stands for.
    pub sittings_withheld: u64,
    /// Beacons of those sittings.
    pub beacons_withheld: u64,
    /// Why all was withheld although it may be a crowd: an internal fault, to be counted and alarmed.
    pub fault: Option<Fault>,
}

/// Why tables were not fit to be released. None of these can come from outside.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Another number of tables than drill-downs.
    #[error(
        "{tables} tables came for {drilldowns} drill-downs, so nothing of the window is released: report this as a bug"
    )]
    TableCount {
        /// Tables that came.
        tables: usize,
        /// Drill-downs there are.
        drilldowns: usize,
    },
    /// A label of another length than the drill-down, a value that is reserved, or a cell of no session.
    #[error(
        "a cell of drill-down {drilldown} is malformed, so nothing of the window is released: report this as a bug"
    )]
    Cell {
        /// Its name.
        drilldown: String,
    },
    /// Tables of the same sessions that do not add up to the same.
    #[error(
        "drill-down {drilldown} does not add up to what drill-down {first} does, so nothing of the window is released: \
         report this as a bug"
    )]
    Totals {
        /// Its name.
        drilldown: String,
        /// The name of the first.
        first: String,
    },
    /// Folding made rows that are no crowd, or lost sessions.
    #[error(
        "folding drill-down {drilldown} went wrong, so nothing of the window is released: report this as a bug"
    )]
    Folding {
        /// Its name.
        drilldown: String,
    },
    /// Noise without a key.
    #[error(
        "there is no secret to key the noise with, so nothing of the window is released: report this as a bug"
    )]
    NoSecret,
    /// Noise that was reckoned for windows of another length.
    #[error(
        "the window is not of the length that its noise was reckoned for, so nothing of it is released: report this as \
         a bug"
    )]
    WindowLength,
}

/// Releases what one tenant did in one window. `tables` hold the same sessions, one table for each drill-down of the
/// policy, in its order. A pure function of its arguments.
///
/// If the whole window is no crowd, nothing is released in any drill-down. If the tables are at fault, neither: see
/// [`Released::fault`].
pub fn release(
    tenant: &str,
    window: Window,
    tables: Vec<Table>,
    policy: &Policy,
    coverage: Option<Coverage>,
) -> Released {
    let total = tables.first().map(total).unwrap_or_default();
    let withheld = |fault| Released {
        rows: vec![0; policy.drilldowns().len()],
        sittings_withheld: total.sessions,
        beacons_withheld: total.sums.beacons,
        fault,
        ..Released::default()
    };
    if let Err(fault) = check_tables(&tables, &total, policy) {
        return withheld(Some(fault));
    }
    if let Some(privacy) = policy.privacy() {
        return noisy::release(tenant, window, tables, policy, privacy, coverage)
            .map_or_else(|fault| withheld(Some(fault)), |made| made.of(&total));
    }
    if !policy.is_crowd(&total) {
        return withheld(None);
    }
    let mut released = Released {
        sittings_released: total.sessions,
        beacons_released: total.sums.beacons,
        ..Released::default()
    };
    let margin = Margin { k: policy.k(), least: policy.margin() };
    let fingerprint = policy.fingerprint();
    for (index, (table, drilldown)) in tables.into_iter().zip(policy.drilldowns()).enumerate() {
        let name = drilldown_name(drilldown);
        let rows = fold(table, margin, |cell| policy.is_crowd(cell));
        if !is_partition_into_crowds(&rows, &total, policy) {
            return withheld(Some(Fault::Folding { drilldown: name }));
        }
        let head = Arc::new(Head {
            tenant: tenant.into(),
            window,
            drilldown: drilldown.as_slice().into(),
            rows: rows.len(),
            coverage,
            policy: policy.into(),
            detail: Some(index) == policy.detail(),
        });
        released.rows.push(rows.len() as u64);
        let place = Place { policy: fingerprint, tenant, window, drilldown: &name };
        let rollup = |(row, number): (Row, usize)| {
            if head.detail {
                return Rollup::new(&head, number, row);
            }
            let covered = Covered::draw(policy, &place, &row.label, &row.cell);
            Rollup::of_covered(&head, number, row.label, row.cell.sessions, covered)
        };
        released.rollups.extend(rows.into_iter().zip(1..).map(rollup));
    }
    released
}

/// What all tables of a tenant and window must agree on: sessions, networks and sums, without distributions.
fn total(table: &Table) -> Cell {
    summed(table.values())
}

fn summed<'a>(cells: impl Iterator<Item = &'a Cell>) -> Cell {
    let mut total = Cell::default();
    for cell in cells {
        total.sessions = total.sessions.saturating_add(cell.sessions);
        total.networks |= cell.networks;
        total.sums.add(&cell.sums);
        total.bounded.add(&cell.bounded);
    }
    total
}

fn check_tables(tables: &[Table], first: &Cell, policy: &Policy) -> Result<(), Fault> {
    let drilldowns = policy.drilldowns();
    if tables.len() != drilldowns.len() {
        return Err(Fault::TableCount { tables: tables.len(), drilldowns: drilldowns.len() });
    }
    for (table, drilldown) in tables.iter().zip(drilldowns) {
        let well_formed = |(label, cell): (&Label, &Cell)| {
            label.len() == drilldown.len() && cell.sessions > 0 && label.iter().all(|value| **value != *STAR)
        };
        if !table.iter().all(well_formed) {
            return Err(Fault::Cell { drilldown: drilldown_name(drilldown) });
        }
        if total(table) != *first {
            let first = drilldown_name(&drilldowns[0]);
            return Err(Fault::Totals { drilldown: drilldown_name(drilldown), first });
        }
    }
    Ok(())
}

/// The last look at what is about to leave: every row a crowd, and together all there is.
fn is_partition_into_crowds(rows: &[Row], total: &Cell, policy: &Policy) -> bool {
    rows.iter().all(|row| policy.is_crowd(&row.cell)) && summed(rows.iter().map(|row| &row.cell)) == *total
}
