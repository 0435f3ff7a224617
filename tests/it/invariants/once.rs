//! Tests of invariant 7. Each table is published at most once, even if workers are killed, offsets are lost or the
//! policy changes. `tests/it/faults` tests workers that are killed at each step of the protocol.

use std::collections::BTreeSet;

use crowdfold_testkit::{Kafka, eventually};

use crate::worker::offsets::forget;
use crate::worker::support::{Deployment, Row, Worker, assert_same_rows, field, now, tables, window_ago};

/// Asserts that every row in `before` is still published unchanged, that no row is published twice, and that all rows
/// of a table have the same policy. Returns all published rows.
fn assert_once(deployment: &Deployment<'_>, before: &[Row]) -> Vec<Row> {
    let rows = deployment.rows("read_committed");
    for (key, table) in tables(&rows) {
        let policies: BTreeSet<_> = table.iter().map(|row| row["policy"].to_string()).collect();
        assert_eq!(policies.len(), 1, "the rows of {key:?} have different policies: {policies:?}");
    }
    assert!(before.iter().all(|row| rows.contains(row)), "a row is missing or changed");
    rows
}

#[test]
fn invariant_7_table_is_published_once_despite_changes_of_policy_workers_and_offsets() {
    let mut deployment = Deployment::new(Kafka::shared());
    // The timeout is long, so that a busy machine does not close windows before their beacons arrive.
    deployment.set("source.idle_timeout", "\"8s\"");
    let mut deployment = deployment.with_topics();
    let log = deployment.players(51, 200, window_ago(2_000, 60_000), 30_000);
    let outcome = deployment.evaluate(&log);
    deployment.produce(&log);
    let worker = Worker::start(&deployment, "a");
    deployment.await_committed(deployment.last_end(&outcome) - 20_000);
    worker.kill();
    let worker = Worker::start(&deployment, "a");
    deployment.await_committed(deployment.last_end(&outcome));
    worker.kill();
    let first = assert_once(&deployment, &[]);
    assert_same_rows(&first, &outcome.rollups(&deployment.rules));

    // The policy changes, and one of two workers is killed.
    deployment.rules.k = 15;
    let worker = Worker::start(&deployment, "a");
    worker.await_ready();
    let other = Worker::start(&deployment, "b");
    other.await_ready();
    let start = (now() + 4_000) / 2_000 * 2_000;
    let log = deployment.players(52, 200, start, 10_000);
    std::thread::scope(|scope| {
        scope.spawn(|| deployment.produce_live(&log));
        deployment.await_committed(start + 4_000);
        worker.kill();
    });
    deployment.await_committed(start + 10_000);
    let second = assert_once(&deployment, &first);
    let under = |k: u64| second.iter().filter(|row| row.json["policy"]["k"] == k).count();
    assert!(
        under(10) >= first.len() && under(15) > 50,
        "{} rows with k = 10, {} with k = 15",
        under(10),
        under(15)
    );
    other.terminate();

    // The offsets of both consumer groups are lost. Windows that are already published must not be published again.
    ["combine", "merge"].iter().for_each(|stage| forget(&deployment, stage));
    let worker = Worker::start(&deployment, "a");
    worker.await_log("offsets were lost");
    let floor = eventually("the new start is committed", || {
        let stages = ["combine", "merge"].map(|stage| deployment.committed(stage));
        let floors = stages.iter().flatten().map(|held| field(&held.as_ref()?.1, "f"));
        floors.collect::<Option<Vec<_>>>()?.into_iter().min()
    });
    assert!(floor > now() - 60_000);
    deployment.await_committed(floor);
    assert_eq!(assert_once(&deployment, &second).len(), second.len(), "a table was published again");
    drop(worker);
}
