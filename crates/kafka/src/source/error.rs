//! The error type of a source.

use rdkafka::error::RDKafkaErrorCode;

use super::OnDamaged;
use crate::KafkaError;

/// The error of a source.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// An error from which librdkafka recovers by itself. It should be logged.
    #[error("{code}{}", .partition.map(|partition| format!(" (partition {partition})")).unwrap_or_default())]
    Transient {
        /// The error code.
        code: RDKafkaErrorCode,
        /// The affected partition, or `None` if the error affects the whole consumer.
        partition: Option<u32>,
    },
    /// A broker reports an error code that librdkafka does not know, such as 103 for a topic that was deleted and
    /// created again.
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
    /// The records at the committed offset were deleted before they were read.
    #[error(
        "partition {partition} of {topic}: {gone} offsets from the committed offset {committed} were deleted (the log \
         starts at {log_start}); raise the topic's time-to-live"
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
        /// The number of offsets from the committed offset to the start of the log.
        gone: u64,
    },
    /// The next offset to be read is not in the log: it is before the start or after the end.
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
    /// A batch cannot be read, because it is damaged or because it is too large when decompressed.
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
        /// The error code that librdkafka reports for the batch.
        code: RDKafkaErrorCode,
        /// The reaction of the source, which determines the fix in the message.
        on_damaged: OnDamaged,
    },
    /// A batch cannot be read, and the settings allow it to be skipped. The next polls read the batch again. If it
    /// remains unreadable, they search for the next readable offset.
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
        /// The error code that librdkafka reports for the batch.
        code: RDKafkaErrorCode,
    },
    /// Another process joined the group with the instance name of this process.
    #[error(
        "another member of the consumer group has the same instance name; give each worker a different name"
    )]
    Fenced,
    /// librdkafka's consumer failed permanently.
    #[error("the consumer failed: {code}")]
    Fatal {
        /// librdkafka's error code.
        code: RDKafkaErrorCode,
    },
    /// A request to the brokers failed.
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
