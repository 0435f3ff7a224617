//! Refuses configured properties of librdkafka that crowdfold sets itself.

use crate::error::ConfigError;
use crate::loaded::Loaded;

const OFFSETS: &str = "offsets are committed in transactions only";
const TRANSACTIONS: &str = "transactions require it";

/// The properties that crowdfold sets, each with the reason.
const SET_BY_CROWDFOLD: [(&str, &str); 20] = [
    ("client.id", "it is made from kafka.prefix and kafka.instance"),
    ("bootstrap.servers", "kafka.brokers names the cluster"),
    ("metadata.broker.list", "kafka.brokers names the cluster"),
    ("group.id", "it is made from kafka.prefix"),
    ("group.instance.id", "it is made from kafka.instance"),
    ("transactional.id", "it is made from kafka.instance"),
    ("group.protocol", "offsets and transactions require the classic protocol"),
    ("partition.assignment.strategy", "offsets and transactions require it"),
    ("enable.auto.commit", OFFSETS),
    ("auto.commit.enable", OFFSETS),
    ("auto.commit.interval.ms", OFFSETS),
    ("enable.auto.offset.store", OFFSETS),
    ("auto.offset.reset", "the start offset is never guessed"),
    ("isolation.level", "only committed records are counted"),
    ("enable.idempotence", TRANSACTIONS),
    ("acks", TRANSACTIONS),
    ("request.required.acks", TRANSACTIONS),
    ("partitioner", "each session must stay in its own partition; see source.partitioner"),
    ("enable.partition.eof", "the worker requires it"),
    ("statistics.interval.ms", "the worker sets it"),
];

pub(super) fn check(loaded: &Loaded) -> Result<(), ConfigError> {
    let kafka = &loaded.settings.kafka;
    for (section, properties) in [("kafka.properties", &kafka.properties), ("kafka.eraser", &kafka.eraser)] {
        for (name, _) in properties.iter() {
            if let Some((_, reason)) = SET_BY_CROWDFOLD.iter().find(|(ours, _)| *ours == name) {
                let message = format!("is set by crowdfold, because {reason}; remove it");
                return Err(loaded.error(&format!("{section}.{name}"), message));
            }
        }
    }
    Ok(())
}
