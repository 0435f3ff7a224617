//! Topics and their time-to-live: specification, creation, and verification.
//!
//! [`Admin::plan`] compares the specifications with the existing topics, and [`Admin::apply`] makes the changes.
//! [`Admin::check`] reads the settings of topics *and* brokers, computes how long a record can be read and be on disk,
//! and measures the oldest readable record and the largest timestamp. [`Admin::purge`] removes segments that are kept
//! by a timestamp in the future.

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
    /// The beacons that players report. Personal data.
    Beacons,
    /// Cells before release. Personal data by classification.
    Partials,
    /// Released rows.
    Rollups,
    /// Notes on rejected beacons.
    Rejections,
}

impl Purpose {
    /// Returns the name used in tables and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Beacons => "beacons",
            Self::Partials => "partials",
            Self::Rollups => "rollups",
            Self::Rejections => "rejections",
        }
    }

    /// Returns true if a stage of the worker reads the topic, so that records deleted too soon are lost.
    pub(crate) const fn is_read_by_us(self) -> bool {
        matches!(self, Self::Beacons | Self::Partials)
    }
}

/// The clock that sets a topic's timestamps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// The broker's clock (`LogAppendTime`).
    Append,
    /// The producer's clock (`CreateTime`), up to this far ahead of the broker's.
    Create {
        /// `message.timestamp.after.max.ms`.
        ahead: Duration,
    },
}

/// The specification of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// The name.
    pub topic: String,
    /// The purpose.
    pub purpose: Purpose,
    /// The number of partitions.
    pub partitions: u32,
    /// The number of replicas of each partition.
    pub replication: u32,
    /// `[ttl]`: the longest time for which a record can be read.
    pub ttl: Duration,
    /// The shortest time for which a record must be readable: window, lateness, session and the longest outage to
    /// survive. Zero if no stage reads the topic.
    pub least: Duration,
    /// The clock that sets timestamps.
    pub clock: Clock,
    /// `windows.max_skew`: how far ahead of the present a record may be dated.
    pub max_skew: Duration,
    /// `ttl.on_disk_slack`: how much longer than `ttl` a record may stay on disk.
    pub on_disk_slack: Duration,
    /// The largest batch of records, bytes.
    pub max_message_bytes: u32,
}

impl Spec {
    /// Returns the largest timestamp that a record may have at this time. It allows for small
    /// differences between clocks.
    pub(crate) fn latest(&self, now: Timestamp) -> Timestamp {
        let ahead = match self.clock {
            Clock::Append => Duration::ZERO,
            Clock::Create { ahead } => ahead,
        };
        now.saturating_add(self.max_skew.max(ahead).into()).saturating_add(check::TOLERANCE)
    }

    /// Returns the number of in-sync replicas that a write needs: with three replicas, one may be missing.
    pub(crate) const fn min_in_sync(&self) -> u32 {
        if self.replication >= 3 { 2 } else { 1 }
    }
}
