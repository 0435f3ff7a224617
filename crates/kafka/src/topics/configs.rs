//! The effective settings of a topic, including the brokers' defaults.

use std::collections::BTreeMap;

use crowdfold_model::Span;
use rdkafka::admin::{ConfigEntry, ConfigResource, ConfigSource};

use super::ttl::Times;

/// The settings of one topic, and of the brokers that hold it.
pub(super) struct Configs<'a> {
    pub(super) topic: ConfigResource,
    pub(super) brokers: Vec<&'a ConfigResource>,
}

impl Configs<'_> {
    /// Returns the settings of the topic itself, which legacy AlterConfigs would remove if they were not written back.
    pub(super) fn own(&self) -> BTreeMap<String, String> {
        let own = self.topic.entries.iter().filter(|entry| entry.source == ConfigSource::DynamicTopic);
        own.filter_map(|entry| Some((entry.name.clone(), entry.value.clone()?))).collect()
    }

    /// Returns a setting in effect, as the responding broker reports it.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.topic.get(key)?.value.as_deref()
    }

    pub(super) fn is(&self, key: &str, value: &str) -> bool {
        self.get(key) == Some(value)
    }

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

    pub(super) fn is_create_time(&self) -> bool {
        !self.is("message.timestamp.type", "LogAppendTime")
    }

    /// Returns a length of time: the topic's own, otherwise the longest of its brokers' defaults. The brokers' names are
    /// listed by precedence, with their unit in ms.
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

/// The broker settings for the default of `file.delete.delay.ms`, with their unit in ms.
const DELETE_DELAY: [(&str, u64); 1] = [("log.segment.delete.delay.ms", 1)];

/// Returns how long brokers keep deleted files of a topic without its own setting; the largest over the brokers.
pub(super) fn default_delete_delay<'a>(brokers: impl Iterator<Item = &'a ConfigResource>) -> Span {
    let [(key, unit)] = DELETE_DELAY;
    brokers
        .map(|broker| broker.get(key).and_then(|entry| span(entry, unit)).unwrap_or(Span::MAX))
        .max()
        .unwrap_or(Span::MAX)
}

/// Returns the longest interval at which a broker checks for old records.
pub(super) fn check_interval<'a>(brokers: impl Iterator<Item = &'a ConfigResource>) -> Span {
    let interval = |broker: &ConfigResource| span(broker.get("log.retention.check.interval.ms")?, 1);
    brokers.map(|broker| interval(broker).unwrap_or(Span::MAX)).max().unwrap_or(Span::MAX)
}

/// Parses a length of time. -1 and numbers that are too large for a time mean forever; `None` means "not set".
fn span(entry: &ConfigEntry, unit: u64) -> Option<Span> {
    let value: i64 = entry.value.as_deref()?.parse().ok()?;
    if value == i64::MAX {
        return Some(Span::MAX);
    }
    Some(u64::try_from(value).map_or(Span::MAX, |value| Span::from_millis(value.saturating_mul(unit))))
}
