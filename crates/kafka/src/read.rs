//! Reading a topic from outside any group, as whoever asks for rollups does: nothing is committed, nobody is joined,
//! and no right but to read the topic is needed.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::TopicPartitionList;
use rdkafka::{Message as _, Offset};

use crate::acl::{Operation, Right};
use crate::batch::Record;
use crate::client::Context;
use crate::cluster::{ANSWER, Cluster};
use crate::error::{code, is_forbidden};
use crate::{ClientSettings, Error};

#[cfg(test)]
mod tests;

/// One poll; how long the end of a partition may hide.
const POLL: Duration = Duration::from_millis(100);

/// A topic that is read: committed records only, unless it was opened for all.
pub struct TopicReader {
    consumer: BaseConsumer<Context<()>>,
    topic: String,
    client: ClientSettings,
    /// Where each partition that still has something ended when the reader was opened.
    left: BTreeMap<i32, i64>,
    /// Partitions of which the first records are not read: they are gone, or before the time asked for.
    cut: Vec<u32>,
}

/// Reads whole topics once, one after the other, to where they end now: each value to `each`, in the order of its
/// partition. From records that were appended since a time (ms since the epoch), or from the beginning. Returns how
/// many records there were.
///
/// # Errors
/// Within ten seconds when no broker answers, a topic is not there or may not be read, or nothing more comes.
pub fn read(
    client: &ClientSettings,
    topics: &[String],
    since: Option<u64>,
    mut each: impl FnMut(&[u8]),
) -> Result<u64, Error> {
    let mut records = 0;
    for topic in topics {
        records += TopicReader::open(client, topic, since)?.to_end(&mut each)?;
    }
    Ok(records)
}

impl TopicReader {
    /// Takes up all partitions of a topic, from records that were appended since a time (ms since the epoch), or from
    /// the beginning.
    ///
    /// # Errors
    /// Within ten seconds when no broker answers, the topic is not there or may not be read.
    pub fn open(client: &ClientSettings, topic: &str, since: Option<u64>) -> Result<Self, Error> {
        Self::open_at(client, topic, since, "read_committed")
    }

    /// The same with the records of aborted and open transactions, which stay readable until they expire.
    ///
    /// # Errors
    /// Within ten seconds when no broker answers, the topic is not there or may not be read.
    pub fn open_uncommitted(client: &ClientSettings, topic: &str, since: Option<u64>) -> Result<Self, Error> {
        Self::open_at(client, topic, since, "read_uncommitted")
    }

    fn open_at(
        client: &ClientSettings,
        topic: &str,
        since: Option<u64>,
        isolation: &str,
    ) -> Result<Self, Error> {
        // assigning a topic that may not be read says nothing, its metadata does
        let partitions =
            Cluster::open(client)?.topic(topic).map_err(|error| error.needing(Operation::Read))?.count();
        let defaults = [
            ("queued.max.messages.kbytes", "16384"),
            // a full queue is looked at again after this: the default of a second stalls
            ("fetch.queue.backoff.ms", "5"),
        ];
        let fixed = [
            // librdkafka assigns nothing without a name for the group, which nobody joins
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

    fn assign(&mut self, partitions: u32, since: Option<u64>) -> Result<(), Error> {
        let beginnings = self.offsets(partitions, Offset::Beginning)?;
        let ends = self.offsets(partitions, Offset::End)?;
        let starts = match since.and_then(|since| i64::try_from(since).ok()) {
            Some(since) => self.offsets(partitions, Offset::Offset(since))?,
            None => beginnings.clone(),
        };
        let mut assigned = TopicPartitionList::with_capacity(partitions as usize);
        for (partition, end) in &ends {
            // no record since: it is read from its end on
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

    /// An offset of each partition; a time is what a ListOffsets takes as one. None where there is none so late.
    fn offsets(&self, partitions: u32, at: Offset) -> Result<BTreeMap<i32, i64>, Error> {
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

    /// Shows every value up to where the topic ended when the reader was opened. Returns how many records there were;
    /// one that has no value counts and is not shown.
    ///
    /// # Errors
    /// When nothing comes for ten seconds though there is more, or may not be read.
    pub fn to_end(self, mut each: impl FnMut(&[u8])) -> Result<u64, Error> {
        self.records_to_end(|record| record.value().into_iter().for_each(&mut each))
    }

    /// Partitions of which the first records are not read: they are gone, or before the time asked for.
    #[must_use]
    pub fn cut(&self) -> &[u32] {
        &self.cut
    }

    /// Shows every record up to where the topic ended when the reader was opened, in the order of its partition. Returns
    /// how many there were.
    ///
    /// # Errors
    /// When nothing comes for ten seconds though there is more, or may not be read.
    #[expect(clippy::disallowed_methods, reason = "the caller decides how long to wait for a broker")]
    pub fn records_to_end(mut self, mut each: impl FnMut(&Record<'_>)) -> Result<u64, Error> {
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
                // control records and compaction leave no record at the end itself
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    ends.remove(&partition);
                }
                Some(Err(error)) => self.tolerate(&error)?,
            }
            answered = Instant::now();
        }
        Ok(records)
    }

    /// Shows the values that come next, waiting up to `timeout` for the first. Returns how many records there were.
    ///
    /// # Errors
    /// When the topic may not be read any more, or is gone.
    pub fn next(&mut self, timeout: Duration, mut each: impl FnMut(&[u8])) -> Result<u64, Error> {
        let mut records = 0;
        let mut timeout = timeout;
        while let Some(polled) = self.consumer.poll(timeout) {
            match polled {
                Ok(record) => {
                    records += 1;
                    record.payload().into_iter().for_each(&mut each);
                }
                Err(KafkaError::PartitionEOF(_)) => {}
                Err(error) => self.tolerate(&error)?,
            }
            timeout = Duration::ZERO;
        }
        Ok(records)
    }

    /// What librdkafka mends by itself is no error of ours; silence tells if it does not.
    fn tolerate(&self, error: &KafkaError) -> Result<(), Error> {
        use RDKafkaErrorCode as C;
        match (error, code(error)) {
            // nobody joins the group, so nobody needs a right to it
            (_, C::GroupAuthorizationFailed) => Ok(()),
            (KafkaError::MessageConsumptionFatal(_), _) => Err(self.failed(error)),
            (_, C::UnknownTopicOrPartition | C::UnknownTopic) => {
                Err(Error::NoTopic { topic: self.topic.clone() })
            }
            (_, code) if is_forbidden(code) => Err(self.failed(error)),
            _ => Ok(()),
        }
    }

    fn silent(&self) -> Error {
        self.client.away(self.consumer.context().trouble(), || {
            format!("topic {} has more records, but none arrived for {} s", self.topic, ANSWER.as_secs())
        })
    }

    fn failed(&self, error: &KafkaError) -> Error {
        use RDKafkaErrorCode as C;
        match code(error) {
            C::BrokerTransportFailure | C::AllBrokersDown | C::OperationTimedOut | C::TimedOutQueue => {
                self.silent()
            }
            code => Error::coded(format!("read topic {}", self.topic), code)
                .forbids(&self.client.principal(), || Right::of_topic(Operation::Read, &self.topic)),
        }
    }
}
