//! The sections `[topics]` and `[ttl]`: the topics, and the time-to-live of their records.

use std::time::Duration;

use serde::Deserialize;

use crate::fields::{self, DAY, SECOND};

/// The section `[topics]`: partitions and replicas of the topics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Topics {
    /// The number of partitions of the topic of beacons. Its maximum follows from the maximum size of offset metadata,
    /// in which a merger lists missing partitions.
    #[serde(deserialize_with = "fields::whole::<1, 4_096, _, _>")]
    pub beacon_partitions: u32,
    /// The number of partitions of the topic of partials.
    #[serde(deserialize_with = "fields::whole::<1, 1_000, _, _>")]
    pub partial_partitions: u32,
    /// The number of partitions of the topics of rollups and of the topic of rejections.
    #[serde(deserialize_with = "fields::whole::<1, 10_000, _, _>")]
    pub rollup_partitions: u32,
    /// The number of replicas of each partition.
    #[serde(deserialize_with = "fields::whole::<1, 10, _, _>")]
    pub replication: u32,
}

impl Default for Topics {
    fn default() -> Self {
        Self { beacon_partitions: 4, partial_partitions: 4, rollup_partitions: 4, replication: 3 }
    }
}

/// The section `[ttl]`: the maximum times for which records are readable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ttl {
    /// The maximum time for which beacons are readable.
    #[serde(deserialize_with = "fields::duration::<SECOND, { 7 * DAY }, _>")]
    pub beacons: Duration,
    /// The maximum time for which partials are readable.
    #[serde(deserialize_with = "fields::duration::<SECOND, { 7 * DAY }, _>")]
    pub partials: Duration,
    /// The maximum time for which rollups are readable.
    #[serde(deserialize_with = "fields::duration::<SECOND, { 3_650 * DAY }, _>")]
    pub rollups: Duration,
    /// The maximum time for which notes on rejected beacons are readable.
    #[serde(deserialize_with = "fields::duration::<SECOND, { 3_650 * DAY }, _>")]
    pub rejections: Duration,
    /// The time for which a record may stay on disk after its time-to-live.
    #[serde(deserialize_with = "fields::duration::<0, { 7 * DAY }, _>")]
    pub on_disk_slack: Duration,
    /// True if beacons are erased soon after they were counted.
    pub erase_counted: bool,
    /// True to permit `erase_counted` for a topic that other programs may read.
    pub erase_shared: bool,
    /// The longest outage of all workers after which no beacon may be lost.
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
