//! The effective settings of a topic: its own settings, and the brokers' defaults for all others.

use std::collections::BTreeMap;

use crowdfold_model::Span;
use rdkafka::admin::{ConfigEntry, ConfigResource, ConfigSource};

use super::ttl::Times;

/// The settings of one topic, and of the brokers that have a replica of it.
pub(super) struct Configs<'a> {
    pub(super) topic: ConfigResource,
    pub(super) brokers: Vec<&'a ConfigResource>,
}

impl Configs<'_> {
    /// Returns the settings that are set on the topic itself. A change must write all these settings back, because a
    /// request AlterConfigs removes the settings that it does not contain.
    pub(super) fn own(&self) -> BTreeMap<String, String> {
        let own = self.topic.entries.iter().filter(|entry| entry.source == ConfigSource::DynamicTopic);
        own.filter_map(|entry| Some((entry.name.clone(), entry.value.clone()?))).collect()
    }

    /// Returns the effective value of a setting, as the responding broker reports it.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.topic.get(key)?.value.as_deref()
    }

    /// Returns true if a setting has this effective value.
    pub(super) fn is(&self, key: &str, value: &str) -> bool {
        self.get(key) == Some(value)
    }

    /// Returns the settings that determine how long a record exists.
    pub(super) fn times(&self) -> Times {
        let retention = self.longest(
            "retention.ms",
            &[("log.retention.ms", 1), ("log.retention.minutes", 60_000), ("log.retention.hours", 3_600_000)],
        );
        let segment = self.longest("segment.ms", &[("log.roll.ms", 1), ("log.roll.hours", 3_600_000)]);
        let delete_delay = self.longest("file.delete.delay.ms", &DELETE_DELAY);
        let ahead = if self.is_create_time() {
            self.longest("message.timestamp.after.max.ms", &[("log.message.timestamp.after.max.ms", 1)])
        } else {
            Span::ZERO
        };
        Times { retention, segment, check: check_interval(self.brokers.iter().copied()), delete_delay, ahead }
    }

    /// Returns true if producers set the timestamps (`CreateTime`).
    pub(super) fn is_create_time(&self) -> bool {
        !self.is("message.timestamp.type", "LogAppendTime")
    }

    /// Returns the value of a setting that is a duration. If the setting is not set on the topic, this is the longest
    /// default of the topic's brokers. A broker can have several settings for the default; `defaults` lists their names
    /// in the order of precedence, each with its unit in milliseconds.
    fn longest(&self, key: &str, defaults: &[(&str, u64)]) -> Span {
        let topic = self.topic.get(key);
        let own = topic.filter(|entry| entry.source == ConfigSource::DynamicTopic);
        if let Some(own) = own {
            return span(own, 1).unwrap_or(Span::MAX);
        }
        let of =
            |broker: &&ConfigResource| defaults.iter().find_map(|(key, unit)| span(broker.get(key)?, *unit));
        let brokers = self.brokers.iter().filter_map(of);
        brokers.chain(topic.and_then(|entry| span(entry, 1))).max().unwrap_or(Span::MAX)
    }
}

/// The setting of a broker that is the default for `file.delete.delay.ms`, with its unit in milliseconds.
const DELETE_DELAY: [(&str, u64); 1] = [("log.segment.delete.delay.ms", 1)];

/// Returns the longest default of all brokers for `file.delete.delay.ms`, the time for which a deleted file stays on
/// disk.
pub(super) fn default_delete_delay<'a>(brokers: impl Iterator<Item = &'a ConfigResource>) -> Span {
    let [(key, unit)] = DELETE_DELAY;
    brokers
        .map(|broker| broker.get(key).and_then(|entry| span(entry, unit)).unwrap_or(Span::MAX))
        .max()
        .unwrap_or(Span::MAX)
}

/// Returns the interval at which brokers check for old records. If brokers have different intervals, this is the
/// longest.
pub(super) fn check_interval<'a>(brokers: impl Iterator<Item = &'a ConfigResource>) -> Span {
    let interval = |broker: &ConfigResource| span(broker.get("log.retention.check.interval.ms")?, 1);
    brokers.map(|broker| interval(broker).unwrap_or(Span::MAX)).max().unwrap_or(Span::MAX)
}

/// Parses a duration in `unit` milliseconds. Negative values and the largest 64-bit number mean "without limit"
/// ([`Span::MAX`]). Returns `None` if the setting has no value or is not a number.
fn span(entry: &ConfigEntry, unit: u64) -> Option<Span> {
    let value: i64 = entry.value.as_deref()?.parse().ok()?;
    if value == i64::MAX {
        return Some(Span::MAX);
    }
    Some(u64::try_from(value).map_or(Span::MAX, |value| Span::from_millis(value.saturating_mul(unit))))
}
