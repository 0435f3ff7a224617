//! The exact account of what became of everything. In memory, and in the file of `fold --ledger`; what is exported of
//! it is *balanced* or not.

use crowdfold_rollup::Counts;

/// Sittings or windows, released or withheld.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Released {
    /// Published.
    pub released: u64,
    /// Not published, and never will be.
    pub withheld: u64,
}

/// Beacons and sittings of merged windows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SittingCounts {
    /// Beacons.
    pub beacons: Released,
    /// Sittings.
    pub sittings: Released,
    /// Pairs of a tenant and a window.
    pub windows: Released,
}

impl SittingCounts {
    /// What release made of one tenant and window.
    pub(crate) fn of(released: &crowdfold_release::Released) -> Self {
        let published = !released.rollups.is_empty();
        Self {
            beacons: Released { released: released.beacons_released, withheld: released.beacons_withheld },
            sittings: Released { released: released.sittings_released, withheld: released.sittings_withheld },
            windows: Released { released: u64::from(published), withheld: u64::from(!published) },
        }
    }

    /// One tenant and window of which nothing is published.
    pub(crate) const fn withheld(sittings: u64, beacons: u64) -> Self {
        Self {
            beacons: Released { released: 0, withheld: beacons },
            sittings: Released { released: 0, withheld: sittings },
            windows: Released { released: 0, withheld: 1 },
        }
    }

    /// Adds another's.
    pub const fn add(&mut self, other: &Self) {
        self.beacons.add(other.beacons);
        self.sittings.add(other.sittings);
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
    /// Verdicts of the combiners.
    pub counts: Counts,
    /// What the mergers did with the rest.
    pub merged: SittingCounts,
}

impl Ledger {
    /// read = released + withheld + late + duplicate + opted out + excluded + rejected.
    #[must_use]
    pub fn balanced(&self) -> bool {
        self.counts.read
            == self.merged.beacons.released + self.merged.beacons.withheld + self.counts.settled()
    }
}
