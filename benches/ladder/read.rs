//! Consumes records, and reads only their lengths.

use std::collections::BTreeMap;
use std::time::Duration;

use crowdfold_kafka::{ClientSettings, Event, Message, Source, SourceSettings};
use crowdfold_testkit::unique;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message as _;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use crate::{Cost, PARTITIONS};

/// The maximum number of records in a batch, as in the worker.
pub(crate) const BATCH: usize = 1_000;

/// Reads with librdkafka's poll, one record at a time.
pub(crate) fn poll(brokers: &str, topic: &str, beacons: u64) -> Cost {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", unique("bare"))
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("fetch.queue.backoff.ms", "5")
        .create()
        .unwrap();
    let mut all = TopicPartitionList::new();
    for partition in 0..PARTITIONS {
        all.add_partition_offset(topic, partition as i32, Offset::Beginning).unwrap();
    }
    consumer.assign(&all).unwrap();
    let (mut count, mut bytes) = (0, 0);
    while count < beacons {
        if let Some(message) = consumer.poll(Duration::from_millis(100)) {
            bytes += message.unwrap().payload().unwrap_or_default().len();
            count += 1;
        }
    }
    assert!(bytes > 0);
    Cost::of("self", beacons)
}

/// Reads batches from the queue of each partition, as the worker does.
pub(crate) fn batch(brokers: &str, topic: &str, beacons: u64) -> Cost {
    let mut bytes = 0;
    each(brokers, topic, beacons, |_, message| bytes += message.payload().len());
    assert!(bytes > 0);
    Cost::of("self", beacons)
}

/// Calls `each` for at least this number of records, with the partition of each record.
pub(crate) fn each(brokers: &str, topic: &str, beacons: u64, mut each: impl FnMut(u32, &Message<'_>)) {
    let client =
        ClientSettings { brokers: brokers.into(), client_id: "ladder".into(), properties: BTreeMap::new() };
    let settings = SourceSettings::new(topic, &unique("group"), &unique("instance"));
    let mut source = Source::open(&client, settings).unwrap();
    while !matches!(source.poll(Duration::from_secs(1)).unwrap(), Some(Event::Assigned(_))) {}
    let mut count = 0;
    while count < beacons {
        source.poll(Duration::ZERO).unwrap();
        let mut drained = true;
        for partition in 0..PARTITIONS {
            let read = source.read(partition, BATCH, |message| each(partition, &message)).unwrap();
            count += read.count as u64;
            drained &= read.drained;
        }
        if drained && count < beacons {
            source.wait(Duration::from_millis(100));
        }
    }
}
