//! What one transaction of a merger must carry, whole.

use crowdfold_model::Timestamp;
use crowdfold_release::Rollup;

use crate::{Alarms, MergeCounts, MergerCheckpoint};

/// Rows, offset and metadata: all or nothing. A pure function of committed partials, policy and committed decisions, so
/// whatever an aborted attempt left behind is byte for byte what is committed next.
#[derive(Debug)]
pub struct Publication {
    /// The rows. Empty for a decision, or where all was withheld.
    pub rollups: Vec<Rollup>,
    /// Offset of the first partial that is needed after it.
    pub offset: i64,
    /// What to commit with it.
    pub checkpoint: MergerCheckpoint,
    pub(crate) counts: MergeCounts,
    pub(crate) alarms: Alarms,
    pub(crate) until: Timestamp,
}
