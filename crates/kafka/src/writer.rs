//! The producer of the collector. It writes to one topic, and reports the outcome of each record.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crowdfold_model::Timestamp;
use rdkafka::error::{KafkaResult, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Header, Message as _, OwnedHeaders, Timestamp as RecordTime};
use rdkafka::producer::{BaseRecord, Producer as _, ProducerContext, ThreadedProducer};

use crate::acl::{Operation, Right};
use crate::client::{Context, Principal};
use crate::error::code;
use crate::{ClientSettings, KafkaError};

/// The maximum time to wait for metadata.
const METADATA_TIMEOUT: Duration = Duration::from_secs(5);

/// The settings of a [`Writer`].
#[derive(Clone, Debug)]
pub struct WriterSettings {
    /// The topic to write to.
    pub topic: String,
    /// The value of the header `content-type` of each record.
    pub content_type: &'static str,
    /// The maximum time to wait for the acknowledgement of a record. After this time, the outcome is an error.
    pub time_limit: Duration,
    /// The maximum size of all records in flight, in bytes, which the caller must not exceed.
    pub memory: usize,
}

/// The confirmation that every in-sync replica has stored a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// True if the broker set the timestamp (`LogAppendTime`).
    pub stamped_by_broker: bool,
}

/// The call-back for the outcome of a record. It is called once, on a thread of the producer.
pub type Receipt = Box<dyn FnOnce(Result<Written, KafkaError>) + Send>;

/// A producer that writes each record to one topic. If the outcome of a record is an error, the record may have been
/// written nevertheless.
pub struct Writer {
    producer: ThreadedProducer<Context<Reports>>,
    settings: WriterSettings,
    headers: OwnedHeaders,
}

/// The values that are needed to convert a delivery report into an error.
#[derive(Default)]
struct Reports {
    topic: String,
    principal: Principal,
}

/// The call-back of a record. librdkafka stores the call-back with the record, and returns it with the delivery report.
struct Pending(Mutex<Option<Receipt>>);

impl ProducerContext for Context<Reports> {
    type DeliveryOpaque = Box<Pending>;

    fn delivery(&self, result: &DeliveryResult<'_>, pending: Box<Pending>) {
        self.count();
        let result = match result {
            Ok(record) => {
                Ok(Written { stamped_by_broker: matches!(record.timestamp(), RecordTime::LogAppendTime(_)) })
            }
            Err((error, _)) => Err(self.role.refusal(code(error))),
        };
        pending.complete(result);
    }
}

impl Pending {
    fn complete(self, result: Result<Written, KafkaError>) {
        if let Some(receipt) = self.0.into_inner().unwrap_or_else(PoisonError::into_inner) {
            receipt(result);
        }
    }
}

impl Reports {
    /// Returns the error of a record that was not written.
    fn refusal(&self, code: RDKafkaErrorCode) -> KafkaError {
        KafkaError::coded(format!("write to topic {}", self.topic), code)
            .forbids(&self.principal, || Right::of_topic(Operation::Write, &self.topic))
    }
}

impl Writer {
    /// Creates an idempotent producer, which waits for all in-sync replicas. Sends no request.
    ///
    /// # Errors
    /// Returns an error if librdkafka rejects the properties.
    pub fn open(client: &ClientSettings, settings: WriterSettings) -> Result<Self, KafkaError> {
        let time_limit = settings.time_limit.as_millis().to_string();
        // the caller limits the memory, so librdkafka's own limits must be larger than any queue
        let kilobytes = (settings.memory / 512).clamp(65_536, 2_147_483_647).to_string();
        let defaults = [
            ("compression.codec", "lz4"),
            // send immediately, because the caller has already packed several requests into a record, and an HTTP
            // client waits for the outcome
            ("linger.ms", "0"),
        ];
        let fixed = [
            ("enable.idempotence", "true"),
            ("message.timeout.ms", &*time_limit),
            ("message.max.bytes", "1048588"),
            ("queue.buffering.max.kbytes", &*kilobytes),
            ("queue.buffering.max.messages", "10000000"),
        ];
        let reports = Reports { topic: settings.topic.clone(), principal: client.principal() };
        let producer = client.config(&defaults, &fixed)?.create_with_context(Context::of(reports))?;
        let header = Header { key: "content-type", value: Some(settings.content_type) };
        Ok(Self { producer, headers: OwnedHeaders::new().insert(header), settings })
    }

    /// Sends a record without a key. The broker replaces `timestamp` if the topic uses `LogAppendTime`. `receipt` is
    /// called with the outcome and must not block.
    pub fn write(&self, partition: u32, payload: &[u8], timestamp: Timestamp, receipt: Receipt) {
        let record =
            BaseRecord::with_opaque_to(&self.settings.topic, Box::new(Pending(Mutex::new(Some(receipt)))))
                .partition(partition as i32)
                .payload(payload)
                .timestamp(i64::try_from(timestamp.as_millis()).unwrap_or(i64::MAX))
                .headers(self.headers.clone());
        let record: BaseRecord<'_, (), [u8], _> = record;
        if let Err((error, record)) = self.producer.send(record) {
            let reports = &self.producer.client().context().role;
            record
                .delivery_opaque
                .complete(Err(self.fatal().unwrap_or_else(|| reports.refusal(code(&error)))));
        }
    }

    /// Requests the number of partitions of the topic, with a time-out of five seconds. Returns 0 if the topic does not
    /// exist. If partitions may be added, call this function regularly: librdkafka itself rarely requests the metadata,
    /// and refuses records for a partition that it does not know.
    ///
    /// # Errors
    /// Returns an error if no broker responds in time.
    pub fn partitions(&self) -> Result<u32, KafkaError> {
        let topic = &self.settings.topic;
        let metadata = self.producer.client().fetch_metadata(Some(topic), METADATA_TIMEOUT);
        let metadata = metadata.map_err(|error| KafkaError::of(format!("describe topic {topic}"), &error))?;
        let found = metadata.topics().iter().find(|found| found.name() == topic);
        Ok(found.map_or(0, |found| found.partitions().len() as u32))
    }

    /// Returns the fatal error of the producer, or `None` if it has none. After a fatal error, the producer can write
    /// no record.
    #[must_use]
    pub fn fatal(&self) -> Option<KafkaError> {
        let (code, _) = self.producer.client().fatal_error()?;
        // if the principal may not write to any topic, it receives no producer id, and the producer fails before it
        // sends a record
        Some(self.producer.client().context().role.refusal(code))
    }

    /// Returns the number of records whose outcome is not known yet.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        usize::try_from(self.producer.in_flight_count()).unwrap_or(0)
    }

    /// Waits for at most `time_limit` until the outcome of every record is known. Returns false if the time-out was
    /// reached first.
    #[must_use]
    pub fn flush(&self, time_limit: Duration) -> bool {
        let flushed: KafkaResult<()> = self.producer.flush(time_limit);
        flushed.is_ok()
    }
}
