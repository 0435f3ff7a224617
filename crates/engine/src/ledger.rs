//! The exact account of what became of everything. In memory, and in the file of `fold --ledger`; what is exported of
//! it is *balanced* or not.

use crate::Counts;

/// Session-windows or windows, released or withheld.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Released {
    /// Published.
    pub released: u64,
    /// Not published, and never will be.
    pub withheld: u64,
}

/// Counts of merged windows: beacons, session-windows, windows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MergeCounts {
    /// Beacons.
    pub beacons: Released,
    /// Session summaries.
    pub session_windows: Released,
    /// Pairs of a tenant and a window.
    pub windows: Released,
}

impl MergeCounts {
    /// What release made of one tenant and window.
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

    /// One tenant and window of which nothing is published.
    pub(crate) const fn withheld(session_windows: u64, beacons: u64) -> Self {
        Self {
            beacons: Released { released: 0, withheld: beacons },
            session_windows: Released { released: 0, withheld: session_windows },
            windows: Released { released: 0, withheld: 1 },
        }
    }

    /// Adds another's.
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

/// What became of every beacon of an input that has ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// Outcomes of the combiners.
    pub counts: Counts,
    /// What the mergers did with the rest.
    pub merged: MergeCounts,
}

impl Ledger {
    /// read = released + withheld + late + duplicate + opted out + excluded + rejected.
    #[must_use]
    pub fn balanced(&self) -> bool {
        self.counts.read
            == self.merged.beacons.released + self.merged.beacons.withheld + self.counts.without_summary()
    }
}
