//! The counts of a stage since the process started, over all assignments of partitions.

use crowdfold_airlock::Ignored;
use crowdfold_engine::{Alarms, Counts, MergeCounts};

/// The counts of a stage since the process started, over all assignments of partitions.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    /// The counts of combiners, of committed batches.
    pub(crate) combined: Counts,
    /// The counts of mergers that were dropped.
    pub(crate) merged: MergeCounts,
    /// The alarms of mergers that were dropped.
    pub(crate) alarms: Alarms,
    /// The number of offsets that were lost before they could be read, of combiners that were dropped.
    pub(crate) lost: u64,
    /// The ignored values of known fields, of combiners that were dropped.
    pub(crate) ignored: Ignored,
}
