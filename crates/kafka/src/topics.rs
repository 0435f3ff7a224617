//! Topics and their time-to-live: what they are to be, what makes them so, and whether they are.
//!
//! [`Admin::plan`] compares with what is there and [`Admin::apply`] makes it so; [`Admin::check`] reads topics *and*
//! brokers, computes how long a record can be read and lies on a disk, and measures the oldest that can be read and the
//! largest timestamp. [`Admin::purge`] removes segments that a timestamp in the future holds.

mod admin;
mod ahead;
mod apply;
mod check;
mod configs;
mod erase;
mod finding;
mod measure;
mod moment;
mod purge;
mod readers;
mod span;
mod ttl;

use std::time::Duration;

pub use admin::Admin;
pub use apply::{Change, Difference, PlanError};
pub use check::{Report, TopicReport};
pub use finding::{Finding, Unbounded};
pub use moment::Moment;
pub use purge::{Purge, Purged, Unread};
pub use readers::{Access, ClusterRight, Grant, Permissions, Reader, Readers};
pub use span::Span;
pub use ttl::{Bounds, Times};

/// What a topic is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// What players report. Personal data.
    Beacons,
    /// Cells before release. Personal data by class.
    Partials,
    /// Released rows.
    Rollups,
    /// Notes on rejected beacons.
    Rejections,
}

impl Purpose {
    /// The name in tables and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Beacons => "beacons",
            Self::Partials => "partials",
            Self::Rollups => "rollups",
            Self::Rejections => "rejections",
        }
    }

    /// Whether a stage of ours reads it, so that what is deleted too soon is lost.
    pub(crate) const fn is_read_by_us(self) -> bool {
        matches!(self, Self::Beacons | Self::Partials)
    }
}

/// Whose clock stamps a topic's records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// The broker's (`LogAppendTime`).
    Append,
    /// The producer's (`CreateTime`), as far ahead of the broker's as this.
    Create {
        /// `message.timestamp.after.max.ms`.
        ahead: Duration,
    },
}

/// What a topic is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// Its name.
    pub topic: String,
    /// What it is for.
    pub purpose: Purpose,
    /// How many partitions.
    pub partitions: u32,
    /// How many replicas of each.
    pub replication: u32,
    /// `[ttl]`: how long a record can be read at most.
    pub ttl: Duration,
    /// How long a record must be there at least: window, lateness, session and the outage to be survived. Zero where
    /// nobody of ours reads it.
    pub least: Duration,
    /// Whose clock.
    pub clock: Clock,
    /// `windows.max_skew`: how far ahead of the present a record may be dated.
    pub max_skew: Duration,
    /// `ttl.on_disk_slack`: how much longer than `ttl` a record may lie on a disk.
    pub on_disk_slack: Duration,
    /// Largest batch of records, bytes.
    pub max_message_bytes: u32,
}

impl Spec {
    /// The largest timestamp that a record may have at this time, ms since the epoch. Clocks of brokers and of whoever
    /// asks may differ a little.
    pub(crate) fn latest(&self, now: u64) -> u64 {
        let ahead = match self.clock {
            Clock::Append => Duration::ZERO,
            Clock::Create { ahead } => ahead,
        };
        now.saturating_add(span::millis(self.max_skew.max(ahead))).saturating_add(check::TOLERANCE)
    }

    /// In-sync replicas that a write needs: one may be missing where there are three.
    pub(crate) const fn min_in_sync(&self) -> u32 {
        if self.replication >= 3 { 2 } else { 1 }
    }
}
