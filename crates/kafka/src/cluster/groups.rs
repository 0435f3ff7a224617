//! Consumer groups and their committed offsets, read without joining a group.

use rdkafka::Offset;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::topic_partition_list::TopicPartitionList;

use super::{Cluster, RESPONSE_TIMEOUT};
use crate::KafkaError;
use crate::client::Context;
use crate::error::{code, is_forbidden};

impl Cluster {
    /// Returns the names of all consumer groups that this principal may describe, sorted.
    ///
    /// # Errors
    /// Returns an error if no broker responds.
    pub(crate) fn groups(&self) -> Result<Vec<String>, KafkaError> {
        let listed = self.client.fetch_group_list(None, RESPONSE_TIMEOUT);
        let listed = listed.map_err(|error| self.failed("list the consumer groups".into(), &error))?;
        let mut names: Vec<_> = listed.groups().iter().map(|group| group.name().to_owned()).collect();
        // Kafka cannot return the offsets of a group with an empty name
        names.retain(|name| !name.is_empty());
        names.sort();
        names.dedup();
        Ok(names)
    }

    /// Returns the committed offset of a group for each requested partition, or `None` for a partition without a
    /// committed offset. Returns `Ok(None)` if this principal may not describe the group.
    ///
    /// # Errors
    /// Returns an error if no broker responds.
    pub(crate) fn committed(
        &self,
        group: &str,
        topic: &str,
        partitions: &[u32],
    ) -> Result<Option<Vec<Option<i64>>>, KafkaError> {
        let what = || format!("query the offsets of group {group}");
        let config = self.settings.config(&[], &[("group.id", group), ("enable.auto.commit", "false")])?;
        let client: BaseConsumer<Context<()>> = config.create_with_context(Context::default())?;
        let mut requested = TopicPartitionList::with_capacity(partitions.len());
        for partition in partitions {
            requested.add_partition(topic, *partition as i32);
        }
        let response = match client.committed_offsets(requested, RESPONSE_TIMEOUT) {
            Ok(response) => response,
            Err(error) if is_forbidden(code(&error)) => return Ok(None),
            Err(error) => return Err(self.failed(what(), &error)),
        };
        let response = response.elements();
        if response.iter().any(|element| element.error().is_err_and(|error| is_forbidden(code(&error)))) {
            return Ok(None);
        }
        let offset = |partition: &u32| {
            let element = response.iter().find(|element| element.partition() == *partition as i32)?;
            match element.offset() {
                Offset::Offset(offset) => Some(offset),
                _ => None,
            }
        };
        Ok(Some(partitions.iter().map(offset).collect()))
    }
}
