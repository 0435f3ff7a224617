//! The broker that the other tests rest on.
#![expect(clippy::unwrap_used, reason = "a test says where it failed")]

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

/// The end of partition 0. Asked again where a client still believes in a leader that is dead.
fn end(bootstrap: &str, topic: &str) -> i64 {
    eventually("the end of the log", || {
        let consumer: BaseConsumer = client(bootstrap).create().unwrap();
        consumer.fetch_watermarks(topic, 0, Duration::from_secs(10)).ok().map(|(_, end)| end)
    })
}

#[test]
fn a_killed_broker_comes_back_on_its_port_with_its_records() {
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
fn kafkas_own_tools_see_what_was_written() {
    let kafka = Kafka::shared();
    let topic = unique("tools");
    kafka.create_topic(&topic, 1, &[]);
    produce(kafka.bootstrap(), &topic, &["a"]);
    let class = "org.apache.kafka.tools.GetOffsetShell";
    let offsets = kafka.tool(class, &["--bootstrap-server", kafka.bootstrap(), "--topic", &topic]);
    assert_eq!(offsets.trim(), format!("{topic}:0:1"));
}

/// Tests look at what is committed while its marks may still be on their way.
#[test]
fn who_reads_what_is_committed_waits_for_what_is_not_decided() {
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

/// The shared broker is a static, which nobody drops; and tests get killed.
#[test]
fn a_broker_and_its_files_go_when_the_process_that_started_it_is_killed() {
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
    eventually("the files are gone", || (!cluster.exists()).then_some(()));
}
