//! These tests use librdkafka's mock cluster. `tests/it` tests transactions and permissions on a real broker.

use crowdfold_model::Timestamp;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseProducer, BaseRecord, DefaultProducerContext, Producer as _};

use super::{TopicReader, read};
use crate::{ClientSettings, KafkaError};

type Mock = MockCluster<'static, DefaultProducerContext>;

fn cluster() -> (Mock, ClientSettings) {
    let mock = MockCluster::new(1).unwrap();
    let client = ClientSettings {
        brokers: mock.bootstrap_servers(),
        client_id: "reader".into(),
        ..ClientSettings::default()
    };
    (mock, client)
}

/// Writes records, each as (partition, timestamp in milliseconds, value).
fn write(client: &ClientSettings, topic: &str, records: &[(i32, i64, &str)]) {
    let producer: BaseProducer =
        ClientConfig::new().set("bootstrap.servers", &client.brokers).create().unwrap();
    for (partition, timestamp, value) in records {
        let record = BaseRecord::<(), str>::to(topic).partition(*partition).timestamp(*timestamp);
        producer.send(record.payload(value)).map_err(|(error, _)| error).unwrap();
    }
    producer.flush(Duration::from_secs(120)).unwrap();
}

fn values(client: &ClientSettings, topics: &[&str], since: Option<u64>) -> Result<Vec<String>, KafkaError> {
    let topics: Vec<_> = topics.iter().map(ToString::to_string).collect();
    let mut values = Vec::new();
    let records = read(client, &topics, since.map(Timestamp::from_millis), |value| {
        values.push(String::from_utf8(value.into()).unwrap())
    })?;
    assert_eq!(records, values.len() as u64);
    values.sort();
    Ok(values)
}

#[test]
fn reader_reads_each_partition_of_each_topic_to_its_end_and_commits_nothing() {
    let (mock, client) = cluster();
    mock.create_topic("a", 3, 1).unwrap();
    mock.create_topic("b", 1, 1).unwrap();
    write(&client, "a", &[(0, 1_000, "a0"), (0, 2_000, "a1"), (2, 3_000, "a2")]);
    write(&client, "b", &[(0, 1_000, "b0")]);
    assert_eq!(values(&client, &["a", "b"], None).unwrap(), ["a0", "a1", "a2", "b0"]);
    assert_eq!(values(&client, &["a", "b"], None).unwrap().len(), 4, "nothing was committed");
}

#[test]
fn reading_a_topic_without_records_ends_immediately() {
    let (mock, client) = cluster();
    mock.create_topic("empty", 4, 1).unwrap();
    assert_eq!(values(&client, &["empty"], None).unwrap(), Vec::<String>::new());
}

#[test]
fn reading_to_the_end_stops_before_records_written_after_opening() {
    let (mock, client) = cluster();
    mock.create_topic("live", 2, 1).unwrap();
    write(&client, "live", &[(0, 1_000, "before")]);
    let reader = TopicReader::open(&client, "live", None).unwrap();
    write(&client, "live", &[(0, 2_000, "after"), (1, 2_000, "beside")]);
    let mut seen = Vec::new();
    assert_eq!(reader.to_end(|value| seen.push(value.to_vec())).unwrap(), 1);
    assert_eq!(seen, [b"before"]);
}

#[test]
fn next_returns_records_written_after_opening() {
    let (mock, client) = cluster();
    mock.create_topic("live", 2, 1).unwrap();
    let mut reader = TopicReader::open(&client, "live", None).unwrap();
    assert_eq!(reader.next(Duration::from_millis(10), |_| {}).unwrap(), 0);
    write(&client, "live", &[(0, 1_000, "one"), (1, 1_000, "two")]);
    let mut seen = 0;
    for _ in 0..100 {
        seen += reader.next(Duration::from_millis(100), |_| {}).unwrap();
        if seen == 2 {
            return;
        }
    }
    panic!("{seen} of 2 records came");
}

#[test]
fn missing_topic_is_reported_with_its_name() {
    let (_mock, client) = cluster();
    let error = values(&client, &["nowhere"], None).unwrap_err();
    assert_eq!(error, KafkaError::NoTopic { topic: "nowhere".into() });
}

#[test]
fn unreachable_broker_is_reported_with_its_address() {
    // the socket is bound but not listening, so no other process can respond on this port
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let brokers = socket.local_addr().unwrap().to_string();
    let client = ClientSettings { brokers: brokers.clone(), ..ClientSettings::default() };
    match values(&client, &["any"], None).unwrap_err() {
        KafkaError::Unreachable { brokers: named, .. } => assert_eq!(named, brokers),
        other => panic!("{other}"),
    }
}
