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

/// The maximum size of the metadata of an offset, in bytes. Brokers refuse larger metadata by default.
const MAX_METADATA_BYTES: usize = 4_096;

/// The maximum time for which a worker waits for a call in progress during shutdown. The time is short because an abort
/// of the transaction may follow, and supervisors such as Kubernetes kill a process 30 s after SIGTERM.
pub const HURRY: Duration = Duration::from_secs(8);

/// The topics to which rollups are written.
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

/// The topics to which a sink may write. If the topic of a kind of record is `None`, such records cannot be sent.
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
    /// The transactional id. When another producer with the same id starts, the broker ends the open transaction of
    /// this sink.
    pub transactional_id: String,
    /// The topics to write to.
    pub topics: SinkTopics,
    /// The transaction time-out. The broker aborts a transaction that is open for longer than this time. Until then,
    /// consumers with `read_committed` cannot read the records after the start of the transaction.
    pub transaction_timeout: Duration,
    /// The maximum time to wait for a call. After it, the call is abandoned and its outcome is unknown. This time must
    /// be longer than the transaction time-out.
    pub time_limit: Duration,
    /// Set to true on shutdown. From then on, calls are abandoned after [`HURRY`]. The next worker determines the
    /// outcome.
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

/// A record to be sent. Only the release crate can create a [`Rollup`] or a [`RejectionNote`], so nothing else can be
/// written to their topics.
#[derive(Clone, Copy)]
pub enum Outgoing<'a> {
    /// Cells or close markers for the merger that reads this partition.
    Partial {
        /// The partition of the partials topic.
        partition: u32,
        /// The record's key.
        key: &'a [u8],
        /// The record's value.
        value: &'a [u8],
    },
    /// A published row. Its key determines its partition, as in Java's default partitioner (murmur2).
    Rollup(&'a Rollup),
    /// A note on a rejected beacon. It has no key, and librdkafka selects its partition.
    Rejection(&'a RejectionNote),
}

/// The offset to commit for one partition of the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offset {
    /// The partition.
    pub partition: u32,
    /// The offset from which reading continues after this transaction.
    pub offset: i64,
    /// The metadata to commit with the offset, in ASCII and shorter than 4 KiB.
    pub metadata: String,
}

/// A transactional producer. After any error except [`TransactError::Aborted`], call [`Sink::reopen`]; until it
/// succeeds, the producer cannot be used. After [`TransactError::Unknown`] and a successful `reopen`, read the
/// committed offsets: they show whether the transaction was committed.
///
/// librdkafka's transactional calls can hang (#5456, #5511) regardless of their time-outs. Therefore each call runs in
/// its own thread. After [`SinkSettings::time_limit`], the sink abandons the thread and the producer, which both end
/// when the call returns. An abandoned producer cannot write anymore once a new producer with the same transactional id
/// has started, because the broker fences it.
pub struct Sink {
    client: ClientSettings,
    settings: SinkSettings,
    producer: Option<Handle>,
}

impl Sink {
    /// Creates the producer. The broker ends the open transaction of an earlier producer with the same transactional
    /// id.
    ///
    /// # Errors
    /// Returns an error if no broker responds, if a topic does not exist, or if a permission is missing.
    pub fn open(client: &ClientSettings, settings: SinkSettings) -> Result<Self, KafkaError> {
        // a producer that requests the metadata of a missing topic may make the broker create the topic, with an
        // unlimited time-to-live; so check with a consumer that the topics exist
        let (cluster, topics) = (Cluster::open(client)?, settings.topics.names());
        for topic in &topics {
            cluster.topic(topic).map_err(|error| error.needing(Operation::Write))?;
        }
        // brokers have permissions only for authenticated clients, and librdkafka's mock cluster never responds to
        // this request
        if client.is_authenticated() {
            cluster.writable(&topics)?;
        }
        let mut sink = Self { client: client.clone(), settings, producer: None };
        sink.reopen()?;
        Ok(sink)
    }

    /// Creates a new producer with the same transactional id. The broker fences the old producer and ends the open
    /// transaction of the old producer. If the commit of the transaction had begun, the broker completes the commit;
    /// otherwise it aborts the transaction.
    ///
    /// # Errors
    /// Returns an error if the transaction coordinator does not respond within [`SinkSettings::time_limit`], or
    /// refuses the producer.
    pub fn reopen(&mut self) -> Result<(), KafkaError> {
        self.producer = None;
        self.producer = Some(Handle::open(&self.client, &self.settings)?);
        Ok(())
    }

    /// Sends all records and commits the offsets of the topic `source` for `group`, in one transaction.
    ///
    /// # Errors
    /// [`TransactError`] describes the action that each error requires of the caller. After any error except
    /// [`TransactError::Aborted`], the producer cannot be used until [`Sink::reopen`] succeeds.
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
                // rust-rdkafka's own flush checks only every 100 ms, whereas this loop ends immediately after the last
                // delivery report; it always ends, because librdkafka also reports each record that times out
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
        // the error of a refused record names the cause, and the error of the failed commit does not
        let error = match producer.deliveries().refusal() {
            Some((topic, code)) => self.refused(&topic, code),
            None => self.with_permission(error),
        };
        if !error.wants_abort() {
            return Err(error);
        }
        let aborted = producer
            .call(|producer| Ok(producer.abort_transaction(Timeout::After(Duration::from_secs(10)))?));
        Err(after_abort(error, aborted))
    }

    /// Replaces a fatal error by the missing permission if a topic may not be written, because the errors of
    /// transactions do not name the permission.
    fn with_permission(&self, error: TransactError) -> TransactError {
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

    /// Puts one record into the producer's queue. Waits while the queue is full, for at most
    /// [`SinkSettings::time_limit`].
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

/// Marks a fault point within a transaction. A test can make this step return an error that requires an abort.
fn reach(step: &str) -> Result<(), TransactError> {
    fault::point(step);
    if fault::errs(step) { Err(TransactError::Aborted(RDKafkaErrorCode::Fail)) } else { Ok(()) }
}

fn is_full(error: &rdkafka::error::KafkaError) -> bool {
    code(error) == RDKafkaErrorCode::QueueFull
}

/// Converts offsets into librdkafka's list. Refuses metadata that is not ASCII, because rust-rdkafka panics when it
/// reads metadata that is not UTF-8. Refuses long metadata, because the broker would refuse it only after all records
/// were sent.
fn offset_list(offsets: &[Offset], source: &str) -> Result<TopicPartitionList, TransactError> {
    let mut list = TopicPartitionList::with_capacity(offsets.len());
    for Offset { partition, offset, metadata } in offsets {
        if !metadata.is_ascii() || metadata.len() >= MAX_METADATA_BYTES {
            let fault = format!(
                "metadata of partition {partition} must be ASCII and shorter than {MAX_METADATA_BYTES} bytes"
            );
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
