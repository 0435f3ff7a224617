//! The number of beacons by outcome.

use crowdfold_model::Reason;

/// The number of beacons by outcome. Beacons in session summaries are not included, because the cells count them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, bincode::Encode, bincode::Decode)]
pub struct Counts {
    /// All beacons that were read.
    pub read: u64,
    /// Beacons that arrived after their window had closed.
    pub late: u64,
    /// Beacons that repeat another beacon.
    pub duplicate: u64,
    /// Beacons of sessions that opted out.
    pub opted_out: u64,
    /// Beacons that are ignored because their tenant, content or device is excluded.
    pub excluded: u64,
    /// Beacons whose own time was too far ahead of the time of their record, so that the time of the record was used.
    /// This number is not an outcome: such a beacon is also counted with its outcome.
    pub clock_ahead: u64,
    /// The number of rejected beacons for each reason, in the order of [`Reason::ALL`].
    pub rejected: [u64; Reason::COUNT],
}

impl Counts {
    /// Adds the counts of another instance.
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

    /// Returns the number of rejected beacons over all reasons.
    #[must_use]
    pub fn rejected(&self) -> u64 {
        self.rejected.iter().sum()
    }

    /// Returns the number of beacons that are in no session summary, because they were not added to one or were removed
    /// again.
    #[must_use]
    pub fn without_summary(&self) -> u64 {
        self.late + self.duplicate + self.opted_out + self.excluded + self.rejected()
    }
}
