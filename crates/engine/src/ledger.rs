//! The exact counts of all outcomes. They exist in memory, and in the file of `fold --ledger`. Only *balanced* or *not
//! balanced* is exported.

use crate::Counts;

/// The numbers of released and withheld items.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Released {
    /// The published items.
    pub released: u64,
    /// The items that are never published.
    pub withheld: u64,
}

/// The counts of merged windows: beacons, session-windows, windows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MergeCounts {
    /// The beacons.
    pub beacons: Released,
    /// The session-windows.
    pub session_windows: Released,
    /// The pairs of a tenant and a window.
    pub windows: Released,
}

impl MergeCounts {
    /// Returns the counts of a release of one tenant and window.
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

    /// Returns the counts of one tenant and window without published rows.
    pub(crate) const fn withheld(session_windows: u64, beacons: u64) -> Self {
        Self {
            beacons: Released { released: 0, withheld: beacons },
            session_windows: Released { released: 0, withheld: session_windows },
            windows: Released { released: 0, withheld: 1 },
        }
    }

    /// Adds the counts of another one.
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

/// The outcomes of all beacons of an input that has ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// The outcomes in the combiners.
    pub counts: Counts,
    /// The outcomes in the mergers.
    pub merged: MergeCounts,
}

impl Ledger {
    /// Returns true if read = released + withheld + late + duplicate + opted out + excluded + rejected.
    #[must_use]
    pub fn balanced(&self) -> bool {
        self.counts.read
            == self.merged.beacons.released + self.merged.beacons.withheld + self.counts.without_summary()
    }
}
