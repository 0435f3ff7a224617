//! The error type of this crate.

use crowdfold_model::Span;

use crate::wire::WireError;

/// The reason why a partition stops or cannot start. If it continued, beacons would be lost or counted twice. It
/// contains nothing of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// A record is ahead of this machine's clock, in a topic with append time.
    #[error(
        "the record at offset {offset} of partition {partition} is {} ms ahead of this machine's clock; \
         correct the clocks of the brokers and of this machine, or raise windows.max_skew",
        .ahead.as_millis()
    )]
    ClockSkew {
        /// The partition.
        partition: u32,
        /// The offset.
        offset: i64,
        /// The difference.
        ahead: Span,
    },
    /// A partial cannot be read.
    #[error("partition {partition} of the partials stops at offset {offset}: {error}")]
    Wire {
        /// The partition.
        partition: u32,
        /// The offset.
        offset: i64,
        /// The error of the partial.
        error: WireError,
    },
    /// Another program commits to the same group.
    #[error(
        "the committed offset of partition {0} has metadata that crowdfold did not write, because another program uses this \
         consumer group; choose another kafka.prefix, or start after now with --restart-from-now"
    )]
    Foreign(
        /// The partition.
        u32,
    ),
}
