//! Tests of reading topics without a consumer group, with open transactions and with missing permissions.
#![expect(clippy::unwrap_used, reason = "a panic shows the location of the failure")]

use crowdfold_model::Timestamp;
use std::time::Duration;

use crowdfold_kafka::acl::{Operation, Right};
use crowdfold_kafka::{KafkaError, TopicReader, read};
use crowdfold_testkit::{Kafka, Options, eventually, unique};
use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use crate::kafka_support::{Record, produce, settings, topic};

const LONG: Duration = Duration::from_secs(120);

fn values(kafka: &Kafka, topic: &str, since: Option<u64>) -> Result<Vec<String>, KafkaError> {
    let mut values = Vec::new();
    read(&settings(kafka), &[topic.to_owned()], since.map(Timestamp::from_millis), |value| {
        values.push(String::from_utf8_lossy(value).into_owned());
    })?;
    Ok(values)
}

fn transactional(kafka: &Kafka) -> BaseProducer {
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", kafka.bootstrap())
        .set("transactional.id", unique("reader"))
        .create()
        .unwrap();
    producer.init_transactions(LONG).unwrap();
    producer
}

fn send(producer: &BaseProducer, topic: &str, value: &str) {
    let record = BaseRecord::<(), str>::to(topic).partition(0).payload(value);
    producer.send(record).map_err(|(error, _)| error).unwrap();
    producer.flush(LONG).unwrap();
}

#[test]
fn reader_returns_only_committed_records_and_does_not_wait_for_open_transactions() {
    let kafka = Kafka::shared();
    let topic = topic(kafka, "read-committed", 2);
    let producer = transactional(kafka);
    for (value, commit) in [("aborted", false), ("committed", true), ("aborted too", false)] {
        producer.begin_transaction().unwrap();
        send(&producer, &topic, value);
        if commit {
            producer.commit_transaction(LONG).unwrap();
        } else {
            producer.abort_transaction(LONG).unwrap();
        }
    }
    // The partition ends with a control record, so it has no record at its last offset.
    assert_eq!(values(kafka, &topic, None).unwrap(), ["committed"]);
    producer.begin_transaction().unwrap();
    send(&producer, &topic, "open");
    produce(kafka, &topic, &[Record::new(0, "behind it"), Record::new(1, "beside it")]);
    // Records of different partitions have no defined order.
    let sorted = || {
        let mut values = values(kafka, &topic, None).unwrap();
        values.sort();
        values
    };
    assert_eq!(sorted(), ["beside it", "committed"]);
    producer.commit_transaction(LONG).unwrap();
    assert_eq!(sorted(), ["behind it", "beside it", "committed", "open"]);
}

#[test]
fn records_older_than_the_requested_time_are_not_read() {
    let kafka = Kafka::shared();
    let topic = unique("read-since");
    // Retention is unlimited, so the old records do not expire during the test.
    kafka.create_topic(&topic, 3, &[("retention.ms", "-1")]);
    let at = |partition, timestamp, value: &str| Record {
        timestamp: Some(timestamp),
        ..Record::new(partition, value)
    };
    let now = 1_795_308_480_000;
    produce(
        kafka,
        &topic,
        &[
            at(0, now - 9_000, "old"),
            at(0, now + 1_000, "new"),
            at(1, now - 8_000, "old"),
            at(2, now, "just"),
        ],
    );
    let mut since = values(kafka, &topic, Some(now as u64)).unwrap();
    since.sort();
    assert_eq!(since, ["just", "new"]);
    assert_eq!(values(kafka, &topic, Some(now as u64 + 60_000)).unwrap(), Vec::<String>::new());
    assert_eq!(values(kafka, &topic, None).unwrap().len(), 4);
}

#[test]
fn reading_begins_at_the_first_record_that_is_not_deleted() {
    let kafka = Kafka::shared();
    let topic = topic(kafka, "read-deleted", 1);
    produce(kafka, &topic, &[Record::new(0, "gone"), Record::new(0, "kept")]);
    kafka.delete_before(&topic, 0, 1);
    assert_eq!(values(kafka, &topic, None).unwrap(), ["kept"]);
}

#[test]
fn reading_requires_permission_on_the_topic_but_not_on_a_group() {
    let kafka = Kafka::start(
        Options::default()
            .with("authorizer.class.name", "org.apache.kafka.metadata.authorizer.StandardAuthorizer")
            .with("allow.everyone.if.no.acl.found", "true"),
    );
    let [hidden, shown, open] = ["hidden", "shown", "open"].map(|name| {
        let topic = topic(&kafka, name, 1);
        produce(&kafka, &topic, &[Record::new(0, "a row")]);
        topic
    });
    let acl = |arguments: &[&str]| {
        let mut all = vec!["--bootstrap-server", kafka.bootstrap(), "--add"];
        all.extend(arguments);
        let _ = kafka.tool("org.apache.kafka.tools.AclCommand", &all);
    };
    acl(&["--deny-principal", "User:ANONYMOUS", "--operation", "All", "--topic", &hidden]);
    acl(&["--allow-principal", "User:ANONYMOUS", "--operation", "Describe", "--topic", &shown]);
    acl(&["--deny-principal", "User:ANONYMOUS", "--operation", "All", "--group", "*"]);
    for topic in [&hidden, &shown] {
        match values(&kafka, topic, None) {
            Err(KafkaError::Forbidden { right, .. }) => {
                assert_eq!(right, Right::of_topic(Operation::Read, topic));
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(values(&kafka, &open, None).unwrap(), ["a row"]);
    let mut tail = TopicReader::open(&settings(&kafka), &open, None).unwrap();
    let next = Duration::from_millis(100);
    let seen = eventually("the row", || Some(tail.next(next, |_| {}).unwrap()).filter(|seen| *seen > 0));
    let more: u64 = (0..10).map(|_| tail.next(next, |_| {}).unwrap()).sum();
    assert_eq!((seen, more), (1, 0));
}
