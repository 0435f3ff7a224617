//! What keeps a source from reading.

use rdkafka::error::RDKafkaErrorCode;

use super::OnDamaged;
use crate::Error;

/// Why nothing can be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// librdkafka goes on by itself; worth a line in the log.
    #[error("{code}{}", .partition.map(|partition| format!(" (partition {partition})")).unwrap_or_default())]
    Transient {
        /// What happened.
        code: RDKafkaErrorCode,
        /// Where, if it is one partition's trouble.
        partition: Option<u32>,
    },
    /// A broker's error that librdkafka passes on without knowing it, such as 103 for a topic that was created anew.
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
    /// What was committed is no longer there.
    #[error(
        "partition {partition} of {topic}: {gone} offsets from the committed offset {committed} were deleted (the log \
         starts at {log_start}); raise the topic's time-to-live, and pass --accept-loss to continue without them"
    )]
    Gap {
        /// The topic.
        topic: String,
        /// The partition.
        partition: u32,
        /// Where reading should have gone on.
        committed: i64,
        /// Where the log begins.
        log_start: i64,
        /// How many offsets lie between.
        gone: u64,
    },
    /// The log no longer holds the offset that is next to be read, at either end.
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
    /// A batch that cannot be read: damaged, or too large when unpacked. Skipping it would lose it.
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
        /// The fault of the batch.
        code: RDKafkaErrorCode,
        /// The reaction that was configured.
        on_damaged: OnDamaged,
    },
    /// The same where it is to be skipped. The next polls try it again, then search for its end.
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
        /// The fault of the batch.
        code: RDKafkaErrorCode,
    },
    /// Another process has our name.
    #[error(
        "another member of the group uses this instance's name; give each worker its own [kafka] instance"
    )]
    Fenced,
    /// Nothing more will come of this source.
    #[error("the consumer failed: {code}")]
    Fatal {
        /// In librdkafka's words.
        code: RDKafkaErrorCode,
    },
    /// A request failed.
    #[error(transparent)]
    Request(#[from] Error),
}

impl SourceError {
    /// Whether it passes by itself: poll again.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Transient { .. } | Self::UnknownCode { .. } | Self::Unreadable { .. })
            || matches!(self, Self::Request(error) if error.is_transient() || matches!(error, Error::Refused { .. }))
    }
}
