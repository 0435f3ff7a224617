//! The findings of a check.

use std::fmt;

use crowdfold_model::{Span, Timestamp};

use super::Clock;

/// The largest gzip batch that cannot exceed 4 GiB when unpacked, bytes: gzip expands at most 1,032 times.
pub(super) const MOST_GZIP: u64 = 4_000_000;

/// The reason why a topic keeps records without a time limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unbounded {
    /// `retention.ms` is -1.
    Retention,
    /// `cleanup.policy` is not exactly `delete`.
    CleanupPolicy(String),
    /// Tiered storage is enabled.
    RemoteStorage,
    /// Producers may set any timestamp in the future.
    Ahead,
    /// Segments that never roll, or brokers that never check.
    Other(&'static str),
}

/// A difference from the specification of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The topic does not exist.
    Missing,
    /// Records are kept forever, or for a time that nothing limits.
    Unbounded(Unbounded),
    /// Records can be read longer than `[ttl]` allows.
    Beyond {
        /// The bound that results from the settings.
        bound: Span,
        /// The configured time-to-live.
        ttl: Span,
    },
    /// Records can be on disk longer than `[ttl]` and `ttl.on_disk_slack` allow.
    OnDisk {
        /// The bound that results from the settings.
        bound: Span,
        /// The configured time-to-live.
        ttl: Span,
        /// The configured additional time on disk.
        slack: Span,
    },
    /// A segment has a timestamp in the future, so it is kept beyond every bound.
    Ahead {
        /// The partition.
        partition: u32,
        /// The largest timestamp.
        dated: Timestamp,
        /// The time at which its segment can expire, by `retention.ms`.
        expires: Timestamp,
        /// The distance of the timestamp into the future.
        by: Span,
    },
    /// Brokers that cannot report a largest timestamp.
    TooOld {
        /// The partitions they lead.
        partitions: Vec<u32>,
    },
    /// Records are deleted before windows and the longest outage to survive are over.
    TooShort {
        /// The retention.
        retention: Span,
        /// The required retention.
        least: Span,
    },
    /// Records are deleted by size, even if they were not read.
    RetentionBytes(String),
    /// Timestamps are set by another clock than `source.trust_timestamps` requires.
    Clock {
        /// The required clock.
        wanted: Clock,
    },
    /// The number of partitions differs from the configuration.
    Partitions {
        /// The actual number.
        there: u32,
        /// The configured number.
        wanted: u32,
    },
    /// The oldest readable record is older than allowed.
    Overstayed {
        /// The partition.
        partition: u32,
        /// The age of the record.
        age: Span,
        /// The bound.
        bound: Span,
    },
    /// A gzip batch may be too large for librdkafka when unpacked.
    Unpacks {
        /// The largest batch, bytes.
        batch: u64,
    },
    /// The partitions have no leader, so their records were not measured.
    Unmeasured {
        /// The partitions.
        partitions: Vec<u32>,
    },
}

impl Finding {
    /// Returns true if the finding breaks a guarantee or loses data: exit 3. Other findings are informational.
    #[must_use]
    pub const fn is_breach(&self) -> bool {
        !matches!(self, Self::Unmeasured { .. } | Self::Unpacks { .. })
    }

    /// Returns true if the finding is about records that are or may be kept too long, which `audit` reports. The others
    /// are about losing records.
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

    /// Returns true if `run` refuses to start because of the finding. A record that is too old raises an alarm instead,
    /// because stopping would not remove it.
    #[must_use]
    pub const fn refuses_start(&self) -> bool {
        self.is_breach() && !matches!(self, Self::Overstayed { .. })
    }
}

/// Formats the finding and its fix as the continuation of "topic x ".
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
                write!(f, "keeps records without a time limit because {key} has none; set it or {APPLY}")
            }
            Self::Beyond { bound, ttl } => {
                write!(f, "can be read for {bound}, longer than its [ttl] of {ttl}; {APPLY}, or raise [ttl]")
            }
            Self::OnDisk { bound, ttl, slack } => write!(
                f,
                "can stay on disk for {bound}, longer than its [ttl] {ttl} + ttl.on_disk_slack {slack}; lower \
                 file.delete.delay.ms or {APPLY}, or raise ttl.on_disk_slack"
            ),
            Self::Ahead { partition, dated, expires, by } => {
                write!(
                    f,
                    "is not bounded because partition {partition} contains a record dated {dated}, whose segment \
                     cannot expire before {expires}; wait until then, use a new topic, or run `crowdfold topics apply \
                     --purge-ahead`"
                )?;
                // a clock is hardly ever wrong by more than this
                if *by < Span::HOUR {
                    write!(f, " (or check whether this host's clock is {by} slow)")
                } else {
                    Ok(())
                }
            }
            Self::TooOld { partitions } => write!(
                f,
                "may contain records dated in the future, because the brokers that lead partitions {partitions:?} do \
                 not report a largest timestamp (ListOffsets MAX_TIMESTAMP, KIP-734); upgrade them to Kafka 3.0 or \
                 later"
            ),
            Self::TooShort { retention, least } => write!(
                f,
                "loses records after {retention}, but windows and the longest outage to survive need {least}; {APPLY}, \
                 or lower ttl.max_outage"
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
                "lets producers set timestamps (CreateTime), but source.trust_timestamps is false; {APPLY}, or set it \
                 to true"
            ),
            Self::Clock { wanted: Clock::Create { .. } } => write!(
                f,
                "has timestamps set by the broker (LogAppendTime), but source.trust_timestamps is true; {APPLY}, or \
                 set it to false"
            ),
            Self::Partitions { there, wanted } => {
                write!(f, "has {there} partitions, but {wanted} are configured; change one of them")
            }
            Self::Overstayed { partition, age, bound } => write!(
                f,
                "has a record of age {age} in partition {partition}, but records must not be older than {bound}; check \
                 the logs of its brokers"
            ),
            Self::Unpacks { batch } => write!(
                f,
                "accepts batches of {batch} bytes, but a gzip batch of that size can unpack to more than 4 GiB, which \
                 librdkafka never finishes; set max.message.bytes to at most {MOST_GZIP}, or compression.type to zstd"
            ),
            Self::Unmeasured { partitions } => {
                write!(f, "has no leader for partitions {partitions:?}, so their records were not measured")
            }
        }
    }
}
