//! Counts beacons, session-windows and windows by outcome.

use std::collections::BTreeMap;

/// The numbers of beacons by outcome.
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
    /// The number of beacons whose time was too far ahead of their record. This number is not an outcome, because each
    /// of these beacons also has one of the outcomes above.
    pub clock_ahead: u64,
    /// The number of rejected beacons by the name of the reason. A reason without beacons has no entry.
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

/// The numbers of released and of withheld items.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of the ledger's fields")]
pub struct Released {
    pub released: u64,
    pub withheld: u64,
}

/// The numbers of beacons, session-windows and windows by outcome.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// The numbers of beacons.
    pub beacons: Beacons,
    /// The numbers of session-windows, each of which is one session in one window.
    pub session_windows: Released,
    /// The numbers of windows with at least one session. A window counts once for each tenant.
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
