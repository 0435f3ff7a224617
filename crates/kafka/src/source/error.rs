//! The error type of a source.

use rdkafka::error::RDKafkaErrorCode;

use super::OnDamaged;
use crate::KafkaError;

/// The reason why nothing can be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// librdkafka recovers by itself; the error should be logged.
    #[error("{code}{}", .partition.map(|partition| format!(" (partition {partition})")).unwrap_or_default())]
    Transient {
        /// The error code.
        code: RDKafkaErrorCode,
        /// The partition, if only one is affected.
        partition: Option<u32>,
    },
    /// A broker's error code that librdkafka passes on without knowing it, such as 103 for a recreated topic.
    #[error(
        "partition {partition} of {topic}: the broker reports error {number}, which librdkafka does not know; see the \
         list of error codes in Kafka's protocol guide"
    )]
    UnknownCode {
        /// The topic.
        topic: String,
        /// The partition.
        partition: u32,
        /// The error's number in Kafka's protocol.
        number: i32,
    },
    /// The committed offset was deleted.
    #[error(
        "partition {partition} of {topic}: {gone} offsets from the committed offset {committed} were deleted (the log \
         starts at {log_start}); raise the topic's time-to-live, and pass --accept-loss to continue without them"
    )]
    Gap {
        /// The topic.
        topic: String,
        /// The partition.
        partition: u32,
        /// The committed offset.
        committed: i64,
        /// The start of the log.
        log_start: i64,
        /// The number of deleted offsets between them.
        gone: u64,
    },
    /// The next offset to be read is not in the log, at either end.
    #[error(
        "partition {partition} of {topic}: offset {offset} is not in the log because it was deleted or truncated while \
         reading"
    )]
    OutOfRange {
        /// The topic.
        topic: String,
        /// The partition.
        partition: u32,
        /// The offset.
        offset: i64,
    },
    /// A batch that cannot be read because it is damaged or too large when unpacked. Skipping it would lose it.
    #[error(
        "topic {topic}, partition {partition}, offset {offset}: the batch cannot be read ({code}){}",
        .on_damaged.remedy()
    )]
    Damaged {
        /// The topic.
        topic: String,
        /// The partition.
        partition: u32,
        /// The first offset that cannot be read.
        offset: i64,
        /// The error of the batch.
        code: RDKafkaErrorCode,
        /// The configured reaction.
        on_damaged: OnDamaged,
    },
    /// A batch that cannot be read and will be skipped. The next polls retry it, then search for its end.
    #[error(
        "topic {topic}, partition {partition}, offset {offset}: the batch cannot be read ({code}); it is skipped if it \
         remains unreadable"
    )]
    Unreadable {
        /// The topic.
        topic: String,
        /// The partition.
        partition: u32,
        /// The first offset that cannot be read.
        offset: i64,
        /// The error of the batch.
        code: RDKafkaErrorCode,
    },
    /// Another process uses our instance name.
    #[error(
        "another member of the group uses this instance's name; give each worker its own [kafka] instance"
    )]
    Fenced,
    /// The consumer failed permanently.
    #[error("the consumer failed: {code}")]
    Fatal {
        /// librdkafka's error code.
        code: RDKafkaErrorCode,
    },
    /// A request failed.
    #[error(transparent)]
    Request(#[from] KafkaError),
}

impl SourceError {
    /// Returns true if polling again may succeed.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Transient { .. } | Self::UnknownCode { .. } | Self::Unreadable { .. })
            || matches!(self, Self::Request(error) if error.is_transient() || matches!(error, KafkaError::Refused { .. }))
    }
}
