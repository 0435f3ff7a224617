//! Tests with a transaction coordinator that is killed during a commit, and with a worker that is terminated while
//! there is no broker.

use std::time::Duration;

use crowdfold_testkit::{Kafka, Options};

use super::assert_nothing_lost_or_counted_twice;
use crate::worker::support::{Deployment, Worker, sleep, window_ago};

#[test]
fn nothing_is_lost_or_counted_twice_if_the_coordinator_is_killed_during_a_commit() {
    let kafka = Kafka::start(Options::default());
    let deployment = Deployment::new(&kafka).with_topics();
    let log = deployment.players(21, 100, window_ago(2_000, 340_000), 300_000);
    let outcome = deployment.evaluate(&log);
    deployment.produce(&log);
    for fault in ["combine.6.offsets-sent:9:stop", "merge.6.offsets-sent:9:stop"] {
        let worker = Worker::start_armed(&deployment, "a", fault);
        worker.await_log("was reached");
        // The broker is suspended, so it does not respond to the request to commit.
        kafka.pause(1);
        worker.resume();
        sleep(1_000);
        kafka.kill(1);
        sleep(500);
        kafka.restart(1);
        sleep(3_000);
        worker.kill();
    }
    let _worker = Worker::start(&deployment, "a");
    deployment.await_committed(deployment.last_end(&outcome));
    assert_nothing_lost_or_counted_twice(&deployment, &outcome.rollups(&deployment.rules));
}

/// Many supervisors send SIGKILL 30 s after SIGTERM.
#[test]
fn worker_without_broker_exits_within_25_seconds_of_sigterm_in_a_transaction() {
    let kafka = Kafka::start(Options::default());
    let deployment = Deployment::new(&kafka).with_topics();
    let log = deployment.players(22, 100, window_ago(2_000, 340_000), 300_000);
    let outcome = deployment.evaluate(&log);
    deployment.produce(&log);
    let worker = Worker::start_armed(&deployment, "a", "combine.6.sent:9:stop");
    worker.await_log("was reached");
    kafka.kill(1);
    worker.resume();
    sleep(1_000);
    let (status, log, took) = worker.time_to_terminate();
    assert!(status.success(), "{status}:\n{log}");
    eprintln!("the worker exited after {took:?}");
    assert!(took < Duration::from_secs(25), "after {took:?}:\n{log}");

    kafka.restart(1);
    let _worker = Worker::start(&deployment, "a");
    deployment.await_committed(deployment.last_end(&outcome));
    assert_nothing_lost_or_counted_twice(&deployment, &outcome.rollups(&deployment.rules));
}
