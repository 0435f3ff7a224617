//! Converts the tables of one tenant and window to published rows.

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

/// The result for one tenant and window. Under `threshold`, its session-windows are either all released or all
/// withheld. Under `differential-privacy`, breakdowns differ in their number of released session-windows. The counts in
/// this value are then those of the breakdown with the most released session-windows.
#[derive(Debug, Default)]
#[must_use]
pub struct Released {
    /// The rows of all breakdowns, in the order of the breakdowns in the policy. The rows of one breakdown are in the
    /// order of their cell keys.
    pub rollups: Vec<Rollup>,
    /// The number of rows of each breakdown, in the order of the breakdowns in the policy.
    pub rows: Vec<u64>,
    /// The number of session-windows that the rows cover.
    pub session_windows_released: u64,
    /// The number of beacons in the released session-windows.
    pub beacons_released: u64,
    /// The number of session-windows that no row covers.
    pub session_windows_withheld: u64,
    /// The number of beacons in the withheld session-windows.
    pub beacons_withheld: u64,
    /// The internal error that is the reason for withholding all rows, or `None` if there was no error. The caller must
    /// count the error as an alarm.
    pub fault: Option<ReleaseError>,
}

/// The reason why tables cannot be released. All variants are internal errors, which no input can cause.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReleaseError {
    /// The number of tables differs from the number of breakdowns.
    #[error(
        "the window has {tables} tables for {breakdowns} breakdowns, so none of it is released; report this as a bug"
    )]
    TableCount {
        /// The number of tables.
        tables: usize,
        /// The number of breakdowns.
        breakdowns: usize,
    },
    /// A cell key differs in length from its breakdown, contains the reserved value `*`, or belongs to a cell without
    /// sessions.
    #[error(
        "a cell of breakdown {breakdown} is malformed, so none of the window is released; report this as a bug"
    )]
    Cell {
        /// The name of the breakdown.
        breakdown: String,
    },
    /// Two tables have different sums, although they must contain the same sessions.
    #[error(
        "breakdown {breakdown} has other sums than breakdown {first}, so none of the window is released; \
         report this as a bug"
    )]
    Totals {
        /// The name of the breakdown.
        breakdown: String,
        /// The name of the first breakdown.
        first: String,
    },
    /// Folding returned a row that is not a crowd, or lost a session.
    #[error("folding breakdown {breakdown} failed, so none of the window is released; report this as a bug")]
    Folding {
        /// The name of the breakdown.
        breakdown: String,
    },
    /// The policy `differential-privacy` has no secret for its noise.
    #[error("the noise has no secret, so none of the window is released; report this as a bug")]
    NoSecret,
    /// The noise was calculated for another window length.
    #[error(
        "the noise was calculated for another window length, so none of the window is released; report this as a bug"
    )]
    WindowLength,
}

/// Releases the rows of one tenant and window. `tables` contains one table for each breakdown of the policy, in the
/// same order. All tables must contain the same sessions. The result depends only on the arguments.
///
/// If the window as a whole is not a crowd, the result has no rows. It also has no rows if a table is invalid (see
/// [`Released::fault`]).
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
            return withheld(Some(ReleaseError::Folding { breakdown: name }));
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

/// Returns the totals of a table, without distributions. The totals must be equal in all tables of a tenant and window.
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

/// Checks that the tables match the policy, and that their totals are equal to `first`.
fn check_tables(tables: &[Table], first: &Cell, policy: &Policy) -> Result<(), ReleaseError> {
    let breakdowns = policy.breakdowns();
    if tables.len() != breakdowns.len() {
        return Err(ReleaseError::TableCount { tables: tables.len(), breakdowns: breakdowns.len() });
    }
    for (table, breakdown) in tables.iter().zip(breakdowns) {
        let well_formed = |(cell_key, cell): (&CellKey, &Cell)| {
            cell_key.len() == breakdown.len()
                && cell.sessions > 0
                && cell_key.iter().all(|value| **value != *FOLDED)
        };
        if !table.iter().all(well_formed) {
            return Err(ReleaseError::Cell { breakdown: breakdown_name(breakdown) });
        }
        if total(table) != *first {
            let first = breakdown_name(&breakdowns[0]);
            return Err(ReleaseError::Totals { breakdown: breakdown_name(breakdown), first });
        }
    }
    Ok(())
}

/// Checks rows before they are published. Returns true if each row is a crowd, and the rows together contain all
/// sessions.
fn is_partition_into_crowds(rows: &[Row], total: &Cell, policy: &Policy) -> bool {
    rows.iter().all(|row| policy.is_crowd(&row.cell)) && summed(rows.iter().map(|row| &row.cell)) == *total
}
