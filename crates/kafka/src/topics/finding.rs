//! The findings of [`super::Admin::check`].

use std::fmt;

use crowdfold_model::{Span, Timestamp};

use super::Clock;

/// The maximum size in bytes of a gzip batch that cannot exceed 4 GiB when decompressed. gzip expands data by a
/// factor of at most 1,032.
pub(super) const MAX_GZIP_BYTES: u64 = 4_000_000;

/// The reason why a topic keeps records without a time limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unbounded {
    /// The setting `retention.ms` is -1.
    Retention,
    /// The setting `cleanup.policy` has this value instead of `delete`.
    CleanupPolicy(String),
    /// Tiered storage is enabled (`remote.storage.enable`).
    RemoteStorage,
    /// Producers may set any timestamp in the future, because `message.timestamp.after.max.ms` has no limit.
    Ahead,
    /// The setting with this name has no limit, so that segments never end or brokers never check for old records.
    Other(&'static str),
}

/// A difference from the specification of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The topic does not exist.
    Missing,
    /// Nothing limits the time for which records are kept.
    Unbounded(Unbounded),
    /// Records can be read for longer than their time-to-live.
    Beyond {
        /// The maximum time that results from the settings.
        bound: Span,
        /// The configured time-to-live.
        ttl: Span,
    },
    /// Records can stay on disk for longer than their time-to-live and the slack allow.
    OnDisk {
        /// The maximum time that results from the settings.
        bound: Span,
        /// The configured time-to-live.
        ttl: Span,
        /// The configured time for which a record may stay on disk after its time-to-live.
        slack: Span,
    },
    /// A segment contains a timestamp in the future, so its records are kept for longer than the settings allow.
    Ahead {
        /// The partition.
        partition: u32,
        /// The largest timestamp in the partition.
        dated: Timestamp,
        /// The earliest time at which the segment with this timestamp can expire: the timestamp plus `retention.ms`.
        expires: Timestamp,
        /// The difference between this timestamp and the clock of this host.
        by: Span,
    },
    /// Some brokers do not support the request for the largest timestamp.
    TooOld {
        /// The partitions whose leader is such a broker.
        partitions: Vec<u32>,
    },
    /// Records are deleted too soon for windows and the longest outage that the deployment must survive.
    TooShort {
        /// The time for which records are kept.
        retention: Span,
        /// The minimum time for which records must be kept because of windows and the longest outage.
        least: Span,
    },
    /// Records are deleted when the partition exceeds this size (`retention.bytes`), even if they were not read.
    RetentionBytes(String),
    /// The timestamps are not set by the clock that the specification requires.
    Clock {
        /// The required clock.
        wanted: Clock,
    },
    /// The number of partitions differs from the configuration.
    Partitions {
        /// The actual number of partitions.
        there: u32,
        /// The configured number of partitions.
        wanted: u32,
    },
    /// The oldest readable record of a partition is older than the settings allow.
    Overstayed {
        /// The partition.
        partition: u32,
        /// The age of the record.
        age: Span,
        /// The maximum age of a readable record.
        bound: Span,
    },
    /// The topic accepts gzip batches that may be too large for librdkafka when decompressed.
    GzipTooLarge {
        /// The maximum size of a batch (`max.message.bytes`), in bytes.
        batch: u64,
    },
    /// Some partitions have no leader, so the age of their records was not measured.
    Unmeasured {
        /// The partitions.
        partitions: Vec<u32>,
    },
}

impl Finding {
    /// Returns true if the finding breaks a guarantee or can lose data. The commands then exit with 3. All other
    /// findings are for information only.
    #[must_use]
    pub const fn is_breach(&self) -> bool {
        !matches!(self, Self::Unmeasured { .. } | Self::GzipTooLarge { .. })
    }

    /// Returns true if records are kept for too long, or may be kept for too long. `audit` reports only such findings.
    #[must_use]
    pub const fn is_of_age(&self) -> bool {
        matches!(
            self,
            Self::Unbounded(_)
                | Self::Beyond { .. }
                | Self::OnDisk { .. }
                | Self::Ahead { .. }
                | Self::TooOld { .. }
                | Self::Overstayed { .. }
                | Self::Unmeasured { .. }
        )
    }

    /// Returns true if `run` refuses to start because of the finding. [`Finding::Overstayed`] is a breach, but does not
    /// prevent the start, because the old record would remain even if the worker did not run.
    #[must_use]
    pub const fn refuses_start(&self) -> bool {
        self.is_breach() && !matches!(self, Self::Overstayed { .. })
    }
}

/// Formats the finding and its fix for messages that begin with the name of the topic, such as "topic x does not
/// exist; …". A crate that knows the configuration appends the keys and flags of other fixes.
impl fmt::Display for Finding {
    #[expect(clippy::too_many_lines, reason = "one message for each finding")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const APPLY: &str = "run `crowdfold topics apply`";
        match self {
            Self::Missing => write!(f, "does not exist; {APPLY}"),
            Self::Unbounded(Unbounded::Retention) => {
                write!(f, "keeps records without a time limit; set retention.ms or {APPLY}")
            }
            Self::Unbounded(Unbounded::CleanupPolicy(policy)) => {
                write!(
                    f,
                    "keeps records without a time limit because its cleanup.policy is {policy}; set it to delete or \
                     {APPLY}"
                )
            }
            Self::Unbounded(Unbounded::RemoteStorage) => write!(
                f,
                "keeps records without a time limit because remote.storage.enable is true; disable tiered storage and \
                 delete the records in it"
            ),
            Self::Unbounded(Unbounded::Ahead) => write!(
                f,
                "keeps records without a time limit because producers may set any timestamp in the future; set \
                 message.timestamp.after.max.ms or {APPLY}"
            ),
            Self::Unbounded(Unbounded::Other(key)) => {
                write!(f, "keeps records without a time limit because {key} has no limit; set it or {APPLY}")
            }
            Self::Beyond { bound, ttl } => {
                write!(f, "can be read for {bound}, longer than its time-to-live of {ttl}; {APPLY}")
            }
            Self::OnDisk { bound, ttl, slack } => write!(
                f,
                "can stay on disk for {bound}, longer than its time-to-live {ttl} + the slack {slack}; lower \
                 file.delete.delay.ms or {APPLY}"
            ),
            Self::Ahead { partition, dated, expires, .. } => write!(
                f,
                "keeps records for too long because partition {partition} contains a record dated {dated}, whose segment \
                 cannot expire before {expires}; wait until then, use a new topic, or purge the topic"
            ),
            Self::TooOld { partitions } => write!(
                f,
                "may contain records dated in the future, because the brokers that lead partitions {partitions:?} do \
                 not report a largest timestamp (ListOffsets MAX_TIMESTAMP, KIP-734); upgrade them to Kafka 3.0 or \
                 later"
            ),
            Self::TooShort { retention, least } => write!(
                f,
                "deletes records after {retention}, but windows and the longest outage to survive need {least}; \
                 {APPLY}"
            ),
            Self::RetentionBytes(bytes) => {
                write!(
                    f,
                    "deletes records beyond {bytes} bytes even if they were not read; set retention.bytes to -1 or \
                     {APPLY}"
                )
            }
            Self::Clock { wanted: Clock::Append } => write!(
                f,
                "lets producers set timestamps (CreateTime), but brokers must set them (LogAppendTime); {APPLY}"
            ),
            Self::Clock { wanted: Clock::Create { .. } } => write!(
                f,
                "has timestamps set by the broker (LogAppendTime), but producers must set them (CreateTime); {APPLY}"
            ),
            Self::Partitions { there, wanted } => {
                write!(
                    f,
                    "has {there} partitions, but {wanted} are configured; change the topic or the configuration"
                )
            }
            Self::Overstayed { partition, age, bound } => write!(
                f,
                "has a record of age {age} in partition {partition}, but records must not be older than {bound}; check \
                 the logs of its brokers"
            ),
            Self::GzipTooLarge { batch } => write!(
                f,
                "accepts batches of {batch} bytes, but a gzip batch of that size can decompress to more than 4 GiB, which \
                 librdkafka never finishes; set max.message.bytes to at most {MAX_GZIP_BYTES}, or compression.type to zstd"
            ),
            Self::Unmeasured { partitions } => {
                write!(f, "has no leader for partitions {partitions:?}, so their records were not measured")
            }
        }
    }
}
