//! `[topics]` and `[ttl]`: which topics there are, and how long they may be read.

use super::Config;
use super::layers::Layers;
use super::problem::Problem;

const SECOND: u64 = 1_000;
const DAY: u64 = 86_400 * SECOND;

/// `[topics]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Topics {
    /// Partitions of the beacons (N).
    pub partitions: u32,
    /// Partitions of the partials (M).
    pub merge_partitions: u32,
    /// Partitions of the rollups and of the rejections.
    pub rollup_partitions: u32,
    /// Copies of each partition.
    pub replication: u32,
}

impl Topics {
    pub(super) fn read(layers: &Layers) -> Result<Self, Problem> {
        let number = |key, most| Ok(u32::try_from(layers.whole(key, 1..=most)?).unwrap_or(u32::MAX));
        Ok(Self {
            // A merger's decision names missing partitions in the metadata of its offset, which has room for so many.
            partitions: number("topics.partitions", 4_096)?,
            merge_partitions: number("topics.merge_partitions", 1_000)?,
            rollup_partitions: number("topics.rollup_partitions", 10_000)?,
            replication: number("topics.replication", 10)?,
        })
    }
}

/// `[ttl]`: readable at most, ms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ttl {
    /// Beacons.
    pub beacons: u64,
    /// Partials.
    pub partials: u64,
    /// Rollups.
    pub rollups: u64,
    /// Rejections.
    pub rejections: u64,
    /// The outage of all workers that must lose nothing, ms.
    pub outage: u64,
    /// How much longer than it may be readable a record may lie on a disk, ms.
    pub on_disk_slack: u64,
    /// Whether beacons are erased as soon as they are counted.
    pub erase_counted: bool,
    /// Whether that may be done to a topic that is not this deployment's own.
    pub erase_shared: bool,
}

impl Ttl {
    pub(super) fn read(layers: &Layers) -> Result<Self, Problem> {
        Ok(Self {
            beacons: layers.duration("ttl.beacons", SECOND..=7 * DAY)?,
            partials: layers.duration("ttl.partials", SECOND..=7 * DAY)?,
            rollups: layers.duration("ttl.rollups", SECOND..=3_650 * DAY)?,
            rejections: layers.duration("ttl.rejections", SECOND..=3_650 * DAY)?,
            outage: layers.duration("ttl.outage", 0..=7 * DAY)?,
            on_disk_slack: layers.duration("ttl.on_disk_slack", 0..=7 * DAY)?,
            erase_counted: layers.flag("ttl.erase_counted")?,
            erase_shared: layers.flag("ttl.erase_shared")?,
        })
    }
}

/// The topics, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicNames {
    /// Beacons.
    pub beacons: String,
    /// Partials.
    pub partials: String,
    /// Rejections.
    pub rejections: String,
    /// Rollups: one topic, or one for each tenant in the catalogue's order.
    rollups: Vec<String>,
}

impl TopicNames {
    pub(super) fn of(config: &Config) -> Self {
        let prefix = &config.kafka.prefix;
        let rollups = format!("{prefix}.rollups");
        Self {
            beacons: config.source.topic.clone().unwrap_or_else(|| format!("{prefix}.beacons")),
            partials: format!("{prefix}.partials"),
            rejections: format!("{prefix}.rejections"),
            rollups: if config.tenants.per_tenant_topics {
                config.tenants.names.iter().map(|tenant| format!("{rollups}.{tenant}")).collect()
            } else {
                vec![rollups]
            },
        }
    }

    /// The topic of a tenant's rollups; the tenant is an index into the catalogue.
    ///
    /// # Panics
    /// When there are topics by tenant and the catalogue has no such tenant.
    #[must_use]
    pub fn rollups_of(&self, tenant: usize) -> &str {
        if self.rollups.len() == 1 { &self.rollups[0] } else { &self.rollups[tenant] }
    }

    /// All topics of rollups.
    #[must_use]
    pub fn rollups(&self) -> &[String] {
        &self.rollups
    }
}
