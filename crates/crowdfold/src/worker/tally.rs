//! What was committed since the process started, over all assignments.

use crowdfold_airlock::Ignored;
use crowdfold_pipeline::{Alarms, MergeCounts};
use crowdfold_rollup::Counts;

/// What was committed since the process started, over all assignments.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    pub(super) combined: Counts,
    pub(super) merged: MergeCounts,
    pub(super) alarms: Alarms,
    /// Offsets that were never read, of partitions that are no longer ours.
    pub(super) lost: u64,
    /// Values that could not be used, of partitions that are no longer ours.
    pub(super) ignored: Ignored,
}
