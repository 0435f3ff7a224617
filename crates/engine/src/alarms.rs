//! Counts of events that should not occur.

/// The events that a merger should not see, counted since the process started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Alarms {
    /// Close markers that did not close a new window.
    pub duplicates: u64,
    /// Close markers after a gap, or with chunks that do not match their checksum.
    pub gaps: u64,
    /// Windows withheld because partition counts or layouts were mixed, or because a combiner requested it.
    pub mixed: u64,
    /// Windows released without some partitions.
    pub forced: u64,
    /// Tables with different totals, which is a bug.
    pub faults: u64,
}

impl Alarms {
    /// Adds the counts of another one.
    pub const fn add(&mut self, other: &Self) {
        self.duplicates += other.duplicates;
        self.gaps += other.gaps;
        self.mixed += other.mixed;
        self.forced += other.forced;
        self.faults += other.faults;
    }
}
