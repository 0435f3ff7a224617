//! Reading topics outside any consumer group, for `query` and `audit`. Nothing is committed, no group is joined, and
//! only the permission to read the topic is needed.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crowdfold_model::Timestamp;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError as RdkafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::TopicPartitionList;
use rdkafka::{Message as _, Offset};

use crate::acl::{Operation, Right};
use crate::batch::Record;
use crate::client::Context;
use crate::cluster::{ANSWER, Cluster};
use crate::error::{code, is_forbidden};
use crate::{ClientSettings, KafkaError};

#[cfg(test)]
mod tests;

/// The duration of one poll, which is the longest delay in noticing the end of a partition.
const POLL: Duration = Duration::from_millis(100);

/// A reader of one topic. It reads only committed records unless it was opened with [`TopicReader::open_uncommitted`].
pub struct TopicReader {
    consumer: BaseConsumer<Context<()>>,
    topic: String,
    client: ClientSettings,
    /// For each partition that has records left, its end when the reader was opened.
    left: BTreeMap<i32, i64>,
    /// Partitions whose first records are skipped because they were deleted or are older than the requested time.
    cut: Vec<u32>,
}

/// Reads topics one after the other up to their current ends, and passes each value to `each`, in order within a
/// partition. Starts at records that were appended since a time, or at the beginning. Returns the
/// number of records.
///
/// # Errors
/// Within ten seconds if no broker responds, a topic does not exist or may not be read, or no more records arrive.
pub fn read(
    client: &ClientSettings,
    topics: &[String],
    since: Option<Timestamp>,
    mut each: impl FnMut(&[u8]),
) -> Result<u64, KafkaError> {
    let mut records = 0;
    for topic in topics {
        records += TopicReader::open(client, topic, since)?.to_end(&mut each)?;
    }
    Ok(records)
}

impl TopicReader {
    /// Opens all partitions of a topic, from records that were appended since a time, or from the
    /// beginning.
    ///
    /// # Errors
    /// Within ten seconds if no broker responds, or the topic does not exist or may not be read.
    pub fn open(client: &ClientSettings, topic: &str, since: Option<Timestamp>) -> Result<Self, KafkaError> {
        Self::open_at(client, topic, since, "read_committed")
    }

    /// Opens a topic including the records of aborted and open transactions, which remain readable until they expire.
    ///
    /// # Errors
    /// Within ten seconds if no broker responds, or the topic does not exist or may not be read.
    pub fn open_uncommitted(
        client: &ClientSettings,
        topic: &str,
        since: Option<Timestamp>,
    ) -> Result<Self, KafkaError> {
        Self::open_at(client, topic, since, "read_uncommitted")
    }

    fn open_at(
        client: &ClientSettings,
        topic: &str,
        since: Option<Timestamp>,
        isolation: &str,
    ) -> Result<Self, KafkaError> {
        // assigning a topic that may not be read reports no error, but requesting its metadata does
        let partitions =
            Cluster::open(client)?.topic(topic).map_err(|error| error.needing(Operation::Read))?.count();
        let defaults = [
            ("queued.max.messages.kbytes", "16384"),
            // retries a full queue after this time; the default of a second delays reading
            ("fetch.queue.backoff.ms", "5"),
        ];
        let fixed = [
            // librdkafka requires a group name to assign partitions, although no group is joined
            ("group.id", client.client_id.as_str()),
            ("isolation.level", isolation),
            ("auto.offset.reset", "earliest"),
            ("enable.auto.commit", "false"),
            ("enable.auto.offset.store", "false"),
            ("enable.partition.eof", "true"),
        ];
        let consumer = client.config(&defaults, &fixed)?.create_with_context(Context::default())?;
        let mut reader = Self {
            consumer,
            topic: topic.into(),
            client: client.clone(),
            left: BTreeMap::new(),
            cut: Vec::new(),
        };
        reader.assign(partitions, since)?;
        Ok(reader)
    }

    fn assign(&mut self, partitions: u32, since: Option<Timestamp>) -> Result<(), KafkaError> {
        let beginnings = self.offsets(partitions, Offset::Beginning)?;
        let ends = self.offsets(partitions, Offset::End)?;
        let starts = match since.and_then(|since| i64::try_from(since.as_millis()).ok()) {
            Some(since) => self.offsets(partitions, Offset::Offset(since))?,
            None => beginnings.clone(),
        };
        let mut assigned = TopicPartitionList::with_capacity(partitions as usize);
        for (partition, end) in &ends {
            // no record since then, so read from the end
            let start = starts.get(partition).copied().unwrap_or(*end);
            assigned
                .add_partition_offset(&self.topic, *partition, Offset::Offset(start))
                .map_err(|error| self.failed(&error))?;
            if start < *end {
                self.left.insert(*partition, *end);
            }
            if start > 0 {
                self.cut.push(*partition as u32);
            }
        }
        self.consumer.assign(&assigned).map_err(|error| self.failed(&error))
    }

    /// Returns an offset of each partition, by position or by time (ListOffsets uses one field for both). `None` if
    /// there is no record that late.
    fn offsets(&self, partitions: u32, at: Offset) -> Result<BTreeMap<i32, i64>, KafkaError> {
        let mut asked = TopicPartitionList::with_capacity(partitions as usize);
        for partition in 0..partitions {
            asked
                .add_partition_offset(&self.topic, partition as i32, at)
                .map_err(|error| self.failed(&error))?;
        }
        let answer = self.consumer.offsets_for_times(asked, ANSWER).map_err(|error| self.failed(&error))?;
        let mut offsets = BTreeMap::new();
        for element in answer.elements() {
            element.error().map_err(|error| self.failed(&error))?;
            if let Offset::Offset(offset) = element.offset() {
                offsets.insert(element.partition(), offset);
            }
        }
        Ok(offsets)
    }

    /// Passes every value up to the end of the topic at opening to `each`. Returns the number of records, including
    /// records without a value, which are not passed.
    ///
    /// # Errors
    /// No record arrives for ten seconds although there are more, or the topic may not be read.
    pub fn to_end(self, mut each: impl FnMut(&[u8])) -> Result<u64, KafkaError> {
        self.records_to_end(|record| record.value().into_iter().for_each(&mut each))
    }

    /// Returns the partitions whose first records are skipped because they were deleted or are older than the requested
    /// time.
    #[must_use]
    pub fn cut(&self) -> &[u32] {
        &self.cut
    }

    /// Passes every record up to the end of the topic at opening to `each`, in order within a partition. Returns the
    /// number of records.
    ///
    /// # Errors
    /// No record arrives for ten seconds although there are more, or the topic may not be read.
    #[expect(clippy::disallowed_methods, reason = "the caller decides how long to wait for a broker")]
    pub fn records_to_end(mut self, mut each: impl FnMut(&Record<'_>)) -> Result<u64, KafkaError> {
        let mut records = 0;
        let mut answered = Instant::now();
        while !self.left.is_empty() {
            let ends = &mut self.left;
            match self.consumer.poll(POLL) {
                None if answered.elapsed() >= ANSWER => return Err(self.silent()),
                None => continue,
                Some(Ok(mut record)) => {
                    let end = ends.get(&record.partition()).copied().unwrap_or(0);
                    if record.offset() < end {
                        records += 1;
                        each(&Record::of(&mut record));
                    }
                    if record.offset() + 1 >= end {
                        ends.remove(&record.partition());
                    }
                }
                // control records and compaction may leave no record at the end itself
                Some(Err(RdkafkaError::PartitionEOF(partition))) => {
                    ends.remove(&partition);
                }
                Some(Err(error)) => self.tolerate(&error)?,
            }
            answered = Instant::now();
        }
        Ok(records)
    }

    /// Passes the next values to `each`, waiting up to `timeout` for the first. Returns the number of records.
    ///
    /// # Errors
    /// The topic may no longer be read, or was deleted.
    pub fn next(&mut self, timeout: Duration, mut each: impl FnMut(&[u8])) -> Result<u64, KafkaError> {
        let mut records = 0;
        let mut timeout = timeout;
        while let Some(polled) = self.consumer.poll(timeout) {
            match polled {
                Ok(record) => {
                    records += 1;
                    record.payload().into_iter().for_each(&mut each);
                }
                Err(RdkafkaError::PartitionEOF(_)) => {}
                Err(error) => self.tolerate(&error)?,
            }
            timeout = Duration::ZERO;
        }
        Ok(records)
    }

    /// Ignores errors from which librdkafka recovers by itself. If it does not recover, no records arrive and the
    /// time-out reports it.
    fn tolerate(&self, error: &RdkafkaError) -> Result<(), KafkaError> {
        use RDKafkaErrorCode as C;
        match (error, code(error)) {
            // no group is joined, so no permission on it is needed
            (_, C::GroupAuthorizationFailed) => Ok(()),
            (RdkafkaError::MessageConsumptionFatal(_), _) => Err(self.failed(error)),
            (_, C::UnknownTopicOrPartition | C::UnknownTopic) => {
                Err(KafkaError::NoTopic { topic: self.topic.clone() })
            }
            (_, code) if is_forbidden(code) => Err(self.failed(error)),
            _ => Ok(()),
        }
    }

    fn silent(&self) -> KafkaError {
        self.client.away(self.consumer.context().last_error(), || {
            format!("topic {} has more records, but none arrived for {} s", self.topic, ANSWER.as_secs())
        })
    }

    fn failed(&self, error: &RdkafkaError) -> KafkaError {
        use RDKafkaErrorCode as C;
        match code(error) {
            C::BrokerTransportFailure | C::AllBrokersDown | C::OperationTimedOut | C::TimedOutQueue => {
                self.silent()
            }
            code => KafkaError::coded(format!("read topic {}", self.topic), code)
                .forbids(&self.client.principal(), || Right::of_topic(Operation::Read, &self.topic)),
        }
    }
}
