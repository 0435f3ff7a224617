//! The counts of a stage since the start of the process.

use crowdfold_airlock::{Ignored, SentFields};
use crowdfold_engine::{Alarms, Counts, MergeCounts};

/// The counts of a stage since the start of the process. They include partitions that were assigned in the meantime and
/// revoked again.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    /// The counts of all committed batches of combiners.
    pub(crate) combined: Counts,
    /// The counts of mergers that were dropped.
    pub(crate) merged: MergeCounts,
    /// The alarms of mergers that were dropped.
    pub(crate) alarms: Alarms,
    /// The number of offsets that combiners lost before they could read them. It includes only combiners that were
    /// dropped.
    pub(crate) lost: u64,
    /// The ignored values of known fields. They include only values that combiners ignored before they were dropped.
    pub(crate) ignored: Ignored,
    /// The fields of the JSON beacons that combiners read before they were dropped.
    pub(crate) sent_fields: SentFields,
}
