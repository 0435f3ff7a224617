//! Counts of committed records since the process started, over all assignments.

use crowdfold_airlock::Ignored;
use crowdfold_pipeline::{Alarms, MergeCounts};
use crowdfold_rollup::Counts;

/// Counts of committed records since the process started, over all assignments.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    pub(super) combined: Counts,
    pub(super) merged: MergeCounts,
    pub(super) alarms: Alarms,
    /// Offsets that were never read, of partitions that are no longer assigned.
    pub(super) lost: u64,
    /// Ignored values, of partitions that are no longer assigned.
    pub(super) ignored: Ignored,
}
