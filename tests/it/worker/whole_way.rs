//! Beacons in, rollups out.

use crowdfold_testkit::Kafka;

use super::support::{Deployment, Worker, assert_same_rows, window_ago};

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
    assert!(ledger.late > 0 && ledger.duplicate > 0 && ledger.opted_out > 0 && ledger.withheld > 0, "{ledger:?}");
    way.produce(&log);

    let worker = Worker::start(&way, "a");
    way.await_settled(way.last_end(&verdict), 60);
    let expected = verdict.rollups(&way.rules);
    assert!(expected.len() > 500, "{} rows", expected.len());
    assert_same_rows(&way.rows("read_committed"), &expected);
    worker.await_ready();
    let (status, log) = worker.terminate(10);
    assert!(status.success(), "{status}: {log}");
}
