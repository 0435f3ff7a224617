//! The content of one transaction of a merger.

use crowdfold_model::Timestamp;
use crowdfold_release::Rollup;

use crate::{Alarms, MergeCounts, MergerCheckpoint};

/// The rows, the offset and the metadata of one transaction. It depends only on committed partials, the policy, and
/// committed decisions. Therefore a retry after an aborted attempt publishes the same bytes.
#[derive(Debug)]
pub struct Publication {
    /// The rows. They are empty for a decision, or if all rows were withheld.
    pub rollups: Vec<Rollup>,
    /// The offset of the first partial that is needed afterwards.
    pub offset: i64,
    /// The checkpoint of the commit.
    pub checkpoint: MergerCheckpoint,
    pub(crate) counts: MergeCounts,
    pub(crate) alarms: Alarms,
    pub(crate) until: Timestamp,
}
