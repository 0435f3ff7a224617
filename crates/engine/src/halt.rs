//! Why a partition stops.

use crate::wire::WireError;
use crowdfold_model::Millis;

/// Why a partition stops. Going on would lose or double something; nothing of a record is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Halt {
    /// A record of a topic that keeps append time is ahead of this machine's clock.
    #[error(
        "the record at offset {offset} of partition {partition} is {ahead} ms ahead of this machine's clock: \
         set the clocks of the brokers and of this machine right, or raise windows.max_skew"
    )]
    ClockSkew {
        /// Its partition.
        partition: u32,
        /// Its offset.
        offset: i64,
        /// By how much, ms.
        ahead: Millis,
    },
    /// A partial cannot be read.
    #[error("partition {partition} of the partials stops at offset {offset}: {error}")]
    Wire {
        /// Its partition.
        partition: u32,
        /// Its offset.
        offset: i64,
        /// What is the matter.
        error: WireError,
    },
}
