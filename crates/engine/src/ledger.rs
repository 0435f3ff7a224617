//! The exact number of items by outcome. The exact numbers exist only in memory and in the file of the command
//! `fold`. Metrics report only if the numbers balance.

use crate::Counts;

/// The number of released and of withheld items.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Released {
    /// The number of items that were published.
    pub released: u64,
    /// The number of items that will never be published.
    pub withheld: u64,
}

/// The number of released and withheld beacons, session-windows and windows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MergeCounts {
    /// The beacons in the cells of merged windows.
    pub beacons: Released,
    /// The session-windows in the cells of merged windows.
    pub session_windows: Released,
    /// The merged windows. A window counts once for each tenant.
    pub windows: Released,
}

impl MergeCounts {
    /// Returns the counts for the release of one window of one tenant.
    pub(crate) fn of(released: &crowdfold_release::Released) -> Self {
        let published = !released.rollups.is_empty();
        Self {
            beacons: Released { released: released.beacons_released, withheld: released.beacons_withheld },
            session_windows: Released {
                released: released.session_windows_released,
                withheld: released.session_windows_withheld,
            },
            windows: Released { released: u64::from(published), withheld: u64::from(!published) },
        }
    }

    /// Returns the counts for a window of a tenant if nothing is published for it.
    pub(crate) const fn withheld(session_windows: u64, beacons: u64) -> Self {
        Self {
            beacons: Released { released: 0, withheld: beacons },
            session_windows: Released { released: 0, withheld: session_windows },
            windows: Released { released: 0, withheld: 1 },
        }
    }

    /// Adds the counts of another instance.
    pub const fn add(&mut self, other: &Self) {
        self.beacons.add(other.beacons);
        self.session_windows.add(other.session_windows);
        self.windows.add(other.windows);
    }
}

impl Released {
    const fn add(&mut self, other: Self) {
        self.released += other.released;
        self.withheld += other.withheld;
    }
}

/// The outcomes of all beacons of an input that has an end, such as a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// The outcomes in combiners.
    pub counts: Counts,
    /// The outcomes in mergers.
    pub merged: MergeCounts,
}

impl Ledger {
    /// Returns true if the number of beacons read equals the sum of all outcomes: released, withheld, late, duplicate,
    /// opted out, excluded and rejected.
    #[must_use]
    pub fn balanced(&self) -> bool {
        self.counts.read
            == self.merged.beacons.released + self.merged.beacons.withheld + self.counts.without_summary()
    }
}
