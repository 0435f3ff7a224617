//! Tests of `crowdfold generate` on a real topic.
#![expect(clippy::unwrap_used, reason = "a panic shows the location of the failure")]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use crowdfold_model::murmur2;
use crowdfold_testkit::{Kafka, binary, eventually, unique};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Timestamp;
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};
use serde_json::Value;

const PARTITIONS: u32 = 4;

fn generate(topic: &str, truth: &Path, flags: &[&str]) -> Child {
    Command::new(binary("crowdfold"))
        .args(["generate", "--brokers", Kafka::shared().bootstrap(), "--truth", truth.to_str().unwrap()])
        .args(flags)
        .env("CROWDFOLD_SOURCE__TOPIC", topic)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Waits until the process ends, and asserts that its exit code is 0.
fn ends_well(child: Child) {
    let Output { status, stderr, .. } = child.wait_with_output().unwrap();
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
}

/// Reads a file that was written with `--truth`. Returns the cells and the ledger.
fn read_truth(truth: &Path) -> (Vec<Value>, Value) {
    let text = std::fs::read_to_string(truth).unwrap();
    let mut lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let ledger = lines.pop().unwrap()["ledger"].take();
    (lines, ledger)
}

/// A record of a topic: its partition, key, timestamp and payload.
struct Record(u32, String, Timestamp, Value);

/// Returns all records of a topic.
fn records(topic: &str) -> Vec<Record> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", Kafka::shared().bootstrap())
        .set("group.id", "unused")
        .create()
        .unwrap();
    let mut all = TopicPartitionList::new();
    let mut left = 0;
    for partition in 0..PARTITIONS as i32 {
        left += consumer.fetch_watermarks(topic, partition, Duration::from_secs(120)).unwrap().1;
        all.add_partition_offset(topic, partition, Offset::Beginning).unwrap();
    }
    consumer.assign(&all).unwrap();
    let mut records = Vec::new();
    while (records.len() as i64) < left {
        let message = consumer.poll(Duration::from_secs(120)).unwrap().unwrap();
        let key = String::from_utf8(message.key().unwrap().to_vec()).unwrap();
        let payload = serde_json::from_slice(message.payload().unwrap()).unwrap();
        records.push(Record(message.partition() as u32, key, message.timestamp(), payload));
    }
    records
}

#[test]
fn records_have_the_partition_of_their_session_and_the_timestamp_of_their_beacon() {
    let topic = unique("players");
    Kafka::shared().create_topic(&topic, PARTITIONS, &[("message.timestamp.type", "CreateTime")]);
    let dir = tempfile::tempdir().unwrap();
    let truth = dir.path().join("cells.ndjson");
    ends_well(generate(&topic, &truth, &["--sessions", "500", "--rate", "300", "--beacons", "1000"]));

    let records = records(&topic);
    let (cells, ledger) = read_truth(&truth);
    assert_eq!((records.len(), ledger["read"].as_u64()), (1_000, Some(1_000)));
    let mut partitions = BTreeSet::new();
    for Record(partition, key, timestamp, beacon) in records {
        assert_eq!(beacon["session"], key);
        assert_eq!(partition, (murmur2(key.as_bytes()) & 0x7fff_ffff) % PARTITIONS);
        assert_eq!(timestamp, Timestamp::CreateTime(beacon["ts"].as_i64().unwrap()));
        partitions.insert(partition);
    }
    assert_eq!(partitions.len() as u32, PARTITIONS);
    let breakdown = &cells[0]["breakdown"];
    let of_one = cells.iter().filter(|cell| cell["breakdown"] == *breakdown);
    assert_eq!(of_one.map(|cell| cell["beacons"].as_u64().unwrap()).sum::<u64>(), 1_000);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the test measures the number of beacons over time")]
fn truth_contains_all_sent_beacons_after_sigterm() {
    let topic = unique("players");
    Kafka::shared().create_topic(&topic, PARTITIONS, &[]);
    let dir = tempfile::tempdir().unwrap();
    let truth = dir.path().join("cells.ndjson");
    let start = Instant::now();
    let child = generate(&topic, &truth, &["--sessions", "200", "--rate", "100"]);
    eventually("some beacons are sent", || (records(&topic).len() > 50).then_some(()));
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    ends_well(child);
    let sent = read_truth(&truth).1["read"].as_u64().unwrap();
    assert_eq!(records(&topic).len() as u64, sent);
    let took = start.elapsed();
    assert!(
        sent > 50 && sent as f64 <= 100.0 * took.as_secs_f64() + 200.0,
        "{sent} beacons in {took:?}, at a rate of 100 per second"
    );
}

#[test]
fn missing_topic_is_reported_with_its_name_and_the_fix() {
    let topic = unique("nowhere");
    let dir = tempfile::tempdir().unwrap();
    let child = generate(&topic, &dir.path().join("cells.ndjson"), &["--for", "1s"]);
    let Output { status, stderr, .. } = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(1), "{stderr}");
    assert!(stderr.contains(&format!("topic {topic} does not exist; create it")), "{stderr}");
}
