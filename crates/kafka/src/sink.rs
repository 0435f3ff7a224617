//! Where partials, rollups and rejections are written: one transactional producer.

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
use crate::{ClientSettings, Cluster, Error, fault};

pub use outcome::TransactError;
use outcome::{after_abort, of_enqueue};
use producer::Handle;

/// Longest metadata of an offset, bytes: the broker's limit.
const METADATA: usize = 4_096;

/// How long a call of a worker that is told to go is still waited for: supervisors kill after half a minute, and an
/// abort may follow.
pub const HURRY: Duration = Duration::from_secs(8);

/// Where rollups go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RollupTopics {
    /// All to one topic.
    One(String),
    /// Each tenant's to `{base}.{tenant}`.
    PerTenant {
        /// The common part of the names.
        base: String,
        /// All tenants there are.
        tenants: Vec<String>,
    },
}

impl RollupTopics {
    /// All their names.
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

/// The topics that a sink may write to; what has none cannot be sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SinkTopics {
    /// For [`Outgoing::Partial`].
    pub partials: Option<String>,
    /// For [`Outgoing::Rollup`].
    pub rollups: Option<RollupTopics>,
    /// For [`Outgoing::Rejection`].
    pub rejections: Option<String>,
}

impl SinkTopics {
    /// All their names.
    fn names(&self) -> Vec<String> {
        let rollups = self.rollups.as_ref().map(RollupTopics::names).unwrap_or_default();
        self.partials.iter().cloned().chain(rollups).chain(self.rejections.clone()).collect()
    }
}

/// How transactions are made, and as whom.
#[derive(Clone, Debug)]
pub struct SinkSettings {
    /// The name that a successor takes over, and thereby ends what this one left open.
    pub transactional_id: String,
    /// Where to write.
    pub topics: SinkTopics,
    /// After this the broker aborts what is open, and readers that read committed go on.
    pub transaction_timeout: Duration,
    /// After this a call is given up, its outcome unknown. Longer than the transaction's time-out.
    pub patience: Duration,
    /// Once it is set there are [`HURRY`] left: whoever comes next finds the outcome out just as well.
    pub hurry: Arc<AtomicBool>,
}

impl SinkSettings {
    /// Settings with the defaults of the design.
    #[must_use]
    pub fn new(transactional_id: &str, topics: SinkTopics) -> Self {
        Self {
            transactional_id: transactional_id.into(),
            topics,
            transaction_timeout: Duration::from_secs(30),
            patience: Duration::from_secs(35),
            hurry: Arc::default(),
        }
    }
}

/// What is sent. Rows and notes come as what the release crate made: nothing else can be written to those topics.
#[derive(Clone, Copy)]
pub enum Outgoing<'a> {
    /// A chunk of cells or a close marker, for the merger of that partition.
    Partial {
        /// Of the partials' topic.
        partition: u32,
        /// The record's key.
        key: &'a [u8],
        /// The record's value.
        value: &'a [u8],
    },
    /// A released row. Its partition follows from its key, as Java's default partitioner has it (murmur2).
    Rollup(&'a Rollup),
    /// A note on a rejected beacon; to any partition.
    Rejection(&'a RejectionNote),
}

/// Where a partition of the source is to be read from after this transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offset {
    /// The partition.
    pub partition: u32,
    /// The next offset to be read.
    pub offset: i64,
    /// ASCII, less than 4 KiB.
    pub metadata: String,
}

/// A transactional producer. It does not outlive trouble: after [`TransactError::Unknown`] or [`TransactError::Fenced`]
/// call [`Sink::reopen`] and read the committed offsets, which decide.
///
/// librdkafka's calls of transactions can hang (#5456, #5511), whatever time-out they are given. So each runs in a thread
/// of its own, which is waited for no longer than [`SinkSettings::patience`]; then thread and producer are left behind,
/// and go when the call returns. That is safe for what is on the broker: a new producer of the same name fences the old.
pub struct Sink {
    client: ClientSettings,
    settings: SinkSettings,
    producer: Option<Handle>,
}

impl Sink {
    /// Makes the producer, and ends what a predecessor of its name left open.
    ///
    /// # Errors
    /// No broker answers; a topic is not there; a right is missing.
    pub fn open(client: &ClientSettings, settings: SinkSettings) -> Result<Self, Error> {
        // a producer would have missing topics made by the broker, without bound: ask as a consumer
        let (cluster, topics) = (Cluster::open(client)?, settings.topics.names());
        for topic in &topics {
            cluster.topic(topic).map_err(|error| error.needing(Operation::Write))?;
        }
        // rights are somebody's; and librdkafka's mock cluster never answers this
        if client.is_somebody() {
            cluster.writable(&topics)?;
        }
        let mut sink = Self { client: client.clone(), settings, producer: None };
        sink.reopen()?;
        Ok(sink)
    }

    /// A new producer of the same name. The old one, if there is one, is fenced, and what it left open is ended: committed
    /// if that was decided, else aborted.
    ///
    /// # Errors
    /// The coordinator does not answer within [`SinkSettings::patience`], or refuses.
    pub fn reopen(&mut self) -> Result<(), Error> {
        self.producer = None;
        self.producer = Some(Handle::open(&self.client, &self.settings)?);
        Ok(())
    }

    /// Sends all and commits the offsets of `group` with it, or does neither.
    ///
    /// # Errors
    /// See [`TransactError`] for what each asks of the caller. After any but `Aborted` the producer is gone.
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
                // rust-rdkafka's own flush looks every 100 ms; a report ends this wait at once, and time-outs of
                // messages the loop
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
        // a record that the broker does not take says more than the commit that failed for it
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

    /// The same, with the right that is missing where it would fail again: what is said of a transaction does not tell.
    fn named(&self, error: TransactError) -> TransactError {
        let TransactError::Fatal(_) = error else { return error };
        let writable =
            Cluster::open(&self.client).and_then(|cluster| cluster.writable(&self.settings.topics.names()));
        match writable {
            Err(error @ Error::Forbidden { .. }) => TransactError::Fatal(error.to_string()),
            _ => error,
        }
    }

    /// A record that the broker does not take.
    fn refused(&self, topic: &str, code: RDKafkaErrorCode) -> TransactError {
        let error = Error::coded(format!("topic {topic}"), code);
        let right = || Right::of_topic(Operation::Write, topic);
        TransactError::Fatal(error.forbids(&self.client.principal(), right).to_string())
    }

    /// Hands one record over; waits while the producer's queue is full.
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
                Err((error, back)) if is_full(&error) && waited < self.settings.patience => {
                    record = back;
                    producer.client().poll(PAUSE);
                    waited += PAUSE;
                }
                Err((error, _)) => return Err(of_enqueue(&error, topic)),
            }
        }
    }
}

/// A step within a transaction, which a test can have fail as one that asks for an abort.
fn reach(step: &str) -> Result<(), TransactError> {
    fault::point(step);
    if fault::errs(step) { Err(TransactError::Aborted(RDKafkaErrorCode::Fail)) } else { Ok(()) }
}

fn is_full(error: &rdkafka::error::KafkaError) -> bool {
    code(error) == RDKafkaErrorCode::QueueFull
}

/// rust-rdkafka panics on metadata that are no UTF-8 when they are read back, and the broker refuses long ones after
/// everything was sent.
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
