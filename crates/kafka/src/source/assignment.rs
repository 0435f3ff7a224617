//! The assignment of partitions: committed offsets, start offsets, and the start of reading.

use std::sync::Arc;

use rdkafka::Offset;
use rdkafka::consumer::Consumer;
use rdkafka::error::{KafkaError as RdkafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::TopicPartitionList;

use super::{Event, Group, PartitionQueue, Search, Source, SourceError, State, missing};
use crate::client::Context;
use crate::cluster::RESPONSE_TIMEOUT;
use crate::{KafkaError, batch};

/// The committed offset of one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The next offset to be read.
    pub offset: i64,
    /// The metadata that was committed with the offset. Bytes that are not UTF-8 are replaced by `\u{fffd}`.
    pub metadata: String,
}

/// The partitions that the group assigned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assigned {
    /// The number of partitions of the topic.
    pub of: u32,
    /// The committed offset of every partition of the topic, in the order of the partition numbers, including
    /// partitions that are assigned to other members. No open transaction can change these offsets.
    pub group: Vec<Option<Committed>>,
    /// The assigned partitions, in ascending order.
    pub partitions: Vec<AssignedPartition>,
}

/// A partition that the group assigned to this member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AssignedPartition {
    /// The number of the partition.
    pub partition: u32,
    /// The offset at which reading starts, unless [`Source::start_at`] changes it. This is the committed offset. If
    /// no offset is committed, or if its record was deleted and [`super::SourceSettings::accept_loss`] is set, it is
    /// the start of the log.
    pub start_offset: i64,
    /// The first readable offset of the partition (the start of its log).
    pub log_start: i64,
    /// The number of offsets from the committed offset that were deleted before they were read. `None` if there are
    /// none.
    pub gap: Option<u64>,
}

/// The state of reading an assigned partition.
pub(super) struct PartitionState {
    /// `None` until reading starts.
    pub(super) queue: Option<PartitionQueue<Context<Group>>>,
    /// The offset at which reading continues.
    pub(super) position: i64,
    /// The end offset, if the partition has been read to its end.
    pub(super) end: Option<i64>,
    /// The search for the end of an unreadable batch, while it is in progress. During the search, no records of the
    /// partition are read.
    pub(super) search: Option<Search>,
}

impl Source {
    /// Processes a new assignment: reads the committed offset and the start of the log of each partition. The next poll
    /// starts to read the partitions.
    pub(super) fn assigned(&mut self, mut partitions: Vec<u32>) -> Result<Event, SourceError> {
        partitions.sort_unstable();
        // read the group metadata now, because later it may belong to a newer assignment
        self.metadata = self.consumer.group_metadata().map(Arc::new);
        match self.starts(&partitions) {
            Ok(assigned) => {
                let state = |p: &AssignedPartition| {
                    (
                        p.partition,
                        PartitionState { queue: None, position: p.start_offset, end: None, search: None },
                    )
                };
                self.partitions = assigned.partitions.iter().map(state).collect();
                self.state = State::Assigning;
                Ok(Event::Assigned(assigned))
            }
            Err(error) => {
                // the next poll retries; librdkafka reports no further change of the assignment until reading has
                // started
                self.state = State::Assigned(partitions);
                Err(error)
            }
        }
    }

    /// Computes the start offset of each partition. Returns [`SourceError::Gap`] if records were deleted before they
    /// were read, unless the settings accept this loss.
    fn starts(&mut self, partitions: &[u32]) -> Result<Assigned, SourceError> {
        self.of = self.cluster.topic(&self.settings.topic)?.count();
        let group = self.committed()?;
        let log_starts = self.cluster.log_starts(&self.settings.topic, partitions)?;
        let mut ours = Vec::with_capacity(partitions.len());
        for (&partition, log_start) in partitions.iter().zip(log_starts) {
            let what = || {
                format!("query the first offset of partition {partition} of topic {}", self.settings.topic)
            };
            let log_start = log_start.ok_or_else(|| KafkaError::Kafka {
                what: what(),
                code: RDKafkaErrorCode::LeaderNotAvailable,
            })?;
            let committed = group.get(partition as usize).and_then(Option::as_ref).map(|held| held.offset);
            let gap =
                committed.and_then(|offset| u64::try_from(log_start - offset).ok()).filter(|gap| *gap > 0);
            if let (Some(gone), Some(committed), false) = (gap, committed, self.settings.accept_loss) {
                let topic = self.settings.topic.clone();
                return Err(SourceError::Gap { topic, partition, committed, log_start, gone });
            }
            let start_offset = committed.unwrap_or(log_start).max(log_start);
            ours.push(AssignedPartition { partition, start_offset, log_start, gap });
        }
        Ok(Assigned { of: self.of, group, partitions: ours })
    }

    /// Returns the committed offset of each partition of the topic, in the order of the partition numbers. Waits for
    /// open transactions that change these offsets. Therefore the result also shows the outcome of a transaction that
    /// was unknown to its producer.
    ///
    /// # Errors
    /// Returns an error if the group coordinator does not respond within ten seconds, or refuses the request.
    pub fn committed(&self) -> Result<Vec<Option<Committed>>, KafkaError> {
        let topic = &self.settings.topic;
        let group = &self.settings.group;
        let failed = |error: &RdkafkaError| {
            let code = crate::error::code(error);
            if code == RDKafkaErrorCode::OperationTimedOut {
                return KafkaError::OffsetsPending { group: group.clone() };
            }
            KafkaError::coded(format!("read the offsets of group {group}"), code)
                .forbids(&self.cluster.principal(), || missing(&self.settings, code))
        };
        let mut requested = TopicPartitionList::with_capacity(self.of as usize);
        for partition in 0..self.of {
            requested.add_partition(topic, partition as i32);
        }
        let response =
            self.consumer.committed_offsets(requested, RESPONSE_TIMEOUT).map_err(|error| failed(&error))?;
        let metadata = batch::metadata(&response);
        let mut committed = vec![None; self.of as usize];
        for (element, metadata) in response.elements().iter().zip(metadata) {
            element.error().map_err(|error| failed(&error))?;
            if let Offset::Offset(offset) = element.offset() {
                let metadata = String::from_utf8_lossy(&metadata).into_owned();
                committed[element.partition() as usize] = Some(Committed { offset, metadata });
            }
        }
        Ok(committed)
    }

    /// Starts a partition at another offset than [`AssignedPartition::start_offset`]. Call it between
    /// [`Event::Assigned`] and the next poll. After that poll, or if the partition is not assigned, this function does
    /// nothing and returns false.
    pub fn start_at(&mut self, partition: u32, offset: i64) -> bool {
        match self.partitions.get_mut(&partition) {
            Some(state) if state.queue.is_none() => {
                state.position = offset;
                true
            }
            _ => false,
        }
    }

    /// Starts to fetch the assigned partitions. Separates the queue of each partition before it assigns them, so that
    /// no record arrives on the consumer's own queue. This function is called again after a failed `assign` and after a
    /// skipped batch. It then keeps the existing queues, because each partition must have only one handle (see
    /// [`crate::batch`]).
    pub(super) fn assign(&mut self) -> Result<(), SourceError> {
        let topic = &self.settings.topic;
        let mut list = TopicPartitionList::with_capacity(self.partitions.len());
        let what = || format!("assign partitions of topic {topic}");
        for (partition, state) in &mut self.partitions {
            if state.queue.is_none() {
                state.queue = PartitionQueue::split(&self.consumer, topic, *partition, &self.wakeup);
            }
            list.add_partition_offset(topic, *partition as i32, Offset::Offset(state.position))
                .map_err(|error| KafkaError::of(what(), &error))?;
        }
        self.consumer.assign(&list).map_err(|error| KafkaError::of(what(), &error))?;
        Ok(())
    }

    pub(super) fn unassign(&mut self) -> Result<(), SourceError> {
        self.partitions.clear();
        self.metadata = None;
        let what = || format!("release partitions of topic {}", self.settings.topic);
        Ok(self.consumer.unassign().map_err(|error| KafkaError::of(what(), &error))?)
    }
}

#[cfg(test)]
mod tests;
