//! The transactional producer for partials, rollups and rejections.

mod outcome;
mod producer;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use crowdfold_release::{RejectionNote, Rollup};
use rdkafka::consumer::ConsumerGroupMetadata;
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::producer::{BaseRecord, Producer};
use rdkafka::topic_partition_list::TopicPartitionList;
use rdkafka::util::Timeout;

use crate::acl::{Operation, Right};
use crate::error::code;
use crate::{ClientSettings, Cluster, KafkaError, fault};

pub use outcome::TransactError;
use outcome::{after_abort, of_enqueue};
use producer::Handle;

/// The largest metadata of an offset in bytes, as the broker limits it.
const METADATA: usize = 4_096;

/// The time for which a worker that is shutting down waits for a call in flight. Supervisors kill after half a minute,
/// and an abort may follow.
pub const HURRY: Duration = Duration::from_secs(8);

/// The topics of rollups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RollupTopics {
    /// One topic for all tenants.
    One(String),
    /// One topic per tenant, `{base}.{tenant}`.
    PerTenant {
        /// The common prefix of the names.
        base: String,
        /// All tenants.
        tenants: Vec<String>,
    },
}

impl RollupTopics {
    /// Returns the names of all topics.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        match self {
            Self::One(topic) => vec![topic.clone()],
            Self::PerTenant { base, tenants } => {
                tenants.iter().map(|tenant| format!("{base}.{tenant}")).collect()
            }
        }
    }

    fn of(&self, tenant: &str) -> String {
        match self {
            Self::One(topic) => topic.clone(),
            Self::PerTenant { base, .. } => format!("{base}.{tenant}"),
        }
    }
}

/// The topics that a sink may write to. Records without a topic cannot be sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SinkTopics {
    /// The topic of [`Outgoing::Partial`].
    pub partials: Option<String>,
    /// The topics of [`Outgoing::Rollup`].
    pub rollups: Option<RollupTopics>,
    /// The topic of [`Outgoing::Rejection`].
    pub rejections: Option<String>,
}

impl SinkTopics {
    /// Returns the names of all topics.
    fn names(&self) -> Vec<String> {
        let rollups = self.rollups.as_ref().map(RollupTopics::names).unwrap_or_default();
        self.partials.iter().cloned().chain(rollups).chain(self.rejections.clone()).collect()
    }
}

/// The settings of a sink.
#[derive(Clone, Debug)]
pub struct SinkSettings {
    /// The transactional id. A successor with the same id ends the transaction that this sink left open.
    pub transactional_id: String,
    /// The topics to write to.
    pub topics: SinkTopics,
    /// The transaction time-out, after which the broker aborts an open transaction and consumers with `read_committed`
    /// continue.
    pub transaction_timeout: Duration,
    /// The time after which a call is abandoned with an unknown outcome. Longer than the transaction time-out.
    pub time_limit: Duration,
    /// Set on shutdown: calls then have [`HURRY`] left, because the next worker can resolve the outcome.
    pub hurry: Arc<AtomicBool>,
}

impl SinkSettings {
    /// Returns settings with the default time-outs.
    #[must_use]
    pub fn new(transactional_id: &str, topics: SinkTopics) -> Self {
        Self {
            transactional_id: transactional_id.into(),
            topics,
            transaction_timeout: Duration::from_secs(30),
            time_limit: Duration::from_secs(35),
            hurry: Arc::default(),
        }
    }
}

/// A record to be sent. Rows and notes are types of the release crate, so nothing else can be written to their topics.
#[derive(Clone, Copy)]
pub enum Outgoing<'a> {
    /// A chunk of cells or a close marker, for the merger of this partition.
    Partial {
        /// The partition of the partials topic.
        partition: u32,
        /// The record's key.
        key: &'a [u8],
        /// The record's value.
        value: &'a [u8],
    },
    /// A released row. Its partition follows from its key, as in Java's default partitioner (murmur2).
    Rollup(&'a Rollup),
    /// A note on a rejected beacon, sent to any partition.
    Rejection(&'a RejectionNote),
}

/// The offset from which a partition of the source is read after this transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offset {
    /// The partition.
    pub partition: u32,
    /// The next offset to be read.
    pub offset: i64,
    /// Metadata: ASCII, less than 4 KiB.
    pub metadata: String,
}

/// A transactional producer. It cannot be used after [`TransactError::Unknown`] or [`TransactError::Fenced`]: call
/// [`Sink::reopen`] and read the committed offsets, which show the outcome.
///
/// librdkafka's transactional calls can hang (#5456, #5511) regardless of their time-outs. Therefore each call runs in
/// its own thread. After [`SinkSettings::time_limit`], thread and producer are abandoned, and end when the call
/// returns. This is safe for the data on the broker, because a new producer with the same transactional id fences the
/// old one.
pub struct Sink {
    client: ClientSettings,
    settings: SinkSettings,
    producer: Option<Handle>,
}

impl Sink {
    /// Creates the producer, and ends the open transaction of a predecessor with the same transactional id.
    ///
    /// # Errors
    /// No broker responds; a topic does not exist; a permission is missing.
    pub fn open(client: &ClientSettings, settings: SinkSettings) -> Result<Self, KafkaError> {
        // a producer could make the broker create missing topics without a time limit, so check as a consumer
        let (cluster, topics) = (Cluster::open(client)?, settings.topics.names());
        for topic in &topics {
            cluster.topic(topic).map_err(|error| error.needing(Operation::Write))?;
        }
        // permissions exist only for authenticated clients; and librdkafka's mock cluster never answers this request
        if client.is_authenticated() {
            cluster.writable(&topics)?;
        }
        let mut sink = Self { client: client.clone(), settings, producer: None };
        sink.reopen()?;
        Ok(sink)
    }

    /// Creates a new producer with the same transactional id. The old one, if any, is fenced, and its open transaction
    /// is ended: committed if that was decided, otherwise aborted.
    ///
    /// # Errors
    /// The coordinator does not respond within [`SinkSettings::time_limit`], or refuses.
    pub fn reopen(&mut self) -> Result<(), KafkaError> {
        self.producer = None;
        self.producer = Some(Handle::open(&self.client, &self.settings)?);
        Ok(())
    }

    /// Sends all records and commits the offsets of `group` in one transaction, or does neither.
    ///
    /// # Errors
    /// See [`TransactError`] for the action that each requires of the caller. After any error except `Aborted` the
    /// producer cannot be used.
    pub fn transact(
        &mut self,
        outgoing: &[Outgoing<'_>],
        offsets: &[Offset],
        source: &str,
        group: &Arc<ConsumerGroupMetadata>,
    ) -> Result<(), TransactError> {
        let list = offset_list(offsets, source)?;
        let outcome = match &self.producer {
            None => Err(TransactError::Unknown("the producer was dropped".into())),
            Some(producer) => self.attempt(producer, outgoing, list, group),
        };
        if !matches!(outcome, Ok(()) | Err(TransactError::Aborted(_))) {
            self.producer = None;
        }
        outcome
    }

    fn attempt(
        &self,
        producer: &Handle,
        outgoing: &[Outgoing<'_>],
        offsets: TopicPartitionList,
        group: &Arc<ConsumerGroupMetadata>,
    ) -> Result<(), TransactError> {
        producer.deliveries().forget();
        producer.client().begin_transaction()?;
        fault::point("6.begun");
        let sent = outgoing.iter().try_for_each(|outgoing| self.send(producer, outgoing));
        let sent = sent.and_then(|()| reach("6.sent")).and_then(|()| {
            let group = Arc::clone(group);
            producer.call(move |producer| {
                // rust-rdkafka's own flush checks every 100 ms; here a delivery report ends the wait immediately, and
                // the time-out of messages ends the loop
                while producer.in_flight_count() > 0 {
                    producer.poll(Duration::from_millis(10));
                }
                reach("6.taken")?;
                if offsets.count() > 0 {
                    producer.send_offsets_to_transaction(&offsets, &group, Timeout::Never)?;
                }
                reach("6.offsets-sent")?;
                producer.commit_transaction(Timeout::Never)?;
                fault::point("6.committed");
                Ok(())
            })
        });
        let Err(error) = sent else { return Ok(()) };
        // the error of a refused record is more specific than that of the failed commit
        let error = match producer.deliveries().refusal() {
            Some((topic, code)) => self.refused(&topic, code),
            None => self.named(error),
        };
        if !error.wants_abort() {
            return Err(error);
        }
        let aborted = producer
            .call(|producer| Ok(producer.abort_transaction(Timeout::After(Duration::from_secs(10)))?));
        Err(after_abort(error, aborted))
    }

    /// Adds the missing permission to an error that would repeat, because transaction errors do not contain it.
    fn named(&self, error: TransactError) -> TransactError {
        let TransactError::Fatal(_) = error else { return error };
        let writable =
            Cluster::open(&self.client).and_then(|cluster| cluster.writable(&self.settings.topics.names()));
        match writable {
            Err(error @ KafkaError::Forbidden { .. }) => TransactError::Fatal(error.to_string()),
            _ => error,
        }
    }

    /// Returns the error for a record that the broker refused.
    fn refused(&self, topic: &str, code: RDKafkaErrorCode) -> TransactError {
        let error = KafkaError::coded(format!("topic {topic}"), code);
        let right = || Right::of_topic(Operation::Write, topic);
        TransactError::Fatal(error.forbids(&self.client.principal(), right).to_string())
    }

    /// Queues one record; waits while the producer's queue is full.
    fn send(&self, producer: &Handle, outgoing: &Outgoing<'_>) -> Result<(), TransactError> {
        let topics = &self.settings.topics;
        let no_topic = |what: &str| TransactError::Fatal(format!("this sink has no topic for {what}"));
        let (topic, key, value, partition);
        let (rollup_topic, rollup_key, json);
        match *outgoing {
            Outgoing::Partial { partition: to, key: by, value: bytes } => {
                topic = topics.partials.as_deref().ok_or_else(|| no_topic("partials"))?;
                (key, value, partition) = (Some(by), bytes, Some(to));
            }
            Outgoing::Rollup(rollup) => {
                rollup_topic =
                    topics.rollups.as_ref().ok_or_else(|| no_topic("rollups"))?.of(rollup.tenant());
                (rollup_key, json) = (rollup.key(), rollup.json());
                (topic, key, value, partition) =
                    (rollup_topic.as_str(), Some(rollup_key.as_bytes()), json.as_slice(), None);
            }
            Outgoing::Rejection(note) => {
                json = note.json();
                topic = topics.rejections.as_deref().ok_or_else(|| no_topic("rejections"))?;
                (key, value, partition) = (None, json.as_slice(), None);
            }
        }
        let mut record = BaseRecord::<[u8], [u8]>::to(topic).payload(value);
        record.key = key;
        record.partition = partition.map(|partition| partition as i32);
        let mut waited = Duration::ZERO;
        loop {
            const PAUSE: Duration = Duration::from_millis(20);
            match producer.client().send(record) {
                Ok(()) => return Ok(()),
                Err((error, back)) if is_full(&error) && waited < self.settings.time_limit => {
                    record = back;
                    producer.client().poll(PAUSE);
                    waited += PAUSE;
                }
                Err((error, _)) => return Err(of_enqueue(&error, topic)),
            }
        }
    }
}

/// Marks a step within a transaction. A test can make it fail with an error that requires an abort.
fn reach(step: &str) -> Result<(), TransactError> {
    fault::point(step);
    if fault::errs(step) { Err(TransactError::Aborted(RDKafkaErrorCode::Fail)) } else { Ok(()) }
}

fn is_full(error: &rdkafka::error::KafkaError) -> bool {
    code(error) == RDKafkaErrorCode::QueueFull
}

/// Builds the list of offsets. Checks the metadata, because rust-rdkafka panics when it reads back metadata that is not
/// UTF-8, and the broker refuses long metadata only after everything was sent.
fn offset_list(offsets: &[Offset], source: &str) -> Result<TopicPartitionList, TransactError> {
    let mut list = TopicPartitionList::with_capacity(offsets.len());
    for Offset { partition, offset, metadata } in offsets {
        if !metadata.is_ascii() || metadata.len() >= METADATA {
            let fault =
                format!("metadata of partition {partition} must be ASCII and shorter than {METADATA} bytes");
            return Err(TransactError::Fatal(fault));
        }
        let mut element = list.add_partition(source, *partition as i32);
        let set = element.set_offset(rdkafka::Offset::Offset(*offset));
        set.map_err(|error| TransactError::Fatal(format!("offset {offset}: {error}")))?;
        if !metadata.is_empty() {
            element.set_metadata(metadata);
        }
    }
    Ok(list)
}
