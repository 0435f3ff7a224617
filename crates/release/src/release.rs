//! From the tables of one tenant and window to the rows that leave.

use std::sync::Arc;

use crowdfold_model::{Cell, CellKey, FOLDED, Table, Window};

use crate::covered::Covered;
use crate::fold::{Margin, Row, fold};
use crate::privacy::NoiseKey;
use crate::row::{Coverage, Head, Rollup};
use crate::{Policy, breakdown_name};

mod noisy;

#[cfg(test)]
mod tests;

/// The outcome of one tenant and window. Under `threshold` its session-windows are all released or all withheld; where
/// there is noise each breakdown shows others, and the one that shows most counts here.
#[derive(Debug, Default)]
#[must_use]
pub struct Released {
    /// The rows: breakdown by breakdown in the policy's order, each in the order of cell keys.
    pub rollups: Vec<Rollup>,
    /// Rows of each breakdown, in the policy's order.
    pub rows: Vec<u64>,
    /// Session-windows covered by the rows of each breakdown.
    pub session_windows_released: u64,
    /// Beacons of those session-windows.
    pub beacons_released: u64,
    /// Session-windows covered by no row.
    pub session_windows_withheld: u64,
    /// Beacons of those session-windows.
    pub beacons_withheld: u64,
    /// Why all was withheld although it may be a crowd: an internal fault, to be counted and alarmed.
    pub fault: Option<Fault>,
}

/// Why tables were not fit to be released. None of these can come from outside.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Another number of tables than breakdowns.
    #[error(
        "{tables} tables came for {breakdowns} breakdowns, so nothing of the window is released: report this as a bug"
    )]
    TableCount {
        /// Tables that came.
        tables: usize,
        /// Breakdowns there are.
        breakdowns: usize,
    },
    /// A cell key of another length than the breakdown, a value that is reserved, or a cell of no session.
    #[error(
        "a cell of breakdown {breakdown} is malformed, so nothing of the window is released: report this as a bug"
    )]
    Cell {
        /// Its name.
        breakdown: String,
    },
    /// Tables of the same sessions that do not add up to the same.
    #[error(
        "breakdown {breakdown} does not add up to what breakdown {first} does, so nothing of the window is released: \
         report this as a bug"
    )]
    Totals {
        /// Its name.
        breakdown: String,
        /// The name of the first.
        first: String,
    },
    /// Folding made rows that are no crowd, or lost sessions.
    #[error(
        "folding breakdown {breakdown} went wrong, so nothing of the window is released: report this as a bug"
    )]
    Folding {
        /// Its name.
        breakdown: String,
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

/// Releases what one tenant did in one window. `tables` hold the same sessions, one table for each breakdown of the
/// policy, in its order. A pure function of its arguments.
///
/// If the whole window is no crowd, nothing is released in any breakdown. If the tables are at fault, neither: see
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
        rows: vec![0; policy.breakdowns().len()],
        session_windows_withheld: total.sessions,
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
        session_windows_released: total.sessions,
        beacons_released: total.sums.beacons,
        ..Released::default()
    };
    let margin = Margin { k: policy.k(), least: policy.margin() };
    let fingerprint = policy.fingerprint();
    for (index, (table, breakdown)) in tables.into_iter().zip(policy.breakdowns()).enumerate() {
        let name = breakdown_name(breakdown);
        let rows = fold(table, margin, |cell| policy.is_crowd(cell));
        if !is_partition_into_crowds(&rows, &total, policy) {
            return withheld(Some(Fault::Folding { breakdown: name }));
        }
        let head = Arc::new(Head {
            tenant: tenant.into(),
            window,
            breakdown: breakdown.as_slice().into(),
            rows: rows.len(),
            coverage,
            policy: policy.into(),
            detail: Some(index) == policy.detail(),
        });
        released.rows.push(rows.len() as u64);
        let noise_key = NoiseKey { policy: fingerprint, tenant, window, breakdown: &name };
        let rollup = |(row, number): (Row, usize)| {
            if head.detail {
                return Rollup::new(&head, number, row);
            }
            let covered = Covered::draw(policy, &noise_key, &row.cell_key, &row.cell);
            Rollup::of_covered(&head, number, row.cell_key, row.cell.sessions, covered)
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
    let breakdowns = policy.breakdowns();
    if tables.len() != breakdowns.len() {
        return Err(Fault::TableCount { tables: tables.len(), breakdowns: breakdowns.len() });
    }
    for (table, breakdown) in tables.iter().zip(breakdowns) {
        let well_formed = |(cell_key, cell): (&CellKey, &Cell)| {
            cell_key.len() == breakdown.len()
                && cell.sessions > 0
                && cell_key.iter().all(|value| **value != *FOLDED)
        };
        if !table.iter().all(well_formed) {
            return Err(Fault::Cell { breakdown: breakdown_name(breakdown) });
        }
        if total(table) != *first {
            let first = breakdown_name(&breakdowns[0]);
            return Err(Fault::Totals { breakdown: breakdown_name(breakdown), first });
        }
    }
    Ok(())
}

/// The last look at what is about to leave: every row a crowd, and together all there is.
fn is_partition_into_crowds(rows: &[Row], total: &Cell, policy: &Policy) -> bool {
    rows.iter().all(|row| policy.is_crowd(&row.cell)) && summed(rows.iter().map(|row| &row.cell)) == *total
}
