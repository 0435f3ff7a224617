//! Records into one topic: each to the partition it is told, each with word of what became of it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rdkafka::error::{KafkaResult, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Header, Message as _, OwnedHeaders, Timestamp};
use rdkafka::producer::{BaseRecord, Producer as _, ProducerContext, ThreadedProducer};

use crate::acl::{Operation, Right};
use crate::client::{Context, Principal};
use crate::error::code;
use crate::{ClientSettings, Error};

/// How long a broker may take to tell of a topic.
const METADATA: Duration = Duration::from_secs(5);

/// What a [`Writer`] is told.
#[derive(Clone, Debug)]
pub struct WriterSettings {
    /// Where it writes.
    pub topic: String,
    /// The `content-type` of its records.
    pub content_type: &'static str,
    /// How long the brokers may take to take a record before it is given up.
    pub patience: Duration,
    /// Bytes of records that may be on their way at a time. Whoever writes keeps to it; beyond it records are refused.
    pub memory: usize,
}

/// What is told of a record that every in-sync replica has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// The broker stamped it (`LogAppendTime`), not we.
    pub stamped_by_broker: bool,
}

/// What became of a record: once for each, on a thread of the client.
pub type Receipt = Box<dyn FnOnce(Result<Written, Error>) + Send>;

/// Writes records at least once: a record that is given up may have been written all the same.
pub struct Writer {
    producer: ThreadedProducer<Context<Reports>>,
    settings: WriterSettings,
    headers: OwnedHeaders,
}

/// Where the words on records go.
#[derive(Default)]
struct Reports {
    topic: String,
    principal: Principal,
}

/// A receipt on its way through librdkafka.
struct Pending(Mutex<Option<Receipt>>);

impl ProducerContext for Context<Reports> {
    type DeliveryOpaque = Box<Pending>;

    fn delivery(&self, result: &DeliveryResult<'_>, pending: Box<Pending>) {
        self.count();
        let result = match result {
            Ok(record) => {
                Ok(Written { stamped_by_broker: matches!(record.timestamp(), Timestamp::LogAppendTime(_)) })
            }
            Err((error, _)) => Err(self.role.refusal(code(error))),
        };
        pending.complete(result);
    }
}

impl Pending {
    fn complete(self, result: Result<Written, Error>) {
        if let Some(receipt) = self.0.into_inner().unwrap_or_else(PoisonError::into_inner) {
            receipt(result);
        }
    }
}

impl Reports {
    fn refusal(&self, code: RDKafkaErrorCode) -> Error {
        Error::coded(format!("write to topic {}", self.topic), code)
            .forbids(&self.principal, || Right::of_topic(Operation::Write, &self.topic))
    }
}

impl Writer {
    /// A producer that waits for all in-sync replicas and repeats nothing by itself. Nothing is asked yet.
    ///
    /// # Errors
    /// When the properties are not ones librdkafka takes.
    pub fn open(client: &ClientSettings, settings: WriterSettings) -> Result<Self, Error> {
        let patience = settings.patience.as_millis().to_string();
        // what is held is bounded by who writes: librdkafka's own bounds are never to be reached
        let kilobytes = (settings.memory / 512).clamp(65_536, 2_147_483_647).to_string();
        let defaults = [
            ("compression.codec", "lz4"),
            // records are packed already, and somebody waits for each
            ("linger.ms", "0"),
        ];
        let fixed = [
            ("enable.idempotence", "true"),
            ("message.timeout.ms", &*patience),
            ("message.max.bytes", "1048588"),
            ("queue.buffering.max.kbytes", &*kilobytes),
            ("queue.buffering.max.messages", "10000000"),
        ];
        let reports = Reports { topic: settings.topic.clone(), principal: client.principal() };
        let producer = client.config(&defaults, &fixed)?.create_with_context(Context::of(reports))?;
        let header = Header { key: "content-type", value: Some(settings.content_type) };
        Ok(Self { producer, headers: OwnedHeaders::new().insert(header), settings })
    }

    /// Sends a record without a key. `timestamp` is in ms since the epoch; a topic of append time takes its own. `receipt`
    /// is told what became of it; it must not wait for anything.
    pub fn write(&self, partition: u32, payload: &[u8], timestamp: u64, receipt: Receipt) {
        let record =
            BaseRecord::with_opaque_to(&self.settings.topic, Box::new(Pending(Mutex::new(Some(receipt)))))
                .partition(partition as i32)
                .payload(payload)
                .timestamp(i64::try_from(timestamp).unwrap_or(i64::MAX))
                .headers(self.headers.clone());
        let record: BaseRecord<'_, (), [u8], _> = record;
        if let Err((error, record)) = self.producer.send(record) {
            let reports = &self.producer.client().context().role;
            record
                .delivery_opaque
                .complete(Err(self.fatal().unwrap_or_else(|| reports.refusal(code(&error)))));
        }
    }

    /// Asks how many partitions the topic has, within five seconds. Only to those that were there when this was last asked
    /// can be written: librdkafka itself asks seldom.
    ///
    /// # Errors
    /// No broker answers in time.
    pub fn partitions(&self) -> Result<u32, Error> {
        let topic = &self.settings.topic;
        let metadata = self.producer.client().fetch_metadata(Some(topic), METADATA);
        let metadata = metadata.map_err(|error| Error::of(format!("describe topic {topic}"), &error))?;
        let found = metadata.topics().iter().find(|found| found.name() == topic);
        Ok(found.map_or(0, |found| found.partitions().len() as u32))
    }

    /// Why nothing will be written any more; `None` as long as there is hope.
    #[must_use]
    pub fn fatal(&self) -> Option<Error> {
        let (code, _) = self.producer.client().fatal_error()?;
        // who may write nowhere gets no number as a producer, and hears so before any record is sent
        Some(self.producer.client().context().role.refusal(code))
    }

    /// How many records are on their way.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        usize::try_from(self.producer.in_flight_count()).unwrap_or(0)
    }

    /// Waits until there is word of every record, so long at most; whether there is.
    #[must_use]
    pub fn flush(&self, patience: Duration) -> bool {
        let flushed: KafkaResult<()> = self.producer.flush(patience);
        flushed.is_ok()
    }
}
