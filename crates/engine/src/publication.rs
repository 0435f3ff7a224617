//! The output of one transaction of a merger.

use crowdfold_model::Timestamp;
use crowdfold_release::Rollup;

use crate::{Alarms, MergeCounts, MergerCheckpoint};

/// The rows, the offset and the checkpoint of one transaction. They depend only on committed partials, committed
/// decisions and the release policies. Therefore a retry after an aborted transaction publishes the same bytes.
#[derive(Debug)]
pub struct Publication {
    /// The rows. The list is empty if the publication is a decision, or if all rows were withheld.
    pub rollups: Vec<Rollup>,
    /// The offset to commit. It is the offset of the first record that is needed after this publication.
    pub offset: i64,
    /// The checkpoint to commit.
    pub checkpoint: MergerCheckpoint,
    pub(crate) counts: MergeCounts,
    pub(crate) alarms: Alarms,
    pub(crate) until: Timestamp,
}
