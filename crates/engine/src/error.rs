//! The errors of combiners and mergers.

use crowdfold_model::Span;

use crate::wire::WireError;

/// The reason why a partition stops or cannot start. If the partition continued, beacons would be lost or counted
/// twice. The error contains no data of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// The broker sets the timestamps, and the timestamp of a record is too far ahead of this machine's clock.
    #[error(
        "the record at offset {offset} of partition {partition} is {} ms ahead of this machine's clock; \
         correct the clocks of the brokers and of this machine",
        .ahead.as_millis()
    )]
    ClockSkew {
        /// The partition of the record.
        partition: u32,
        /// The offset of the record.
        offset: i64,
        /// The difference between the timestamp of the record and the clock.
        ahead: Span,
    },
    /// A record of the topic of partials cannot be decoded.
    #[error("partition {partition} of the partials stops at offset {offset}: {error}")]
    Wire {
        /// The partition of the record.
        partition: u32,
        /// The offset of the record.
        offset: i64,
        /// The reason why the record cannot be decoded.
        error: WireError,
    },
    /// The metadata of a committed offset is not a checkpoint, so another program commits offsets in the same
    /// consumer group.
    #[error(
        "the committed offset of partition {0} was not written by crowdfold: its metadata is not a checkpoint, so another \
         program uses the same consumer group"
    )]
    NotACheckpoint(
        /// The partition of the committed offset.
        u32,
    ),
}
