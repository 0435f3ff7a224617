//! Deletion of records before their time-to-live ends.

use std::collections::BTreeMap;

use futures_executor::block_on;
use rdkafka::Offset;
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::topic_partition_list::TopicPartitionList;

use super::Admin;
use super::admin::options;
use crate::KafkaError;
use crate::acl::{Operation, Resource, Right};

impl Admin {
    /// Makes the records of each partition before an offset unreadable; the record at the offset remains
    /// (DeleteRecords). Their bytes leave the disk with their segment, within the bound as before. A broker that is
    /// killed within a minute (`log.flush.start.offset.checkpoint.interval.ms`) may forget the deletion, so it must be
    /// repeated; repeating it is harmless. Needs the permission Delete on the topic.
    ///
    /// # Errors
    /// The first of all errors; the other partitions are tried nevertheless.
    pub fn erase_before(&self, topic: &str, offsets: &BTreeMap<u32, i64>) -> Result<(), KafkaError> {
        let what = || format!("delete records of topic {topic}");
        let lacks = |error: KafkaError| {
            let right =
                || Right { resource: Resource::Topic(topic.to_owned()), operation: Operation::Delete };
            error.forbids(&self.cluster.principal(), right)
        };
        let partitions =
            self.cluster.topic(topic).map_err(|error| error.needing(Operation::Delete))?.partitions;
        let is_led = |partition: u32| partitions.get(partition as usize).is_some_and(|p| p.leader.is_some());
        // a partition without a leader would delay the response for the others
        let (led, leaderless): (Vec<_>, Vec<_>) =
            offsets.iter().partition(|(partition, _)| is_led(**partition));
        let mut list = TopicPartitionList::with_capacity(led.len());
        for (partition, offset) in &led {
            let added = list.add_partition_offset(topic, **partition as i32, Offset::Offset(**offset));
            added.map_err(|error| KafkaError::of(what(), &error))?;
        }
        if !led.is_empty() {
            let answer = block_on(self.client.delete_records(&list, &options()));
            let answer = answer.map_err(|error| lacks(KafkaError::of(what(), &error)))?;
            for element in answer.elements() {
                element.error().map_err(|error| lacks(KafkaError::of(what(), &error)))?;
            }
        }
        match leaderless.first() {
            Some((partition, _)) => Err(KafkaError::Kafka {
                what: format!("delete records of partition {partition} of topic {topic}"),
                code: RDKafkaErrorCode::LeaderNotAvailable,
            }),
            None => Ok(()),
        }
    }
}
