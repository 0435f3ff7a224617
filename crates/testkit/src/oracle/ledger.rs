//! What became of everything that was read.

use std::collections::BTreeMap;

/// Beacons by outcome.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of the ledger's fields")]
pub struct Beacons {
    pub read: u64,
    pub released: u64,
    pub withheld: u64,
    pub late: u64,
    pub duplicate: u64,
    pub opted_out: u64,
    pub excluded: u64,
    /// Not an outcome: those for which the record's time counts, because their own was too far ahead of it.
    pub clock_ahead: u64,
    /// By the name of the reason; reasons that occur.
    pub rejected: BTreeMap<&'static str, u64>,
}

impl Beacons {
    pub(super) fn add(&mut self, other: &Self) {
        self.read += other.read;
        self.released += other.released;
        self.withheld += other.withheld;
        self.late += other.late;
        self.duplicate += other.duplicate;
        self.opted_out += other.opted_out;
        self.excluded += other.excluded;
        self.clock_ahead += other.clock_ahead;
        for (reason, beacons) in &other.rejected {
            *self.rejected.entry(reason).or_default() += beacons;
        }
    }
}

/// How many were released, how many withheld.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of the ledger's fields")]
pub struct Released {
    pub released: u64,
    pub withheld: u64,
}

/// The whole account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// Beacons.
    pub beacons: Beacons,
    /// Sessions of one window each.
    pub session_windows: Released,
    /// Windows of one tenant each, with at least one session.
    pub windows: Released,
}

impl Ledger {
    /// The law of conservation: every beacon that was read has exactly one outcome.
    #[must_use]
    pub fn balanced(&self) -> bool {
        let b = &self.beacons;
        let rejected: u64 = b.rejected.values().sum();
        b.read == b.released + b.withheld + b.late + b.duplicate + b.opted_out + b.excluded + rejected
    }
}
