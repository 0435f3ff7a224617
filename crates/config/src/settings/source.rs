//! The section `[source]`: the topic of beacons, and the format of its records.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde::de::{Deserializer, Error, Unexpected};

use crate::fields::{self, HOUR, SECOND, TextOrList};

/// The value of `message.timestamp.after.max.ms` for a topic of beacons whose producers set the timestamps.
const AHEAD: Duration = Duration::from_secs(60);

const PATH: &str = "a path of object keys, such as \"player.session_id\" or [\"player\", \"session.id\"]";

/// The section `[source]`: the topic of beacons and its records.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Source {
    /// The name of the topic of beacons. `None` means `{prefix}.beacons`.
    #[serde(deserialize_with = "fields::optional_text")]
    pub topic: Option<String>,
    /// The format of records without the header `content-type`.
    pub format: Format,
    /// The function by which the producers select the partition of a session.
    pub partitioner: Partitioner,
    /// True if producers set the timestamps of records.
    pub trust_timestamps: bool,
    /// The time without new records after which a partition counts as idle. It applies only if `trust_timestamps` is
    /// true.
    #[serde(deserialize_with = "fields::duration::<SECOND, HOUR, _>")]
    pub idle_timeout: Duration,
    /// The reaction to a batch of records that cannot be read.
    pub on_damaged: OnDamaged,
    /// The maximum number of beacons in one record, or in one request to the collector.
    #[serde(deserialize_with = "fields::whole::<1, 1_000_000, _, _>")]
    pub max_beacons: usize,
    /// The paths of fields in JSON beacons, by the name that crowdfold uses. A field that is not listed has the name
    /// that crowdfold uses.
    #[serde(deserialize_with = "fields::map::<_, FieldPath, _>")]
    pub fields: BTreeMap<String, Vec<String>>,
    /// The paths of fields in the lines of a CDN's log, by the name that crowdfold uses.
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
    /// Returns the maximum time by which the timestamp of a record may be ahead of the broker's clock. It is 0 if the
    /// broker sets the timestamps.
    #[must_use]
    pub const fn ahead(&self) -> Duration {
        if self.trust_timestamps { AHEAD } else { Duration::ZERO }
    }
}

/// The format of records without the header `content-type`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// A JSON object, an array of them, or NDJSON.
    #[default]
    Json,
    /// Lines of CMCD event mode, or a query with CMCD.
    Cmcd,
    /// Captured HTTP requests or lines of a CDN's log, one JSON object each.
    Capture,
}

/// The function by which producers select the partition of a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Partitioner {
    /// The default of Kafka's Java client, and `murmur2_random` of librdkafka.
    #[default]
    Murmur2,
    /// The default of librdkafka (`consistent_random`).
    Crc32,
    /// The default of the Go client sarama.
    Fnv1a,
}

/// The reaction to a batch of records that cannot be read.
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
pub(super) struct FieldPath(pub(super) Vec<String>);

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
