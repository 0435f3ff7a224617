//! The error type of this crate.

use crowdfold_model::Span;

use crate::wire::WireError;

/// The reason why a partition stops, or cannot start. Continuing would lose or double something. Contains nothing of a
/// record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// A record of a topic that keeps append time is ahead of this machine's clock.
    #[error(
        "the record at offset {offset} of partition {partition} is {} ms ahead of this machine's clock: \
         set the clocks of the brokers and of this machine right, or raise windows.max_skew",
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
    /// Another program commits under the same group.
    #[error(
        "the committed offset of partition {0} carries metadata that is not crowdfold's: another program uses this \
         consumer group; choose another kafka.prefix, or start after now with --restart-from-now"
    )]
    Foreign(
        /// The partition.
        u32,
    ),
}
