//! `[topics]` and `[ttl]`: the topics, and for how long their records are readable.

use std::time::Duration;

use serde::Deserialize;

use crate::fields::{self, DAY, SECOND};

/// `[topics]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Topics {
    /// Partitions of the beacons' topic. A merger names missing partitions in the metadata of its offset, which limits
    /// their number.
    #[serde(deserialize_with = "fields::whole::<1, 4_096, _, _>")]
    pub beacon_partitions: u32,
    /// Partitions of the partials' topic.
    #[serde(deserialize_with = "fields::whole::<1, 1_000, _, _>")]
    pub partial_partitions: u32,
    /// Partitions of the rollups' and of the rejections' topics.
    #[serde(deserialize_with = "fields::whole::<1, 10_000, _, _>")]
    pub rollup_partitions: u32,
    /// Replicas of each partition.
    #[serde(deserialize_with = "fields::whole::<1, 10, _, _>")]
    pub replication: u32,
}

impl Default for Topics {
    fn default() -> Self {
        Self { beacon_partitions: 4, partial_partitions: 4, rollup_partitions: 4, replication: 3 }
    }
}

/// `[ttl]`: the longest time for which records are readable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ttl {
    /// Beacons.
    #[serde(deserialize_with = "fields::duration::<SECOND, { 7 * DAY }, _>")]
    pub beacons: Duration,
    /// Partials.
    #[serde(deserialize_with = "fields::duration::<SECOND, { 7 * DAY }, _>")]
    pub partials: Duration,
    /// Rollups.
    #[serde(deserialize_with = "fields::duration::<SECOND, { 3_650 * DAY }, _>")]
    pub rollups: Duration,
    /// Rejections.
    #[serde(deserialize_with = "fields::duration::<SECOND, { 3_650 * DAY }, _>")]
    pub rejections: Duration,
    /// Time for which a record may stay on a disk after it has become unreadable.
    #[serde(deserialize_with = "fields::duration::<0, { 7 * DAY }, _>")]
    pub on_disk_slack: Duration,
    /// Beacons are erased as soon as they are counted.
    pub erase_counted: bool,
    /// `erase_counted` may empty a topic that other programs read.
    pub erase_shared: bool,
    /// The longest outage of all workers in which nothing may be lost.
    #[serde(deserialize_with = "fields::duration::<0, { 7 * DAY }, _>")]
    pub max_outage: Duration,
}

impl Default for Ttl {
    fn default() -> Self {
        let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
        Self {
            beacons: minutes(60),
            partials: minutes(6 * 60),
            rollups: minutes(30 * 24 * 60),
            rejections: minutes(24 * 60),
            on_disk_slack: minutes(5),
            erase_counted: false,
            erase_shared: false,
            max_outage: minutes(30),
        }
    }
}
