//! What a check may find.

use std::fmt;

use super::{Clock, Moment, Span};

/// The largest gzip batch that cannot be larger than 4 GiB when unpacked, bytes: gzip reaches 1,032 times at most.
pub(super) const MOST_GZIP: u64 = 4_000_000;

/// Why a topic keeps records without bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unbounded {
    /// `retention.ms` is -1.
    Retention,
    /// `cleanup.policy` is not exactly `delete`.
    CleanupPolicy(String),
    /// Tiered storage.
    RemoteStorage,
    /// Producers' timestamps with no bound ahead.
    Ahead,
    /// Segments that never roll, or brokers that never look.
    Other(&'static str),
}

/// One thing that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// There is no such topic.
    Missing,
    /// Records stay for ever, or for as long as somebody likes.
    Unbounded(Unbounded),
    /// Records can be read longer than `[ttl]` says.
    Beyond {
        /// The bound.
        bound: Span,
        /// How long they may.
        ttl: Span,
    },
    /// Records can lie on a disk longer than `[ttl]` and `ttl.on_disk_slack` say.
    OnDisk {
        /// The bound.
        bound: Span,
        /// The time that they may be read.
        ttl: Span,
        /// The further time that they may lie there.
        slack: Span,
    },
    /// A segment has a timestamp in the future, so it stays longer than any bound says.
    Ahead {
        /// Its partition.
        partition: u32,
        /// The largest timestamp.
        dated: Moment,
        /// When its segment can expire, by `retention.ms`.
        expires: Moment,
        /// The distance of the timestamp into the future.
        by: Span,
    },
    /// Brokers that do not know how to report a largest timestamp.
    TooOld {
        /// The partitions they lead.
        partitions: Vec<u32>,
    },
    /// Records go before windows and the outage to be survived are over.
    TooShort {
        /// When.
        retention: Span,
        /// What is needed.
        least: Span,
    },
    /// Records go when there are many of them, read or not.
    RetentionBytes(String),
    /// Another clock stamps records than `source.trust_timestamps` says.
    Clock {
        /// The one it is to be.
        wanted: Clock,
    },
    /// Another number of partitions than the configuration says.
    Partitions {
        /// What there is.
        there: u32,
        /// What is to be.
        wanted: u32,
    },
    /// The oldest record that can be read is older than any should be.
    Overstayed {
        /// Its partition.
        partition: u32,
        /// Its age.
        age: Span,
        /// The bound.
        bound: Span,
    },
    /// A gzip batch may be too large for librdkafka when unpacked.
    Unpacks {
        /// The largest batch, bytes.
        batch: u64,
    },
    /// Nobody leads these partitions, so nobody says what is in them.
    Unmeasured {
        /// Their numbers.
        partitions: Vec<u32>,
    },
}

impl Finding {
    /// Whether it breaks the promise or loses data: exit 3. What is not is worth knowing.
    #[must_use]
    pub const fn is_breach(&self) -> bool {
        !matches!(self, Self::Unmeasured { .. } | Self::Unpacks { .. })
    }

    /// Whether it is about records that stay, or may stay, too long: what an audit asks. The others are about losing them.
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

    /// Whether `run` refuses to start on it. What was measured to be too old is alarmed instead: to stop reading mends
    /// nothing.
    #[must_use]
    pub const fn refuses_start(&self) -> bool {
        self.is_breach() && !matches!(self, Self::Overstayed { .. })
    }
}

/// What it is and how to mend it, to be read after "topic x ".
impl fmt::Display for Finding {
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
                // nobody's clock is wrong by more than this
                if by.0 < 3_600_000 {
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
                 or lower [ttl] outage"
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
