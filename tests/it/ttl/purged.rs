//! Tests of `topics apply --purge-ahead`, which removes segments with records dated in the future from the disk.

use std::process::Output;
use std::sync::atomic::{AtomicBool, Ordering};

use crowdfold_kafka::Cluster;
use crowdfold_testkit::{Kafka, Options, eventually, unique};
use rdkafka::consumer::{CommitMode, Consumer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use super::ahead::{IN_2036, dated, turned};
use super::{command, files, is_on_disk, printed, quick};
use crate::kafka_support::{Record, produce, settings};
use crate::worker::support::{Deployment, now, sleep};

const PURGE: [&str; 3] = ["topics", "apply", "--purge-ahead"];
const PURGE_NOW: [&str; 4] = ["topics", "apply", "--purge-ahead", "--yes"];

/// Commits an offset of one partition for a group.
fn commit(kafka: &Kafka, group: &str, topic: &str, partition: i32, offset: i64) {
    let consumer: rdkafka::consumer::BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", kafka.bootstrap())
        .set("group.id", group)
        .create()
        .unwrap();
    let mut offsets = TopicPartitionList::new();
    offsets.add_partition_offset(topic, partition, Offset::Offset(offset)).unwrap();
    consumer.commit(&offsets, CommitMode::Sync).unwrap();
}

/// Waits until the broker has looked for expired segments and removed a segment that expires immediately from the disk.
fn await_expiry(kafka: &Kafka) {
    let (topic, marker) = (unique("expires"), unique("marker"));
    kafka.create_topic(&topic, 1, &[("retention.ms", "1")]);
    produce(kafka, &topic, &[Record::new(0, &marker)]);
    eventually("the expired segment is off the disk", || {
        (!is_on_disk(kafka, &topic, 0, marker.as_bytes())).then_some(())
    });
}

/// Returns the first offset and the end of each partition.
fn logs(deployment: &Deployment<'_>) -> Vec<(i64, i64)> {
    let all: Vec<u32> = (0..deployment.partitions).collect();
    let cluster = Cluster::open(&settings(deployment.kafka)).unwrap();
    let (starts, ends) = (
        cluster.log_starts(&deployment.topic("beacons"), &all),
        cluster.log_ends(&deployment.topic("beacons"), &all),
    );
    let known = |offsets: Vec<Option<i64>>| offsets.into_iter().map(Option::unwrap).collect::<Vec<_>>();
    known(starts.unwrap()).into_iter().zip(known(ends.unwrap())).collect()
}

/// Asserts that the topic has the settings of `topics apply`, and that its retention is bounded.
fn assert_bounded(deployment: &Deployment<'_>) {
    for arguments in [["topics", "check"], ["topics", "apply"]] {
        let output = command(deployment, &arguments);
        assert!(output.status.success(), "{}", printed(&output));
    }
    let applied = command(deployment, &["topics", "apply"]);
    assert!(printed(&applied).contains("0 of 4 topics changed"), "{}", printed(&applied));
    assert!(printed(&applied).contains(&format!("topic {}: no change needed", deployment.topic("beacons"))));
}

/// No producer writes to the topic. Without the purge, the broker keeps the segment. After the purge, the broker
/// deletes the segment and its records.
#[test]
fn purge_of_a_topic_without_producers_removes_its_data_from_the_disk() {
    let kafka = Kafka::start(quick());
    let deployment = turned(&kafka);
    let (beacons, marker) = (deployment.topic("beacons"), unique("marker"));
    // The record dated in the future is the first of its segment. Therefore `segment.ms` never passes for this segment,
    // and the broker does not begin another one.
    produce(&kafka, &beacons, &[dated(2, IN_2036, "ahead"), dated(2, now(), &marker), dated(2, now(), "x")]);
    produce(&kafka, &beacons, &[dated(1, IN_2036 + 1, &marker), Record::new(0, &marker)]);
    let is_there = || [0, 1, 2].map(|partition| is_on_disk(&kafka, &beacons, partition, marker.as_bytes()));
    assert_eq!(is_there(), [true; 3], "the search finds the records on the disk");
    let applied = command(&deployment, &["topics", "apply"]);
    assert_eq!(applied.status.code(), Some(3), "{}", printed(&applied));
    let (behind, done) = (unique("behind"), unique("done"));
    commit(&kafka, &behind, &beacons, 2, 1);
    commit(&kafka, &done, &beacons, 2, 3);
    commit(&kafka, &behind, &beacons, 0, 0);

    // Nothing is deleted without `--yes`.
    for arguments in [&PURGE[..], &[&PURGE[..], &["--dry-run"]].concat()] {
        let planned = command(&deployment, arguments);
        assert_eq!(planned.status.code(), Some(3), "{}", printed(&planned));
        for words in [
            format!("topic {beacons}: --purge-ahead deletes 4 records, all records of partitions 1, 2"),
            "  if nothing is written to the topic meanwhile, also 1 record, all records of partitions 0, 3"
                .into(),
            format!(
                "  group {behind} has not read 2 records of partitions 1, 2, and 1 record of the other partitions"
            ),
            "nothing was deleted: add --yes".into(),
        ] {
            assert!(printed(&planned).contains(&words), "{words:?} is not in\n{}", printed(&planned));
        }
        assert!(!printed(&planned).contains(&done), "{}", printed(&planned));
    }
    assert_eq!(logs(&deployment), [(0, 1), (0, 1), (0, 3), (0, 0)]);
    // If only the records are deleted, their bytes stay on the disk, although the broker looks for expired segments.
    kafka.delete_before(&beacons, 1, 1);
    for _ in 0..2 {
        await_expiry(&kafka);
    }
    assert_eq!(is_there(), [true; 3]);

    let began = now();
    let purged = command(&deployment, &PURGE_NOW);
    assert!(purged.status.success(), "{}", printed(&purged));
    let words = format!("topic {beacons}: 4 records deleted; no segment is dated in the future anymore");
    assert!(printed(&purged).contains(&words), "{}", printed(&purged));
    eventually("the bytes are off the disk", || (is_there() == [false; 3]).then_some(()));
    eprintln!("the bytes were off the disk {} ms after the purge began", now() - began);
    assert_eq!(logs(&deployment), [(1, 1), (1, 1), (3, 3), (0, 0)]);
    assert_bounded(&deployment);
    let again = command(&deployment, &PURGE_NOW);
    assert!(again.status.success() && printed(&again).contains("nothing to purge"), "{}", printed(&again));
}

/// Each broker has its own segments, but `--purge-ahead` reads only the timestamps of the leaders.
#[test]
fn purge_removes_the_data_from_the_disk_of_every_replica() {
    let kafka = Kafka::start(Options { brokers: 3, ..quick() });
    let mut deployment = turned(&kafka);
    deployment.set("topics.replication", "3");
    let (beacons, marker) = (deployment.topic("beacons"), unique("marker"));
    produce(&kafka, &beacons, &[dated(2, IN_2036, &marker)]);
    let applied = command(&deployment, &["topics", "apply"]);
    assert_eq!(applied.status.code(), Some(3), "{}", printed(&applied));
    let holds = |broker: u32| {
        let files = files(&kafka.log_dir(broker).join(format!("{beacons}-2")));
        files.iter().any(|file| memchr::memmem::find(file, marker.as_bytes()).is_some())
    };
    eventually("the record is on the disk of every broker", || (1..=3).all(holds).then_some(()));
    let purged = command(&deployment, &PURGE_NOW);
    assert!(purged.status.success(), "{}", printed(&purged));
    eventually("the record is on no disk", || (!(1..=3).any(holds)).then_some(()));
    assert_bounded(&deployment);
}

/// Purges the topic while a producer writes `records` repeatedly, and writes `records` once more afterwards. Returns
/// the output of the purge, and the number of times that `records` was written.
fn while_written(deployment: &Deployment<'_>, records: &[Record]) -> (Output, i64) {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut times = 0;
            loop {
                let is_last = stop.load(Ordering::Relaxed);
                produce(deployment.kafka, &deployment.topic("beacons"), records);
                times += 1;
                if is_last {
                    return times;
                }
                sleep(200);
            }
        });
        let purged = command(deployment, &PURGE_NOW);
        stop.store(true, Ordering::Relaxed);
        (purged, writer.join().unwrap())
    })
}

/// Producers continue to write during the purge.
#[test]
fn purge_of_a_topic_in_use_keeps_other_partitions_and_later_records() {
    let kafka = Kafka::start(quick());
    let deployment = turned(&kafka);
    let (beacons, marker, kept) = (deployment.topic("beacons"), unique("marker"), unique("kept"));
    produce(&kafka, &beacons, &[Record::new(0, &kept)]);
    // The first record dated in the future is ahead by less than `segment.ms`, which is still a week. Its segment
    // begins with a record of the present. The second record dated in the future begins a new segment in any case.
    produce(&kafka, &beacons, &[dated(2, now(), &marker)]);
    produce(&kafka, &beacons, &[dated(2, now() + 3 * 3_600_000, "ahead")]);
    produce(&kafka, &beacons, &[dated(3, IN_2036, &marker), dated(3, now(), "x")]);
    let applied = command(&deployment, &["topics", "apply"]);
    assert_eq!(applied.status.code(), Some(3), "{}", printed(&applied));

    let much = "x".repeat(950_000);
    let (purged, times) = while_written(&deployment, &[Record::new(2, "x"), Record::new(3, &much)]);
    assert!(purged.status.success(), "{}", printed(&purged));
    assert!(printed(&purged).contains("no segment is dated in the future anymore"), "{}", printed(&purged));
    eprintln!("{}", printed(&purged));
    let is_there = |partition| is_on_disk(&kafka, &beacons, partition, marker.as_bytes());
    eventually("the bytes are off the disk", || (!is_there(2) && !is_there(3)).then_some(()));
    assert!(is_on_disk(&kafka, &beacons, 0, kept.as_bytes()));
    let logs = logs(&deployment);
    assert_eq!((logs[0], logs[1]), ((0, 1), (0, 0)));
    // The broker accepted every batch, and the records after the last deletion are readable.
    assert_eq!((logs[2].1, logs[3].1), (2 + times, 2 + times));
    assert!(logs[2].0 > 2 && logs[2].1 > logs[2].0, "{logs:?}");
    assert_bounded(&deployment);
}

/// A producer writes to partition 0. Partition 2 has the segment dated in the future, and no producer writes to it. The
/// records of partition 0 must be kept.
#[test]
fn purge_reports_a_segment_that_it_cannot_remove_without_deleting_records_of_other_partitions() {
    let kafka = Kafka::start(quick());
    let deployment = turned(&kafka);
    let beacons = deployment.topic("beacons");
    produce(&kafka, &beacons, &[Record::new(0, "kept"), dated(2, IN_2036, "ahead")]);
    assert_eq!(command(&deployment, &["topics", "apply"]).status.code(), Some(3));
    let (purged, times) = while_written(&deployment, &[Record::new(0, "more")]);
    assert_eq!(purged.status.code(), Some(3), "{}", printed(&purged));
    let words =
        format!("topic {beacons}: 1 record deleted; partitions [2] still have a segment dated in the future");
    assert!(printed(&purged).contains(&words), "{}", printed(&purged));
    let logs = logs(&deployment);
    assert_eq!(logs, [(0, 1 + times), (0, 0), (1, 1), (0, 0)]);
    // The settings are still those of `topics apply`.
    let applied = command(&deployment, &["topics", "apply"]);
    assert!(printed(&applied).contains("0 of 4 topics changed"), "{}", printed(&applied));
}
