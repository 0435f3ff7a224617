//! Reads all records of a topic, with their headers.

use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{Headers, Message};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use super::Deployment;
use crate::kafka_support::await_decided;

/// A record as any consumer of the topic receives it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Seen {
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) timestamp: i64,
    pub(crate) key: Vec<u8>,
    pub(crate) value: Vec<u8>,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
}

impl Deployment<'_> {
    /// Returns all records of a topic in the order of partitions and offsets.
    pub(crate) fn records(&self, topic: &str, isolation: &str) -> Vec<Seen> {
        let topic = self.topic(topic);
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", self.kafka.bootstrap())
            .set("group.id", "unused")
            .set("enable.auto.commit", "false")
            .set("enable.partition.eof", "true")
            .set("isolation.level", isolation)
            .create()
            .unwrap();
        let metadata = consumer.fetch_metadata(Some(&topic), Duration::from_secs(120)).unwrap();
        let partitions = metadata.topics()[0].partitions().len();
        if isolation == "read_committed" {
            await_decided(self.kafka, &consumer, &topic, partitions as u32);
        }
        let mut list = TopicPartitionList::new();
        for partition in 0..partitions {
            list.add_partition_offset(&topic, partition as i32, Offset::Beginning).unwrap();
        }
        consumer.assign(&list).unwrap();
        let (mut seen, mut ended) = (Vec::new(), 0);
        while ended < partitions {
            match consumer.poll(Duration::from_secs(120)) {
                Some(Ok(message)) => seen.push(Seen {
                    partition: message.partition(),
                    offset: message.offset(),
                    timestamp: message.timestamp().to_millis().unwrap_or(0),
                    key: message.key().unwrap_or_default().to_vec(),
                    value: message.payload().unwrap_or_default().to_vec(),
                    headers: message
                        .headers()
                        .map(|headers| {
                            let bytes = |value: Option<&[u8]>| value.unwrap_or_default().to_vec();
                            headers
                                .iter()
                                .map(|header| (header.key.to_owned(), bytes(header.value)))
                                .collect()
                        })
                        .unwrap_or_default(),
                }),
                Some(Err(KafkaError::PartitionEOF(_))) => ended += 1,
                Some(Err(error)) => eprintln!("reading {topic}: {error}"),
                None => panic!("no record of {topic} was received in time"),
            }
        }
        seen.sort_by_key(|record| (record.partition, record.offset));
        seen
    }
}
