//! Tests of outages of the broker.

use crowdfold_testkit::{Kafka, Options, eventually};

use super::support::{Deployment, Worker, assert_same_rows, window_ago};

/// Waits until the worker reports on `/readyz` that it is not ready, with these words in the reasons.
fn await_not_ready(worker: &Worker, words: &str) -> String {
    eventually("the worker reports that it is not ready, with the reason", || {
        let (status, reasons) = worker.get("/readyz");
        (status == 503 && reasons.contains(words)).then_some(reasons)
    })
}

#[test]
fn worker_is_delayed_but_loses_nothing_if_the_broker_is_restarted_or_killed() {
    let kafka = Kafka::start(Options::default());
    let deployment = Deployment::new(&kafka).with_topics();
    let log = deployment.players(9, 200, window_ago(2_000, 640_000), 600_000);
    let outcome = deployment.evaluate(&log);
    deployment.produce(&log);

    let mut worker = Worker::start(&deployment, "a");
    let (first, last) = (outcome.cells.keys().next().unwrap().start, deployment.last_end(&outcome));
    eventually("the first windows are committed", || deployment.is_committed(first + 40_000).then_some(()));
    kafka.stop(1);
    await_not_ready(&worker, "combine: ");
    kafka.restart(1);
    eventually("further windows are committed", || deployment.is_committed(first + 120_000).then_some(()));
    kafka.kill(1);
    await_not_ready(&worker, "merge: ");
    kafka.restart(1);
    deployment.await_committed(last);
    assert_same_rows(&deployment.rows("read_committed"), &outcome.rollups(&deployment.rules));
    worker.await_ready();
    assert!(worker.is_running());
}

#[test]
fn worker_without_a_broker_waits_reports_not_ready_and_stops_on_sigterm() {
    let kafka = Kafka::start(Options::default());
    let deployment = Deployment::new(&kafka).with_topics();
    let log = deployment.players(10, 100, window_ago(2_000, 40_000), 20_000);
    let outcome = deployment.evaluate(&log);
    deployment.produce(&log);
    kafka.stop(1);

    let waits = Worker::start(&deployment, "a");
    let stopped = Worker::start(&deployment, "b");
    waits.await_log(&format!("no broker at {} responds", kafka.bootstrap()));
    await_not_ready(&waits, &format!("no broker at {} responds", kafka.bootstrap()));
    assert_eq!(waits.get("/healthz"), (200, "alive\n".to_owned()));
    let (status, log_text) = stopped.terminate();
    assert!(status.success(), "{status}:\n{log_text}");

    kafka.restart(1);
    deployment.await_committed(deployment.last_end(&outcome));
    assert_same_rows(&deployment.rows("read_committed"), &outcome.rollups(&deployment.rules));
    waits.await_ready();
}
