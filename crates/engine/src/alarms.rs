//! Counts of events that should not occur.

/// The number of unexpected events that mergers have observed since the process started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Alarms {
    /// Close markers that repeat an earlier one and close no new window.
    pub duplicates: u64,
    /// Close markers that do not begin where the previous one ended, or whose chunks do not match their checksum.
    pub gaps: u64,
    /// Windows that were withheld. Either their partials have different partition counts or layouts, or a combiner
    /// requested it.
    pub mixed: u64,
    /// Decisions to release a window without its missing partitions after the time-out.
    pub forced: u64,
    /// Releases that were withheld because of an internal error, such as tables of one tenant and window with different
    /// totals. Such a release shows a bug in the program.
    pub faults: u64,
}

impl Alarms {
    /// Adds the counts of another instance.
    pub const fn add(&mut self, other: &Self) {
        self.duplicates += other.duplicates;
        self.gaps += other.gaps;
        self.mixed += other.mixed;
        self.forced += other.forced;
        self.faults += other.faults;
    }
}
