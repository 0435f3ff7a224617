//! Tests with partitions that are not read for longer than `merge.timeout`.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crowdfold_testkit::{Kafka, eventually};
use rdkafka::consumer::Consumer;
use serde_json::Value;

use super::assert_aborted_are_committed;
use crate::worker::support::{Deployment, Worker, assert_same_rows, now, window_ago};

/// Returns the partitions of the beacons topic that were last assigned to a worker, according to its log.
fn partitions(worker: &Worker) -> Vec<usize> {
    let log = worker.log();
    let last = log.lines().rfind(|line| line.contains("assigned stage=\"combine\""));
    let list = last.and_then(|line| line.split_once("partitions=[")?.1.split_once(']'));
    list.map_or_else(Vec::new, |(list, _)| {
        list.split(", ").filter_map(|number| number.parse().ok()).collect()
    })
}

#[test]
fn windows_are_released_without_missing_partitions_even_if_the_merger_is_killed_after_the_decision() {
    let mut deployment = Deployment::new(Kafka::shared());
    deployment.set("merge.timeout", "\"12s\"");
    deployment.set("source.idle_timeout", "\"5s\"");
    let deployment = deployment.with_topics();
    let mut log = deployment.players(24, 200, window_ago(2_000, 60_000), 20_000);
    deployment.produce(&log);

    // This member of the consumer group receives partitions, but does not process their beacons.
    let (holds, done) = (AtomicBool::new(false), AtomicBool::new(false));
    let (part, last) = std::thread::scope(|scope| {
        scope.spawn(|| {
            let idle = deployment.member("combine");
            idle.subscribe(&[&deployment.topic("beacons")]).unwrap();
            while !done.load(Ordering::Relaxed) {
                let _ = idle.poll(Duration::from_millis(100));
                holds.store(idle.assignment().is_ok_and(|held| held.count() > 0), Ordering::Relaxed);
            }
        });
        eventually("the idle member has partitions", || holds.load(Ordering::Relaxed).then_some(()));
        // This worker is killed directly after it has committed the decision to release windows without the missing
        // partitions.
        let mut first = Worker::start_armed(&deployment, "a", "merge.4.decided:1:kill");
        let ours = eventually("the worker has half of the partitions", || {
            Some(partitions(&first)).filter(|ours| ours.len() == 2)
        });
        first.wait();
        assert!(
            deployment.rows("read_uncommitted").is_empty(),
            "no row is published before the decision is committed"
        );
        let mut part = log.clone();
        for (number, records) in part.iter_mut().enumerate() {
            if !ours.contains(&number) {
                records.clear();
            }
        }
        let part = deployment.evaluate(&part);
        let last = deployment.last_end(&part);
        let second = Worker::start(&deployment, "a");
        deployment.await_committed(last);
        assert_eq!(partitions(&second), ours);
        done.store(true, Ordering::Relaxed);
        (part.rollups(&deployment.rules), last)
    });
    let mut rows = deployment.rows("read_committed");
    assert!(rows.len() > 20, "{} rows", rows.len());
    for row in &mut rows {
        let coverage = row.json.as_object_mut().unwrap().remove("coverage");
        assert_eq!(coverage, Some(serde_json::json!({"partitions": 2, "of": 4})));
    }
    assert_same_rows(&rows, &part);

    // When all partitions are read again, later windows are complete. The windows that were released without the
    // missing partitions do not change.
    let worker = Worker::start(&deployment, "a");
    eventually("the worker has all partitions", || (partitions(&worker).len() == 4).then_some(()));
    let more = deployment.players(25, 200, (now() / 2_000 + 3) * 2_000, 8_000);
    deployment.produce_live(&more);
    for (all, more) in log.iter_mut().zip(&more) {
        all.extend(more.iter().cloned());
    }
    let whole = deployment.evaluate(&log);
    deployment.await_committed(deployment.last_end(&whole));
    let after = deployment.rows("read_committed");
    let is_later = |row: &Value| row["window"]["start"].as_u64() >= Some(last + 10_000);
    let later: Vec<_> = after.iter().filter(|row| is_later(&row.json)).cloned().collect();
    let mut expected = whole.rollups(&deployment.rules);
    expected.retain(is_later);
    assert!(!expected.is_empty());
    assert_same_rows(&later, &expected);
    let mut tables = BTreeMap::new();
    for row in &after {
        *tables.entry((row.key.clone(), row.json["row"].to_string())).or_insert(0) += 1;
    }
    assert!(tables.values().all(|times| *times == 1), "a row is published twice");
    assert_aborted_are_committed(&deployment, &after);
}
