//! Derives the specifications of the topics from the configuration.

use std::time::Duration;

use crowdfold_kafka::topics::{Clock, Purpose, Spec};

use crate::config::Config;
use crate::telemetry::Component;

/// The maximum size of a batch in bytes. This is Kafka's default of `max.message.bytes`, so every client can read such
/// a batch.
const MAX_MESSAGE_BYTES: u32 = 1_048_588;

/// Returns the specifications of all topics, in the order of the data flow. The topic of rejections is the last.
pub fn all(config: &Config) -> Vec<Spec> {
    let names = config.topic_names();
    let (ttl, topics) = (&config.ttl, &config.topics);
    let spec = |topic: &str, purpose, partitions, ttl: Duration, least: Duration| Spec {
        topic: topic.into(),
        purpose,
        partitions,
        replication: topics.replication,
        ttl,
        least,
        clock: Clock::Append,
        max_skew: config.windows.max_skew,
        on_disk_slack: config.ttl.on_disk_slack,
        max_message_bytes: MAX_MESSAGE_BYTES,
    };
    let clock = if config.source.trust_timestamps {
        Clock::Create { ahead: config.source.ahead() }
    } else {
        Clock::Append
    };
    let needed = config.replay() + ttl.max_outage;
    let mut specs = vec![
        Spec {
            clock,
            ..spec(&names.beacons, Purpose::Beacons, topics.beacon_partitions, ttl.beacons, needed)
        },
        spec(
            &names.partials,
            Purpose::Partials,
            topics.partial_partitions,
            ttl.partials,
            config.windows.length + config.merge.timeout + ttl.max_outage,
        ),
    ];
    let rollups = names.rollups().iter();
    specs.extend(
        rollups
            .map(|name| spec(name, Purpose::Rollups, topics.rollup_partitions, ttl.rollups, Duration::ZERO)),
    );
    specs.push(spec(
        &names.rejections,
        Purpose::Rejections,
        topics.rollup_partitions,
        ttl.rejections,
        Duration::ZERO,
    ));
    specs
}

/// Returns the specifications of the topics that these stages read or write.
pub fn of_stages(config: &Config, stages: &[Component]) -> Vec<Spec> {
    let touches = |component: &Component, purpose| match component {
        Component::Combine => purpose != Purpose::Rollups,
        Component::Merge => matches!(purpose, Purpose::Partials | Purpose::Rollups),
        Component::Topics | Component::Erase | Component::Collect => false,
    };
    let mut specs = all(config);
    specs.retain(|spec| stages.iter().any(|component| touches(component, spec.purpose)));
    specs
}
