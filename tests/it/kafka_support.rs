//! Functions that tests of sources and sinks share.
#![expect(clippy::unwrap_used, reason = "a panic shows the location of the failure")]

use std::collections::BTreeMap;
use std::time::Duration;

use crowdfold_kafka::{Assigned, ClientSettings, Cluster, Event, Source, SourceError, SourceSettings};
use crowdfold_testkit::{Kafka, eventually, unique};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Header, Message, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{Offset, TopicPartitionList};

pub(crate) const SOON: Duration = Duration::from_millis(100);

pub(crate) fn settings(kafka: &Kafka) -> ClientSettings {
    ClientSettings {
        brokers: kafka.bootstrap().into(),
        client_id: "crowdfold-test".into(),
        properties: BTreeMap::new(),
    }
}

/// Creates a topic with a unique name, and returns the name.
pub(crate) fn topic(kafka: &Kafka, name: &str, partitions: u32) -> String {
    let name = unique(name);
    kafka.create_topic(&name, partitions, &[]);
    name
}

/// Returns the settings of a source with its own consumer group. The session timeout is long, because a busy machine
/// must not end the session. No test waits for this timeout.
pub(crate) fn source_settings(topic: &str) -> SourceSettings {
    SourceSettings {
        session_timeout: Duration::from_secs(30),
        ..SourceSettings::new(topic, &unique("group"), &unique("instance"))
    }
}

/// A record that a test produces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) partition: u32,
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: Option<Vec<u8>>,
    pub(crate) headers: Vec<(String, Option<Vec<u8>>)>,
    pub(crate) timestamp: Option<i64>,
}

impl Record {
    pub(crate) fn new(partition: u32, value: impl AsRef<[u8]>) -> Self {
        Self { partition, value: Some(value.as_ref().to_vec()), ..Self::default() }
    }
}

pub(crate) fn produce(kafka: &Kafka, topic: &str, records: &[Record]) {
    produce_with(kafka, topic, records, &[]);
}

pub(crate) fn produce_with(kafka: &Kafka, topic: &str, records: &[Record], properties: &[(&str, &str)]) {
    send(&producer(kafka, properties), topic, records);
}

/// Creates a producer with these properties of librdkafka.
pub(crate) fn producer(kafka: &Kafka, properties: &[(&str, &str)]) -> BaseProducer {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", kafka.bootstrap()).set("linger.ms", "1");
    for (key, value) in properties {
        config.set(*key, *value);
    }
    config.create().unwrap()
}

/// Sends records, and waits until they are written.
pub(crate) fn send(producer: &BaseProducer, topic: &str, records: &[Record]) {
    for record in records {
        let mut headers = OwnedHeaders::new();
        for (key, value) in &record.headers {
            headers = headers.insert(Header { key, value: value.as_deref() });
        }
        let mut send = BaseRecord::<[u8], [u8]>::to(topic).partition(record.partition as i32);
        send.key = record.key.as_deref();
        send.payload = record.value.as_deref();
        send.timestamp = record.timestamp;
        send.headers = (!record.headers.is_empty()).then_some(headers);
        while let Err((_, back)) = producer.send(send) {
            send = back;
            producer.poll(Duration::from_millis(10));
        }
    }
    producer.flush(Duration::from_secs(300)).unwrap();
}

/// Waits for the next event, and ignores transient errors.
pub(crate) fn event(source: &mut Source) -> Event {
    eventually("an event", || match source.poll(SOON) {
        Ok(event) => event,
        Err(error) if error.is_transient() => None,
        Err(error) => panic!("{error}"),
    })
}

/// Waits for the next event, which must be an assignment, and accepts it.
pub(crate) fn assigned(source: &mut Source) -> Assigned {
    let event = event(source);
    let Event::Assigned(assigned) = event else { panic!("the event is not an assignment: {event:?}") };
    assert_eq!(source.poll(Duration::ZERO).unwrap(), None);
    assigned
}

/// Reads one partition from the current position to its end. Returns the offset and the value of each record.
pub(crate) fn read_to_end(source: &mut Source, partition: u32) -> Vec<(i64, Vec<u8>)> {
    let mut values = Vec::new();
    eventually("the end of the partition", || {
        let read = source.read(partition, 1_000, |message| {
            values.push((message.offset(), message.payload().to_vec()));
        });
        match read {
            Ok(read) if read.drained && read.end.is_none() => {
                source.wait(SOON);
                pass(source.poll(Duration::ZERO));
                None
            }
            Ok(read) => read.end.filter(|_| read.drained),
            Err(error) if error.is_transient() => None,
            Err(error) => panic!("{error}"),
        }
    });
    values
}

/// Asserts that a poll returned neither an event nor an error. A transient error is allowed.
pub(crate) fn pass(polled: Result<Option<Event>, SourceError>) {
    match polled {
        Ok(None) => {}
        Ok(Some(event)) => panic!("unexpected: {event:?}"),
        Err(error) if error.is_transient() => {}
        Err(error) => panic!("{error}"),
    }
}

/// Waits until each transaction that has written to a topic is committed or aborted in this topic. This may happen
/// later than the commit of the offsets. If the worker was killed, it happens when the transaction times out.
pub(crate) fn await_decided(kafka: &Kafka, committed: &BaseConsumer, topic: &str, partitions: u32) {
    let all: Vec<_> = (0..partitions).collect();
    let cluster = Cluster::open(&settings(kafka)).unwrap();
    let ends = eventually("the ends of the logs", || {
        cluster.log_ends(topic, &all).ok()?.into_iter().collect::<Option<Vec<_>>>()
    });
    for (partition, end) in all.into_iter().zip(ends) {
        eventually("all transactions in the topic are committed or aborted", || {
            // For a consumer of committed records, the end is the last stable offset.
            let (_, stable) =
                committed.fetch_watermarks(topic, partition as i32, Duration::from_secs(10)).ok()?;
            if stable < end {
                std::thread::sleep(SOON);
            }
            (stable >= end).then_some(())
        });
    }
}

/// Reads all records of a topic with the consumer of rust-rdkafka. Returns the partition, offset, key and value of
/// each.
pub(crate) fn read_all(kafka: &Kafka, topic: &str, isolation: &str) -> Vec<(i32, i64, Vec<u8>, Vec<u8>)> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", kafka.bootstrap())
        .set("group.id", unique("reader"))
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .set("isolation.level", isolation)
        .create()
        .unwrap();
    let metadata = consumer.fetch_metadata(Some(topic), Duration::from_secs(120)).unwrap();
    let partitions = metadata.topics()[0].partitions().len();
    if isolation == "read_committed" {
        await_decided(kafka, &consumer, topic, partitions as u32);
    }
    let mut list = TopicPartitionList::new();
    for partition in 0..partitions {
        list.add_partition_offset(topic, partition as i32, Offset::Beginning).unwrap();
    }
    consumer.assign(&list).unwrap();
    let (mut all, mut ended) = (Vec::new(), 0);
    eventually("the end of the topic", || {
        while let Some(polled) = consumer.poll(SOON) {
            match polled {
                Ok(m) => {
                    let bytes = |bytes: Option<&[u8]>| bytes.unwrap_or_default().to_vec();
                    all.push((m.partition(), m.offset(), bytes(m.key()), bytes(m.payload())));
                }
                Err(rdkafka::error::KafkaError::PartitionEOF(_)) => ended += 1,
                Err(_) => {}
            }
            if ended == partitions {
                return Some(());
            }
        }
        None
    });
    all.sort();
    all
}
