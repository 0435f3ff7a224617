//! `[source]`: the topic of the beacons, and the form of its records.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde::de::{Deserializer, Error, Unexpected};

use crate::fields::{self, HOUR, SECOND, TextOrList};

/// `message.timestamp.after.max.ms` of a topic whose producers set the time.
const AHEAD: Duration = Duration::from_secs(60);

const PATH: &str = "a path of object keys, such as \"player.session_id\" or [\"player\", \"session.id\"]";

/// `[source]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Source {
    /// The topic of the beacons, if it is not `{prefix}.beacons`.
    #[serde(deserialize_with = "fields::optional_text")]
    pub topic: Option<String>,
    /// Form of records without a `content-type`.
    pub format: Format,
    /// The partitioner of the producers.
    pub partitioner: Partitioner,
    /// Producers set record timestamps.
    pub trust_timestamps: bool,
    /// With `trust_timestamps`: time at the end of a partition after which it counts as silent.
    #[serde(deserialize_with = "fields::duration::<SECOND, HOUR, _>")]
    pub idle_timeout: Duration,
    /// Reaction to a batch that cannot be read.
    pub on_damaged: OnDamaged,
    /// Most beacons of one record, or of one request to the collector.
    #[serde(deserialize_with = "fields::whole::<1, 1_000_000, _, _>")]
    pub max_beacons: usize,
    /// Path of each field of a JSON beacon, by our name.
    #[serde(deserialize_with = "fields::map::<_, FieldPath, _>")]
    pub fields: BTreeMap<String, Vec<String>>,
    /// Path of each field of a CDN's log, by our name.
    #[serde(deserialize_with = "fields::map::<_, FieldPath, _>")]
    pub log: BTreeMap<String, Vec<String>>,
}

impl Default for Source {
    fn default() -> Self {
        Self {
            topic: None,
            format: Format::default(),
            partitioner: Partitioner::default(),
            trust_timestamps: false,
            idle_timeout: Duration::from_secs(60),
            on_damaged: OnDamaged::default(),
            max_beacons: 10_000,
            fields: BTreeMap::new(),
            log: BTreeMap::new(),
        }
    }
}

impl Source {
    /// Returns the most that the timestamp of a beacon's record may be ahead of the broker's clock: 0 if the broker
    /// sets it.
    #[must_use]
    pub const fn ahead(&self) -> Duration {
        if self.trust_timestamps { AHEAD } else { Duration::ZERO }
    }
}

/// Form of records without a `content-type` header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// A JSON object, an array of them, or NDJSON.
    #[default]
    Json,
    /// CMCD event-mode lines, or a query.
    Cmcd,
    /// Captured HTTP requests or lines of a CDN's log, one JSON object each.
    Capture,
}

/// The function by which producers choose the partition of a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Partitioner {
    /// Java's default, and librdkafka's `murmur2_random`.
    #[default]
    Murmur2,
    /// librdkafka's default (`consistent_random`).
    Crc32,
    /// sarama's default.
    Fnv1a,
}

/// Reaction to a batch that cannot be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnDamaged {
    /// The worker exits.
    #[default]
    Stop,
    /// The batch is skipped and counted as lost.
    Skip,
}

/// A path of object keys.
struct FieldPath(Vec<String>);

impl From<FieldPath> for Vec<String> {
    fn from(path: FieldPath) -> Self {
        path.0
    }
}

impl<'de> Deserialize<'de> for FieldPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let path = match fields::text_or_list(deserializer, PATH)? {
            TextOrList::Text(path) => path.split('.').map(str::to_owned).collect(),
            TextOrList::List(path) => path,
        };
        if path.is_empty() || path.iter().any(String::is_empty) {
            return Err(D::Error::invalid_value(Unexpected::Other("path"), &PATH));
        }
        Ok(Self(path))
    }
}
