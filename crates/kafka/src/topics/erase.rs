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
    /// Deletes the records of each partition before an offset (DeleteRecords). The record at the offset remains. The
    /// deleted records become unreadable immediately, but they stay on disk until their segment expires. A broker
    /// that is killed within a minute after the deletion (`log.flush.start.offset.checkpoint.interval.ms`) may make
    /// the records readable again, so repeat the deletion later; this is harmless. Needs the permission Delete on the
    /// topic.
    ///
    /// # Errors
    /// Returns the first error. The records of the other partitions are deleted nevertheless.
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
        // if a request includes a partition without a leader, the response arrives only after the time-out
        let (led, leaderless): (Vec<_>, Vec<_>) =
            offsets.iter().partition(|(partition, _)| is_led(**partition));
        let mut list = TopicPartitionList::with_capacity(led.len());
        for (partition, offset) in &led {
            let added = list.add_partition_offset(topic, **partition as i32, Offset::Offset(**offset));
            added.map_err(|error| KafkaError::of(what(), &error))?;
        }
        if !led.is_empty() {
            let response = block_on(self.client.delete_records(&list, &options()));
            let response = response.map_err(|error| lacks(KafkaError::of(what(), &error)))?;
            for element in response.elements() {
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
