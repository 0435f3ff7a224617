//! Tests with transactions that the worker aborts at each step. Aborted records must be sent again unchanged, so that a
//! reader of uncommitted records sees the same content as a reader of committed records.

use std::collections::BTreeMap;

use crowdfold_testkit::{Kafka, eventually};

use super::assert_nothing_lost_or_counted_twice;
use crate::worker::support::{Deployment, Worker, now, window_ago};

/// The fault points within a transaction, for both stages. The number selects the pass at which the fault point returns
/// an error.
const FAULTS: [&str; 6] = [
    "combine.6.sent:5:err",
    "combine.6.taken:3:err",
    "combine.6.offsets-sent:4:err",
    "merge.6.sent:5:err",
    "merge.6.taken:3:err",
    "merge.6.offsets-sent:4:err",
];

#[test]
fn failed_transaction_is_aborted_and_sent_again_byte_for_byte() {
    let mut deployment = Deployment::new(Kafka::shared());
    // With a long timeout, the partitions do not count as idle between two slices.
    deployment.set("source.idle_timeout", "\"1h\"");
    let deployment = deployment.with_topics();
    // The log is sent in slices, because then many transactions are written.
    let (start, length) = (window_ago(2_000, 160_000), 6_000);
    let log = deployment.players(62, 100, start, 20 * length);
    let outcome = deployment.evaluate(&log);
    let mut worker = Worker::start_armed(&deployment, "a", &FAULTS.join(","));
    worker.await_ready();
    for nth in 0..20 {
        let slice = start + nth * length..start + (nth + 1) * length;
        let of = |records: &Vec<crowdfold_testkit::oracle::Record>| {
            records
                .iter()
                .filter(|record| record.timestamp.is_some_and(|at| slice.contains(&at)))
                .cloned()
                .collect()
        };
        deployment.produce(&log.iter().map(of).collect::<Vec<_>>());
        if nth > 1 {
            // All windows that end at or before this time are closed, because the lateness is a second and a window is
            // two seconds long.
            let closed = slice.end - 2 * deployment.rules.window;
            eventually("the merger has committed the slice", || {
                deployment.is_committed(closed).then_some(())
            });
        }
    }
    (0..deployment.partitions).for_each(|partition| deployment.tombstone(partition, 1, now()));
    deployment.await_committed(deployment.last_end(&outcome));
    let aborted = assert_nothing_lost_or_counted_twice(&deployment, &outcome.rollups(&deployment.rules));
    assert!(worker.is_running());
    let log = worker.log();
    let aborts = |stage: &str| {
        log.lines().filter(|line| line.contains("a transaction was aborted") && line.contains(stage)).count()
    };
    let aborts = (aborts("\"combine\""), aborts("\"merge\""));
    assert!(aborts.0 >= 5 && aborts.1 >= 5, "{aborts:?}:\n{log}");
    assert!(aborted > 20, "only {aborted} rows were aborted");
    eprintln!(
        "{aborts:?} transactions were aborted; all of their {aborted} rows are identical to committed rows"
    );

    // The partials of aborted transactions must also be sent again unchanged.
    let committed = deployment.records("partials", "read_committed");
    let committed: BTreeMap<_, _> =
        committed.iter().map(|seen| ((seen.partition, &seen.value), ())).collect();
    for seen in deployment.records("partials", "read_uncommitted") {
        assert!(
            committed.contains_key(&(seen.partition, &seen.value)),
            "a partial is only in an aborted transaction"
        );
    }
}
