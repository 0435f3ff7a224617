//! What should not be seen, and is counted where it is.

/// What a merger saw that it should not see. Counts since the process started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Alarms {
    /// Close markers that closed nothing new.
    pub duplicates: u64,
    /// Close markers that left a gap after the one before, or whose chunks did not match their checksum.
    pub gaps: u64,
    /// Windows withheld because partition counts or layouts were mixed, or a combiner asked for it.
    pub mixed: u64,
    /// Windows released without some partitions.
    pub forced: u64,
    /// Tables that did not add up to each other: a fault of ours.
    pub faults: u64,
}

impl Alarms {
    /// Adds another's.
    pub const fn add(&mut self, other: &Self) {
        self.duplicates += other.duplicates;
        self.gaps += other.gaps;
        self.mixed += other.mixed;
        self.forced += other.forced;
        self.faults += other.faults;
    }
}
