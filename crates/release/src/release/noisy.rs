//! Releases rows under `differential-privacy`. Each cell is released or withheld on its own, without folding.

use std::sync::Arc;

use crowdfold_model::{Cell, Table, Window};

use super::{ReleaseError, Released};
use crate::privacy::{NoiseKey, Noisy, Privacy};
use crate::row::{Coverage, Head, Rollup};
use crate::{Policy, breakdown_name};

/// The rows, and the counts of the breakdown with the most released session-windows.
pub(super) struct NoisyRows {
    rollups: Vec<Rollup>,
    rows: Vec<u64>,
    session_windows: u64,
    beacons: u64,
}

impl NoisyRows {
    /// Converts the rows to the result of a window with these totals.
    pub(super) fn of(self, total: &Cell) -> Released {
        let Self { rollups, rows, session_windows, beacons } = self;
        Released {
            rollups,
            rows,
            session_windows_released: session_windows,
            beacons_released: beacons,
            session_windows_withheld: total.sessions.saturating_sub(session_windows),
            beacons_withheld: total.sums.beacons.saturating_sub(beacons),
            fault: None,
        }
    }
}

/// Adds noise to the cells of all tables, and returns the rows of the cells that are released.
pub(super) fn release(
    tenant: &str,
    window: Window,
    tables: Vec<Table>,
    policy: &Policy,
    privacy: &Privacy,
    coverage: Option<Coverage>,
) -> Result<NoisyRows, ReleaseError> {
    let secret = privacy.secret().ok_or(ReleaseError::NoSecret)?;
    if window.length() != privacy.window() {
        return Err(ReleaseError::WindowLength);
    }
    let fingerprint = policy.fingerprint();
    let mut released = NoisyRows { rollups: Vec::new(), rows: Vec::new(), session_windows: 0, beacons: 0 };
    for (index, (table, breakdown)) in tables.into_iter().zip(policy.breakdowns()).enumerate() {
        let name = breakdown_name(breakdown);
        let noise_key = NoiseKey { policy: fingerprint, tenant, window, breakdown: &name };
        let detail = Some(index) == policy.detail();
        let (mut session_windows, mut beacons) = (0, 0);
        let mut rows = Vec::new();
        for (cell_key, cell) in table {
            if let Some(noisy) =
                Noisy::of(privacy, secret, policy.k(), &noise_key, (&cell_key, &cell), detail)
            {
                session_windows += cell.sessions;
                beacons += cell.sums.beacons;
                rows.push((cell_key, noisy));
            }
        }
        if session_windows > released.session_windows {
            (released.session_windows, released.beacons) = (session_windows, beacons);
        }
        let head = Arc::new(Head {
            tenant: tenant.into(),
            window,
            breakdown: breakdown.as_slice().into(),
            rows: rows.len(),
            coverage,
            policy: policy.into(),
            detail,
        });
        released.rows.push(rows.len() as u64);
        let numbered = rows.into_iter().zip(1..);
        released.rollups.extend(
            numbered.map(|((cell_key, noisy), number)| Rollup::of_noisy(&head, number, cell_key, noisy)),
        );
    }
    Ok(released)
}

#[cfg(test)]
mod tests;
