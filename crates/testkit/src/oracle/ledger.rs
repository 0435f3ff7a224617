//! Counts beacons, session-windows and windows by outcome.

use std::collections::BTreeMap;

/// The counts of beacons by outcome.
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
    /// Not an outcome: the number of beacons whose time was too far ahead of their record, so that the record's time
    /// was used.
    pub clock_ahead: u64,
    /// The counts by the name of the reason. Reasons without beacons are absent.
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

/// The numbers of released and withheld items.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of the ledger's fields")]
pub struct Released {
    pub released: u64,
    pub withheld: u64,
}

/// All counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// The beacons.
    pub beacons: Beacons,
    /// The session-windows, each of one session in one window.
    pub session_windows: Released,
    /// The windows with at least one session, each of one tenant.
    pub windows: Released,
}

impl Ledger {
    /// Returns true if every beacon that was read has exactly one outcome.
    #[must_use]
    pub fn balanced(&self) -> bool {
        let b = &self.beacons;
        let rejected: u64 = b.rejected.values().sum();
        b.read == b.released + b.withheld + b.late + b.duplicate + b.opted_out + b.excluded + rejected
    }
}
