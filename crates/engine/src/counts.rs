//! Counts of beacons by outcome.

use crowdfold_model::Reason;

/// The counts of beacons by outcome, except those in a session summary, which the cells contain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, bincode::Encode, bincode::Decode)]
pub struct Counts {
    /// The beacons that were read, with any outcome.
    pub read: u64,
    /// The beacons that arrived after their window closed.
    pub late: u64,
    /// The beacons that repeated an earlier one.
    pub duplicate: u64,
    /// The beacons of sessions that opted out.
    pub opted_out: u64,
    /// The beacons of excluded tenants, contents or devices.
    pub excluded: u64,
    /// Not an outcome: the beacons whose time was too far ahead of their record, so that the record's time was used.
    pub clock_ahead: u64,
    /// The rejected beacons, in the order of [`Reason::ALL`].
    pub rejected: [u64; Reason::COUNT],
}

impl Counts {
    /// Adds the counts of another one.
    pub fn add(&mut self, other: &Self) {
        self.read += other.read;
        self.late += other.late;
        self.duplicate += other.duplicate;
        self.opted_out += other.opted_out;
        self.excluded += other.excluded;
        self.clock_ahead += other.clock_ahead;
        for (mine, theirs) in self.rejected.iter_mut().zip(other.rejected) {
            *mine += theirs;
        }
    }

    /// Returns the number of rejected beacons.
    #[must_use]
    pub fn rejected(&self) -> u64 {
        self.rejected.iter().sum()
    }

    /// Returns the number of beacons that are not in a session summary.
    #[must_use]
    pub fn without_summary(&self) -> u64 {
        self.late + self.duplicate + self.opted_out + self.excluded + self.rejected()
    }
}
