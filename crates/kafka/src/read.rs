//! Reads topics without a consumer group, for `query` and `audit`. A reader commits no offsets and joins no group, so
//! it needs only the permission to read the topic.

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
use crate::cluster::{Cluster, RESPONSE_TIMEOUT};
use crate::error::{code, is_forbidden};
use crate::{ClientSettings, KafkaError};

#[cfg(test)]
mod tests;

/// The maximum duration of one poll.
const POLL: Duration = Duration::from_millis(100);

/// A reader of one topic. It reads committed records only, unless it was opened with
/// [`TopicReader::open_uncommitted`].
pub struct TopicReader {
    consumer: BaseConsumer<Context<()>>,
    topic: String,
    client: ClientSettings,
    /// The partitions that have unread records, each with its end offset at the time of opening.
    left: BTreeMap<i32, i64>,
    /// The partitions whose first records are not read, because these records were deleted or are older than the
    /// requested time.
    cut: Vec<u32>,
}

/// Reads topics one after the other, each up to its current end, and passes each value to `each`. Values of one
/// partition keep their order. Reading starts at the first record with a timestamp of at least `since`, or at the
/// first record if `since` is `None`. Returns the number of records.
///
/// # Errors
/// Returns an error if no broker responds within ten seconds, if a topic does not exist or may not be read, or if no
/// record arrives for ten seconds before the end.
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

/// The position at which reading starts.
#[derive(Clone, Copy)]
enum Start<'a> {
    /// At the first record with a timestamp of at least this time, or at the first record of the topic if there is no
    /// time.
    Since(Option<Timestamp>),
    /// At the given next offset of each partition.
    At(&'a BTreeMap<i32, i64>),
}

impl TopicReader {
    /// Opens all partitions of a topic. Reading starts at the first record with a timestamp of at least `since`, or
    /// at the first record if `since` is `None`.
    ///
    /// # Errors
    /// Returns an error if no broker responds within ten seconds, or if the topic does not exist or may not be read.
    pub fn open(client: &ClientSettings, topic: &str, since: Option<Timestamp>) -> Result<Self, KafkaError> {
        Self::open_at(client, topic, since, "read_committed")
    }

    /// Opens a topic like [`TopicReader::open`], but also reads the records of aborted and open transactions, which
    /// remain in the log until they expire.
    ///
    /// # Errors
    /// Returns an error if no broker responds within ten seconds, or if the topic does not exist or may not be read.
    pub fn open_uncommitted(
        client: &ClientSettings,
        topic: &str,
        since: Option<Timestamp>,
    ) -> Result<Self, KafkaError> {
        Self::open_at(client, topic, since, "read_uncommitted")
    }

    /// Opens a topic at the next offset of each partition. A partition without a valid offset is read from its
    /// beginning.
    ///
    /// # Errors
    /// Returns an error if no broker responds within ten seconds, or if the topic does not exist or may not be read.
    pub fn resume(
        client: &ClientSettings,
        topic: &str,
        next: &BTreeMap<i32, i64>,
    ) -> Result<Self, KafkaError> {
        Self::open_from(client, topic, Start::At(next), "read_committed")
    }

    fn open_at(
        client: &ClientSettings,
        topic: &str,
        since: Option<Timestamp>,
        isolation: &str,
    ) -> Result<Self, KafkaError> {
        Self::open_from(client, topic, Start::Since(since), isolation)
    }

    fn open_from(
        client: &ClientSettings,
        topic: &str,
        start: Start<'_>,
        isolation: &str,
    ) -> Result<Self, KafkaError> {
        // when librdkafka assigns a topic that may not be read, it reports no error; a request for metadata reports it
        let partitions =
            Cluster::open(client)?.topic(topic).map_err(|error| error.needing(Operation::Read))?.count();
        let defaults = [
            ("queued.max.messages.kbytes", "16384"),
            // the delay of the next fetch after the queue was full; the default of one second would slow down reading
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
        reader.assign(partitions, start)?;
        Ok(reader)
    }

    fn assign(&mut self, partitions: u32, start: Start<'_>) -> Result<(), KafkaError> {
        let beginnings = self.offsets(partitions, Offset::Beginning)?;
        let ends = self.offsets(partitions, Offset::End)?;
        let since = match start {
            Start::Since(since) => since.and_then(|since| i64::try_from(since.as_millis()).ok()),
            Start::At(_) => None,
        };
        let starts = match (since, start) {
            (Some(since), _) => self.offsets(partitions, Offset::Offset(since))?,
            (None, Start::At(next)) => ends
                .iter()
                .map(|(partition, end)| {
                    let first = beginnings.get(partition).copied().unwrap_or_default();
                    // an offset after the end comes from an older topic with the same name
                    let next = next.get(partition).copied().filter(|next| next <= end);
                    (*partition, next.map_or(first, |next| next.max(first)))
                })
                .collect(),
            (None, Start::Since(_)) => beginnings.clone(),
        };
        let mut assigned = TopicPartitionList::with_capacity(partitions as usize);
        for (partition, end) in &ends {
            // a partition without a start offset has no record since the requested time, so it is read from its end
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

    /// Returns one offset of each partition (ListOffsets). `at` is `Offset::Beginning` or `Offset::End`, or a timestamp
    /// as `Offset::Offset`, because ListOffsets has one field for offsets and timestamps. The result omits a partition
    /// without a record at or after the timestamp.
    fn offsets(&self, partitions: u32, at: Offset) -> Result<BTreeMap<i32, i64>, KafkaError> {
        let mut requested = TopicPartitionList::with_capacity(partitions as usize);
        for partition in 0..partitions {
            requested
                .add_partition_offset(&self.topic, partition as i32, at)
                .map_err(|error| self.failed(&error))?;
        }
        let response = self
            .consumer
            .offsets_for_times(requested, RESPONSE_TIMEOUT)
            .map_err(|error| self.failed(&error))?;
        let mut offsets = BTreeMap::new();
        for element in response.elements() {
            element.error().map_err(|error| self.failed(&error))?;
            if let Offset::Offset(offset) = element.offset() {
                offsets.insert(element.partition(), offset);
            }
        }
        Ok(offsets)
    }

    /// Passes each value to `each`, up to the end that the topic had when it was opened. A record without a value is
    /// not passed to `each`, but is counted. Returns the number of records.
    ///
    /// # Errors
    /// Returns an error if no record arrives for ten seconds before the end, or if the topic may not be read.
    pub fn to_end(self, mut each: impl FnMut(&[u8])) -> Result<u64, KafkaError> {
        self.records_to_end(|record| record.value().into_iter().for_each(&mut each))
    }

    /// Returns the partitions whose first records are not read, because these records were deleted or are older than
    /// the requested time.
    #[must_use]
    pub fn cut(&self) -> &[u32] {
        &self.cut
    }

    /// Passes each record to `each`, up to the end that the topic had when it was opened. Records of one partition
    /// keep their order. Returns the number of records.
    ///
    /// # Errors
    /// Returns an error if no record arrives for ten seconds before the end, or if the topic may not be read.
    #[expect(clippy::disallowed_methods, reason = "the caller decides how long to wait for a broker")]
    pub fn records_to_end(mut self, mut each: impl FnMut(&Record<'_>)) -> Result<u64, KafkaError> {
        let mut records = 0;
        let mut last_response = Instant::now();
        while !self.left.is_empty() {
            let ends = &mut self.left;
            match self.consumer.poll(POLL) {
                None if last_response.elapsed() >= RESPONSE_TIMEOUT => return Err(self.no_response()),
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
                // the end of a partition can be reached without a record at the last offset: a transaction may have
                // written a control record there, or compaction may have removed the record
                Some(Err(RdkafkaError::PartitionEOF(partition))) => {
                    ends.remove(&partition);
                }
                Some(Err(error)) => self.tolerate(&error)?,
            }
            last_response = Instant::now();
        }
        Ok(records)
    }

    /// Waits for a record for at most `timeout`. Passes its value to `each`, and then the values of the other records
    /// that were already fetched. Returns the number of records.
    ///
    /// # Errors
    /// Returns an error if the topic may no longer be read, or was deleted.
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

    /// Passes at most `most` values to `each`, with their partition and offset. Waits for the first of them for at most
    /// `timeout`. Returns the number of records.
    ///
    /// # Errors
    /// Returns an error if the topic may no longer be read, or was deleted.
    pub fn next_at(
        &mut self,
        timeout: Duration,
        most: usize,
        mut each: impl FnMut(i32, i64, &[u8]),
    ) -> Result<usize, KafkaError> {
        let mut records = 0;
        let mut timeout = timeout;
        while records < most {
            match self.consumer.poll(timeout) {
                None => break,
                Some(Ok(record)) => {
                    records += 1;
                    each(record.partition(), record.offset(), record.payload().unwrap_or_default());
                }
                Some(Err(RdkafkaError::PartitionEOF(_))) => {}
                Some(Err(error)) => self.tolerate(&error)?,
            }
            timeout = Duration::ZERO;
        }
        Ok(records)
    }

    /// Ignores errors from which librdkafka can recover by itself, and returns all others. If librdkafka does not
    /// recover, no more records arrive, and [`TopicReader::records_to_end`] times out.
    fn tolerate(&self, error: &RdkafkaError) -> Result<(), KafkaError> {
        use RDKafkaErrorCode as C;
        match (error, code(error)) {
            // a missing permission on the group does not matter, because the reader joins no group
            (_, C::GroupAuthorizationFailed) => Ok(()),
            (RdkafkaError::MessageConsumptionFatal(_), _) => Err(self.failed(error)),
            (_, C::UnknownTopicOrPartition | C::UnknownTopic) => {
                Err(KafkaError::NoTopic { topic: self.topic.clone() })
            }
            (_, code) if is_forbidden(code) => Err(self.failed(error)),
            _ => Ok(()),
        }
    }

    fn no_response(&self) -> KafkaError {
        self.client.unreachable(self.consumer.context().last_error(), || {
            format!(
                "topic {} has more records, but none arrived for {} s",
                self.topic,
                RESPONSE_TIMEOUT.as_secs()
            )
        })
    }

    fn failed(&self, error: &RdkafkaError) -> KafkaError {
        use RDKafkaErrorCode as C;
        match code(error) {
            C::BrokerTransportFailure | C::AllBrokersDown | C::OperationTimedOut | C::TimedOutQueue => {
                self.no_response()
            }
            code => KafkaError::coded(format!("read topic {}", self.topic), code)
                .forbids(&self.client.principal(), || Right::of_topic(Operation::Read, &self.topic)),
        }
    }
}
