//! Test of SIGKILL at a random time.

use std::collections::BTreeSet;

use crowdfold_testkit::Kafka;

use super::support::{Deployment, Worker, assert_same_rows, seeded_random, sleep, window_ago};

#[test]
fn worker_that_is_killed_twice_publishes_every_row_once() {
    let mut chance = seeded_random("kill -9");
    let deployment = Deployment::new(Kafka::shared()).with_topics();
    // The log has three hundred windows, and the worker writes a transaction for each of them. This takes some seconds.
    let log = deployment.players(2, 200, window_ago(2_000, 640_000), 600_000);
    let outcome = deployment.evaluate(&log);
    let last = deployment.last_end(&outcome);
    deployment.produce(&log);

    let mut killed_in_the_middle = 0;
    for _ in 0..6 {
        let worker = Worker::start(&deployment, "a");
        worker.await_log("stage=\"combine\" partitions=[0, 1, 2, 3]");
        sleep(chance.below(1_500));
        worker.kill();
        killed_in_the_middle += u32::from(!deployment.is_committed(last));
        if killed_in_the_middle == 2 {
            break;
        }
    }
    assert_eq!(killed_in_the_middle, 2, "the worker was too fast; kill it sooner, or increase the log");

    let _worker = Worker::start(&deployment, "a");
    deployment.await_committed(last);
    let rows = deployment.rows("read_committed");
    assert_same_rows(&rows, &outcome.rollups(&deployment.rules));
    // Each row of an aborted transaction equals a committed row, byte for byte.
    let committed: BTreeSet<_> = rows.iter().map(|row| (&row.key, &row.value)).collect();
    let all = deployment.rows("read_uncommitted");
    for row in &all {
        assert!(
            committed.contains(&(&row.key, &row.value)),
            "this row is only in an aborted transaction: {}",
            row.json
        );
    }
    eprintln!("{} committed rows, {} rows of aborted transactions", rows.len(), all.len() - rows.len());
}
