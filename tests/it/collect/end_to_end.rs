//! Tests the whole path from beacons that are posted to the collector to published rows.
#![expect(clippy::unwrap_used, reason = "a panic shows the location of the failure")]

use crowdfold_loadgen::Faults;
use crowdfold_testkit::Kafka;
use crowdfold_testkit::envelope::{json_of, unpack};
use crowdfold_testkit::oracle::Record;

use super::client::JSON;
use super::support::{Collector, deploy};
use crate::worker::support::{Deployment, Worker, assert_same_rows, by_time, now, sleep};

/// Returns the records of the beacons topic in a form that the oracle can read. The payload of each record consists of
/// its beacons, one per line.
fn log_of(deployment: &Deployment<'_>) -> Vec<Vec<Record>> {
    let mut log = vec![Vec::new(); deployment.partitions as usize];
    for record in deployment.records("beacons", "read_uncommitted") {
        let mut lines = Vec::new();
        unpack(&record.value, &mut |_, beacon| lines.push(json_of(beacon.unwrap())));
        let payload = lines.iter().map(|line| line.to_string() + "\n").collect::<String>().into_bytes();
        log[record.partition as usize].push(Record { timestamp: Some(record.timestamp as u64), payload });
    }
    log
}

#[test]
fn rows_of_posted_beacons_equal_the_oracle() {
    let mut deployment = deploy(Kafka::shared());
    deployment.rules.k = 10;
    deployment.set("collect.max_requests_per_connection_second", "0");
    // The timeout is long, so that a busy machine does not close windows before their beacons arrive.
    deployment.set("source.idle_timeout", "\"8s\"");
    let deployment = deployment.with_topics();
    let collector = Collector::start(&deployment);
    let worker = Worker::start(&deployment, "a");
    let mut client = collector.connect();
    // Each beacon is sent at its own time. One request contains an array of beacons of several sessions and partitions.
    let faults = Faults { duplicate: 20, opt_out: 50, ..Faults::default() };
    let records = by_time(&deployment.players_with(3, 150, now(), 8_000, faults));
    let mut rest = records.as_slice();
    let mut sent = 0;
    while !rest.is_empty() {
        let due = rest.partition_point(|record| record.timestamp <= Some(now() as i64));
        for batch in rest[..due].chunks(40) {
            let lines: Vec<_> =
                batch.iter().map(|record| String::from_utf8_lossy(record.value.as_ref().unwrap())).collect();
            sent += lines.len() as u64;
            assert_eq!(client.post("/v1/beacons", JSON, format!("[{}]", lines.join(","))), 204);
        }
        rest = &rest[due..];
        sleep(100);
    }
    assert!(sent > 500, "{sent}");
    let outcome = deployment.evaluate(&log_of(&deployment));
    let ledger = &outcome.ledger.beacons;
    assert!(ledger.opted_out > 0 && ledger.duplicate > 0 && ledger.rejected.is_empty(), "{ledger:?}");
    deployment.await_committed(deployment.last_end(&outcome));
    let expected = outcome.rollups(&deployment.rules);
    assert!(expected.len() > 50, "{} rows", expected.len());
    assert_same_rows(&deployment.rows("read_committed"), &expected);
    let (status, log) = worker.terminate();
    assert!(status.success(), "{status}: {log}");
}
