//! Counts of committed records since the process started, over all assignments.

use crowdfold_airlock::Ignored;
use crowdfold_engine::{Alarms, Counts, MergeCounts};

/// Counts of committed records since the process started, over all assignments.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) combined: Counts,
    pub(crate) merged: MergeCounts,
    pub(crate) alarms: Alarms,
    /// Offsets that were never read, of partitions that are no longer assigned.
    pub(crate) lost: u64,
    /// Ignored values, of partitions that are no longer assigned.
    pub(crate) ignored: Ignored,
}
