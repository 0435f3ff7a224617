//! Tests of `ttl.erase_counted`. Beacons must be deleted as soon as they are counted, and no beacon may be lost.

use crowdfold_kafka::Cluster;
use crowdfold_testkit::oracle::Record;
use crowdfold_testkit::{Kafka, eventually, unique};

use super::{is_on_disk, quick};
use crate::kafka_support::settings;
use crate::worker::support::{Deployment, Worker, assert_same_rows, now, seeded_random, sleep, window_ago};

/// Returns a deployment with `ttl.erase_counted`, without creating its topics.
fn erasing(kafka: &Kafka) -> Deployment<'_> {
    let mut deployment = Deployment::new(kafka);
    deployment.set("ttl.erase_counted", "true");
    deployment
}

fn log_starts(deployment: &Deployment<'_>) -> Vec<i64> {
    let partitions: Vec<_> = (0..deployment.partitions).collect();
    let cluster = Cluster::open(&settings(deployment.kafka)).unwrap();
    cluster
        .log_starts(&deployment.topic("beacons"), &partitions)
        .unwrap()
        .into_iter()
        .map(Option::unwrap)
        .collect()
}

fn committed(deployment: &Deployment<'_>) -> Vec<i64> {
    deployment.committed("combine").into_iter().map(|held| held.unwrap().0).collect()
}

/// Waits until the first offset of each partition is the committed offset of the combiner.
fn await_erased(deployment: &Deployment<'_>) {
    eventually("each partition begins at the committed offset", || {
        let (starts, committed) = (log_starts(deployment), committed(deployment));
        assert!(starts.iter().zip(&committed).all(|(start, committed)| start <= committed));
        (starts == committed && starts.iter().all(|start| *start > 0)).then_some(())
    });
}

/// The worker is killed and restarted twice. After each restart, it can read only the records that were not erased. The
/// rows must equal the rows of the oracle, and at the end no counted beacon may be readable.
#[test]
fn all_beacons_are_counted_and_then_unreadable_even_if_the_worker_is_killed() {
    let mut chance = seeded_random("erase and kill");
    let deployment = erasing(Kafka::shared()).with_topics();
    let log = deployment.players(41, 200, window_ago(2_000, 240_000), 200_000);
    let outcome = deployment.evaluate(&log);
    deployment.produce(&log);
    for _ in 0..2 {
        let worker = Worker::start(&deployment, "a");
        let none = vec![0; deployment.partitions as usize];
        eventually("some records are erased", || (log_starts(&deployment) != none).then_some(()));
        sleep(chance.below(500));
        worker.kill();
        let (starts, committed) = (log_starts(&deployment), committed(&deployment));
        let beyond = starts.iter().zip(&committed).any(|(start, committed)| start > committed);
        assert!(!beyond, "records were erased up to {starts:?}, but a restart begins at {committed:?}");
    }

    let worker = Worker::start(&deployment, "a");
    deployment.await_committed(deployment.last_end(&outcome));
    assert_same_rows(&deployment.rows("read_committed"), &outcome.rollups(&deployment.rules));
    await_erased(&deployment);
    // The only records that are still readable are those that a restarted worker needs.
    let (left, sent) =
        (deployment.records("beacons", "read_uncommitted"), log.iter().map(Vec::len).sum::<usize>());
    let starts = committed(&deployment);
    assert!(left.iter().all(|record| record.offset >= starts[record.partition as usize]));
    assert!(left.len() < sent / 10, "{} of {sent} records are still readable", left.len());
    worker.await_ready();
    let (status, log_text) = worker.terminate();
    assert!(status.success() && !log_text.contains("cannot be deleted"), "{log_text}");
}

#[test]
fn erased_beacons_are_removed_from_the_disk_within_the_time_to_live() {
    let kafka = Kafka::start(quick());
    let mut deployment = erasing(&kafka);
    // With append time, the time-to-live begins when the broker receives a record.
    for (key, value) in
        [("source.trust_timestamps", "false"), ("ttl.beacons", "\"60s\""), ("ttl.max_outage", "\"0s\"")]
    {
        deployment.set(key, value);
    }
    let deployment = deployment.with_topics();
    let worker = Worker::start(&deployment, "a");
    worker.await_ready();
    let marker = unique("marker");
    let (born, before) = (now(), kafka.cpu_wait(1));
    // A record with the marker is the first one in each partition.
    let marked: Vec<_> = (0..deployment.partitions)
        .map(|partition| {
            let mut sessions = (0..).map(|number| format!("session-{number}"));
            let session = sessions.find(|name| deployment.partition_of(name) == partition).unwrap();
            let payload = format!(r#"{{"ts":{born},"session":"{session}","nobodys":"{marker}"}}"#);
            vec![Record { timestamp: Some(born), payload: payload.into_bytes() }]
        })
        .collect();
    deployment.produce(&marked);
    let is_there = |partition| is_on_disk(&kafka, &deployment.topic("beacons"), partition, marker.as_bytes());
    assert!((0..deployment.partitions).all(is_there), "the scan does not find the markers on the disk");
    deployment.produce_live(&deployment.players(42, 60, now(), 6_000));
    eventually("the beacons are erased", || {
        log_starts(&deployment).iter().all(|start| *start > 0).then_some(())
    });
    let unreadable = now() - born;
    eventually("the bytes are off the disk", || (!(0..deployment.partitions).any(is_there)).then_some(()));
    let off_disk = now() - born;
    let waited = kafka.cpu_wait(1).saturating_sub(before).as_millis() as u64;
    eprintln!(
        "unreadable after {unreadable} ms, off the disk after {off_disk} ms; bounds 60000 and 61000 ms, and {waited} \
         ms for a busy machine"
    );
    // Without erasure, retention would keep the beacons readable for 47.6 s.
    assert!(unreadable < 47_000, "{unreadable}");
    assert!(off_disk <= 61_000 + 2_500 + waited, "{off_disk}");
}

/// If a broker is killed directly after an erasure, the erased records are readable again after the restart. The worker
/// must erase them again, both after partitions are assigned and once a minute.
#[test]
fn records_restored_by_a_killed_broker_are_erased_again() {
    // By default, the broker stores the first offsets of partitions once a minute. The long interval ensures that the
    // broker is always killed before it stores them.
    let kafka = Kafka::start(quick().with("log.flush.start.offset.checkpoint.interval.ms", "3600000"));
    let deployment = erasing(&kafka).with_topics();
    let log = deployment.players(43, 150, window_ago(2_000, 60_000), 30_000);
    let outcome = deployment.evaluate(&log);
    deployment.produce(&log);
    let crash = || {
        kafka.kill(1);
        kafka.restart(1);
        eventually("the broker responds", || {
            let cluster = Cluster::open(&settings(&kafka)).ok()?;
            let starts = cluster.log_starts(&deployment.topic("beacons"), &[0, 1, 2, 3]).ok()?;
            starts.into_iter().collect::<Option<Vec<_>>>()
        })
    };

    let worker = Worker::start(&deployment, "a");
    deployment.await_committed(deployment.last_end(&outcome));
    await_erased(&deployment);
    worker.terminate();
    let forgotten = vec![0; deployment.partitions as usize];
    assert_eq!(
        crash(),
        forgotten,
        "the broker did not restore the erased records, so this test proves nothing"
    );
    let worker = Worker::start(&deployment, "a");
    await_erased(&deployment);

    // This time the worker keeps running, and its partitions stay assigned.
    let after = crash();
    assert_eq!(after, forgotten);
    let since = now();
    await_erased(&deployment);
    eprintln!("the records were erased again {} ms after the restart of the broker", now() - since);
    assert_same_rows(&deployment.rows("read_committed"), &outcome.rollups(&deployment.rules));
    drop(worker);
}

/// Without the permission to delete records, only retention deletes beacons.
#[test]
fn worker_without_permission_to_erase_continues_and_logs_the_missing_permission_once() {
    let kafka = Kafka::start(
        quick()
            .with("authorizer.class.name", "org.apache.kafka.metadata.authorizer.StandardAuthorizer")
            .with("allow.everyone.if.no.acl.found", "true"),
    );
    let deployment = erasing(&kafka).with_topics();
    let topic = deployment.topic("beacons");
    let may = |rule: &str, operation: &str| {
        let class = "org.apache.kafka.tools.AclCommand";
        let arguments = ["--bootstrap-server", kafka.bootstrap(), "--add", rule, "User:ANONYMOUS"];
        let _ = kafka.tool(class, &[&arguments[..], &["--operation", operation, "--topic", &topic]].concat());
    };
    may("--allow-principal", "All");
    may("--deny-principal", "Delete");

    let log = deployment.players(44, 150, window_ago(2_000, 60_000), 40_000);
    let outcome = deployment.evaluate(&log);
    deployment.produce(&log);
    let worker = Worker::start(&deployment, "a");
    deployment.await_committed(deployment.last_end(&outcome));
    assert_same_rows(&deployment.rows("read_committed"), &outcome.rollups(&deployment.rules));
    let reason = format!("may not Delete topic {topic}; grant the permission");
    eventually("/readyz reports the reason", || worker.get("/readyz").1.contains(&reason).then_some(()));
    assert_eq!(log_starts(&deployment), vec![0; deployment.partitions as usize]);
    let (status, log_text) = worker.terminate();
    assert!(status.success(), "{log_text}");
    assert_eq!(log_text.matches(&reason).count(), 1, "{log_text}");
    assert!(
        log_text.matches("stage=\"combine\" partitions=").count() == 1,
        "the stage was restarted: {log_text}"
    );
}

/// The properties in `[kafka.eraser]` apply only to the client that erases.
#[test]
fn properties_of_the_eraser_apply_to_no_other_client() {
    let mut deployment = erasing(Kafka::shared());
    deployment.set("kafka.eraser.\"security.protocol\"", "\"ssl\"");
    let deployment = deployment.with_topics();
    let log = deployment.players(45, 100, window_ago(2_000, 60_000), 10_000);
    let outcome = deployment.evaluate(&log);
    deployment.produce(&log);
    let worker = Worker::start(&deployment, "a");
    deployment.await_committed(deployment.last_end(&outcome));
    // The broker does not support TLS, so the eraser cannot connect.
    eventually("/readyz reports the reason", || {
        let (status, text) = worker.get("/readyz");
        (status == 503 && text.contains("erase: counted beacons cannot be deleted: no broker at"))
            .then_some(())
    });
    assert_same_rows(&deployment.rows("read_committed"), &outcome.rollups(&deployment.rules));
    let (status, log_text) = worker.terminate();
    assert!(status.success(), "{log_text}");
}

#[test]
fn erasing_from_a_topic_of_another_deployment_is_refused_without_erase_shared() {
    let mut deployment = erasing(Kafka::shared());
    deployment.set("source.topic", "\"events\"");
    let mut worker = Worker::start(&deployment, "a");
    assert_eq!(worker.wait().code(), Some(2), "{}", worker.log());
    for words in
        ["ttl.erase_counted", "source.topic events is not this deployment's own", "ttl.erase_shared to true"]
    {
        assert!(worker.log().contains(words), "{}", worker.log());
    }
}
