//! Tests of the Kafka cluster that the other tests use.
#![expect(clippy::unwrap_used, reason = "a panic shows the location of the failure")]

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use crowdfold_testkit::{Kafka, Options, binary_of, eventually, unique};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use crate::kafka_support::read_all;

fn client(bootstrap: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", bootstrap).set("group.id", "unused").set("enable.auto.commit", "false");
    config
}

fn produce(bootstrap: &str, topic: &str, values: &[&str]) {
    let producer: BaseProducer = client(bootstrap).create().unwrap();
    for value in values {
        producer.send(BaseRecord::<(), str>::to(topic).partition(0).payload(value)).unwrap();
    }
    producer.flush(Duration::from_secs(120)).unwrap();
    assert_eq!(producer.in_flight_count(), 0);
}

/// Returns the end offset of partition 0. The request is repeated until it succeeds, because a client may still use a
/// leader that was killed.
fn end(bootstrap: &str, topic: &str) -> i64 {
    eventually("the end of the log", || {
        let consumer: BaseConsumer = client(bootstrap).create().unwrap();
        consumer.fetch_watermarks(topic, 0, Duration::from_secs(10)).ok().map(|(_, end)| end)
    })
}

#[test]
fn killed_broker_restarts_with_the_same_port_and_records() {
    let kafka = Kafka::start(Options::default());
    let topic = unique("records");
    kafka.create_topic(&topic, 1, &[("flush.messages", "1")]);
    produce(kafka.bootstrap(), &topic, &["a", "b"]);
    assert!(kafka.log_dir(1).join(format!("{topic}-0")).is_dir());
    kafka.kill(1);
    kafka.restart(1);
    assert_eq!(end(kafka.bootstrap(), &topic), 2);
    kafka.stop(1);
    kafka.restart(1);
    kafka.pause(1);
    kafka.resume(1);
    assert_eq!(end(kafka.bootstrap(), &topic), 2);
}

#[test]
fn kafka_tool_reports_the_offsets_of_written_records() {
    let kafka = Kafka::shared();
    let topic = unique("tools");
    kafka.create_topic(&topic, 1, &[]);
    produce(kafka.bootstrap(), &topic, &["a"]);
    let class = "org.apache.kafka.tools.GetOffsetShell";
    let offsets = kafka.tool(class, &["--bootstrap-server", kafka.bootstrap(), "--topic", &topic]);
    assert_eq!(offsets.trim(), format!("{topic}:0:1"));
}

/// An open transaction is committed one second after the reader has started.
#[test]
fn reader_of_committed_records_waits_for_pending_transactions() {
    let kafka = Kafka::shared();
    let topic = unique("undecided");
    kafka.create_topic(&topic, 1, &[]);
    let long = Duration::from_secs(120);
    let mut config = client(kafka.bootstrap());
    let producer: BaseProducer = config.set("transactional.id", unique("undecided")).create().unwrap();
    producer.init_transactions(long).unwrap();
    producer.begin_transaction().unwrap();
    producer.send(BaseRecord::<(), str>::to(&topic).partition(0).payload("open")).unwrap();
    producer.flush(long).unwrap();
    let read = std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_secs(1));
            producer.commit_transaction(long).unwrap();
        });
        read_all(kafka, &topic, "read_committed")
    });
    assert_eq!(read.len(), 1);
}

/// Dropping a cluster removes its files. The shared cluster is a static variable, which is never dropped, so a watcher
/// process must remove its files.
#[test]
fn broker_and_its_files_are_removed_when_the_test_process_is_killed() {
    let mut child = Command::new(binary_of("crowdfold-testkit", "test-broker"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut value = |key: &str| lines.next().unwrap().unwrap().strip_prefix(key).unwrap().to_owned();
    let address = value("bootstrap=");
    let files = PathBuf::from(value("log_dir="));
    assert!(files.is_dir() && std::net::TcpStream::connect(&address).is_ok());
    child.kill().unwrap();
    child.wait().unwrap();
    let gone = || std::net::TcpStream::connect(&address).is_err();
    eventually("the port is closed", || gone().then_some(()));
    let cluster = files.ancestors().nth(2).unwrap();
    eventually("the files are deleted", || (!cluster.exists()).then_some(()));
}
