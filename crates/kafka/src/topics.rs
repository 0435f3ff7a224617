//! Topics and their time-to-live: specifications, creation of topics, and verification.
//!
//! [`Admin::plan`] compares the specifications with the existing topics and returns the necessary changes.
//! [`Admin::apply`] makes these changes. [`Admin::check`] reads the settings of topics *and* brokers, computes how long
//! a record can be read and how long it can stay on disk, and measures the age of the oldest readable record and the
//! largest timestamp. [`Admin::purge`] removes segments that do not expire because of a timestamp in the future.

mod admin;
mod ahead;
mod apply;
mod check;
mod configs;
mod erase;
mod finding;
mod measure;
mod purge;
mod readers;
mod ttl;

use std::time::Duration;

use crowdfold_model::Timestamp;

pub use admin::Admin;
pub use apply::{Change, Difference};
pub use check::{Report, TopicReport};
pub use finding::{Finding, Unbounded};
pub use purge::{Purge, Purged, Unread};
pub use readers::{Access, ClusterRight, Grant, Permissions, Reader, Readers};
pub use ttl::{Bounds, Times};

/// The purpose of a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// The beacons that players report. They are personal data.
    Beacons,
    /// The partials (cells before folding). They are classified as personal data, because a cell can contain a single
    /// session.
    Partials,
    /// The published rows.
    Rollups,
    /// The notes on rejected beacons.
    Rejections,
}

impl Purpose {
    /// Returns the name of this purpose in the output of commands and in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Beacons => "beacons",
            Self::Partials => "partials",
            Self::Rollups => "rollups",
            Self::Rejections => "rejections",
        }
    }

    /// Returns true if the worker reads topics of this purpose. If the broker deletes records of such a topic too soon,
    /// the worker loses data.
    pub(crate) const fn is_read_by_us(self) -> bool {
        matches!(self, Self::Beacons | Self::Partials)
    }
}

/// The clock that sets a topic's timestamps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// The broker's clock (`LogAppendTime`).
    Append,
    /// The producer's clock (`CreateTime`).
    Create {
        /// The maximum time by which a timestamp may be ahead of the broker's clock
        /// (`message.timestamp.after.max.ms`).
        ahead: Duration,
    },
}

/// The specification of a topic, from the configuration of crowdfold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// The name of the topic.
    pub topic: String,
    /// The purpose of the topic.
    pub purpose: Purpose,
    /// The number of partitions.
    pub partitions: u32,
    /// The number of replicas of each partition.
    pub replication: u32,
    /// The time-to-live: the maximum time for which a record may be readable.
    pub ttl: Duration,
    /// The minimum time for which records must be readable for the worker. It includes the longest outage that the
    /// deployment must survive. Zero if the worker does not read the topic.
    pub least: Duration,
    /// The clock that sets the timestamps of records.
    pub clock: Clock,
    /// The maximum time by which the timestamp of a record may be in the future.
    pub max_skew: Duration,
    /// The time for which a record may stay on disk after `ttl`.
    pub on_disk_slack: Duration,
    /// The maximum size of a batch of records, in bytes.
    pub max_message_bytes: u32,
}

impl Spec {
    /// Returns the largest timestamp that a record may have at the time `now`. It includes a tolerance for
    /// differences between clocks.
    pub(crate) fn latest(&self, now: Timestamp) -> Timestamp {
        let ahead = match self.clock {
            Clock::Append => Duration::ZERO,
            Clock::Create { ahead } => ahead,
        };
        now.saturating_add(self.max_skew.max(ahead).into()).saturating_add(check::TOLERANCE)
    }

    /// Returns the number of in-sync replicas that a write needs (`min.insync.replicas`). The number is two for three
    /// or more replicas, otherwise one.
    pub(crate) const fn min_in_sync(&self) -> u32 {
        if self.replication >= 3 { 2 } else { 1 }
    }
}
