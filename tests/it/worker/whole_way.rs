//! Beacons in, rollups out.

use std::collections::BTreeMap;

use crowdfold_testkit::Kafka;
use crowdfold_testkit::oracle::Record;

use super::support::{
    Deployment, Worker, assert_same_rows, assert_side_by_side, eventually, now, window_ago,
};

#[test]
fn the_rollups_are_the_oracles_row_for_row() {
    let mut way = Deployment::new(Kafka::shared());
    // the last of them are no crowds
    way.rules.tenants.extend((4..=8).map(|rank| format!("tenant-{rank}")));
    way.rules.k = 25;
    let way = way.with_topics();
    let log = way.players(1, 400, window_ago(2_000, 90_000), 60_000);
    let verdict = way.judge(&log);
    let ledger = &verdict.ledger.beacons;
    assert!(
        ledger.late > 0 && ledger.duplicate > 0 && ledger.opted_out > 0 && ledger.withheld > 0,
        "{ledger:?}"
    );
    way.produce(&log);

    let worker = Worker::start(&way, "a");
    way.await_settled(way.last_end(&verdict), 60);
    let expected = verdict.rollups(&way.rules);
    assert!(expected.len() > 500, "{} rows", expected.len());
    let rows = way.rows("read_committed");
    assert_same_rows(&rows, &expected);
    assert_side_by_side(&rows);
    worker.await_ready();
    let (status, log) = worker.terminate(10);
    assert!(status.success(), "{status}: {log}");
}

/// The broker stamps the records, silence closes the last windows, and crowds of one show all there is: then counters
/// are not floored and must balance to the beacon.
#[test]
fn on_append_time_silence_closes_windows_and_no_beacon_is_lost() {
    let mut way = Deployment::new(Kafka::shared());
    way.set("source.trust_timestamps", "false");
    way.rules.k = 1;
    way.rules.lateness = 2_000;
    way.rules.max_skew = 2_000;
    let way = way.with_topics();
    let worker = Worker::start(&way, "a");
    worker.await_ready();
    way.produce_live(&way.players(13, 150, now(), 9_000));

    // what the broker made of it
    let mut log = vec![Vec::new(); way.partitions as usize];
    for record in way.records("beacons", "read_uncommitted") {
        log[record.partition as usize]
            .push(Record { timestamp: Some(record.timestamp as u64), payload: record.value });
    }
    let verdict = way.judge(&log);
    way.await_settled(way.last_end(&verdict), 30);
    assert_same_rows(&way.rows("read_committed"), &verdict.rollups(&way.rules));

    let beacons = &verdict.ledger.beacons;
    assert!(
        beacons.late > 0 && beacons.duplicate > 0 && beacons.opted_out > 0 && beacons.rejected.len() == 3
    );
    let mut expected = BTreeMap::from([
        ("beacons_total{outcome=\"read\"}".to_owned(), beacons.read),
        ("beacons_total{outcome=\"released\"}".to_owned(), beacons.released),
        ("beacons_total{outcome=\"withheld\"}".to_owned(), 0),
        ("beacons_total{outcome=\"late\"}".to_owned(), beacons.late),
        ("beacons_total{outcome=\"duplicate\"}".to_owned(), beacons.duplicate),
        ("beacons_total{outcome=\"opted_out\"}".to_owned(), beacons.opted_out),
        ("beacons_total{outcome=\"excluded\"}".to_owned(), 0),
        ("beacons_total{outcome=\"rejected\"}".to_owned(), beacons.rejected.values().sum()),
        ("windows_total{outcome=\"released\"}".to_owned(), verdict.ledger.windows.released),
        ("ledger_balanced{stage=\"combine\"}".to_owned(), 1),
        ("ledger_balanced{stage=\"merge\"}".to_owned(), 1),
        ("sittings".to_owned(), 0),
    ]);
    for (reason, count) in &beacons.rejected {
        expected.insert(format!("rejected_total{{reason=\"{reason}\"}}"), *count);
    }
    for (name, count) in expected {
        eventually(&format!("{name} is {count}"), 5, || {
            (worker.metric(&format!("crowdfold_{name}")) == Some(count)).then_some(())
        });
    }
}
