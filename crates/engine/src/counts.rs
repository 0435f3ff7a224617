//! Beacons by what became of them.

use crowdfold_model::Reason;

/// Beacons by what became of them, except those in a session summary: the cells carry these.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, bincode::Encode, bincode::Decode)]
pub struct Counts {
    /// Read, whatever became of them.
    pub read: u64,
    /// Came after their window closed.
    pub late: u64,
    /// Repeated an earlier one.
    pub duplicate: u64,
    /// Of sessions that asked not to be counted.
    pub opted_out: u64,
    /// Of tenants, contents or devices that are never counted.
    pub excluded: u64,
    /// Not an outcome: beacons whose time was too far ahead of their record's, so that the record's time counts.
    pub clock_ahead: u64,
    /// Not let in, in the order of [`Reason::ALL`].
    pub rejected: [u64; Reason::COUNT],
}

impl Counts {
    /// Adds another's.
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

    /// Rejected, for whatever reason.
    #[must_use]
    pub fn rejected(&self) -> u64 {
        self.rejected.iter().sum()
    }

    /// All beacons that are not in a session summary.
    #[must_use]
    pub fn without_summary(&self) -> u64 {
        self.late + self.duplicate + self.opted_out + self.excluded + self.rejected()
    }
}
