//! Tests with a transaction coordinator that is killed during a commit, and with a worker that is terminated while
//! there is no broker.

use std::time::Duration;

use crowdfold_testkit::{Kafka, Options, eventually};

use super::assert_nothing_lost_or_counted_twice;
use crate::worker::support::{Deployment, Worker, window_ago};

#[test]
fn nothing_is_lost_or_counted_twice_if_the_coordinator_is_killed_during_a_commit() {
    let kafka = Kafka::start(Options::default());
    let deployment = Deployment::new(&kafka).with_topics();
    let log = deployment.players(21, 100, window_ago(2_000, 340_000), 300_000);
    let outcome = deployment.evaluate(&log);
    deployment.produce(&log);
    for stage in ["combine", "merge"] {
        let worker = Worker::start_armed(&deployment, "a", &format!("{stage}.6.offsets-sent:9:stop"));
        worker.await_log("was reached");
        // The broker is suspended, so it does not respond to the request to commit.
        let before = deployment.committed(stage);
        kafka.pause(1);
        worker.resume();
        eventually("the broker has unread requests", || has_unread_requests(&kafka).then_some(()));
        kafka.kill(1);
        kafka.restart(1);
        eventually("the worker continues", || (deployment.committed(stage) != before).then_some(()));
        worker.kill();
    }
    let _worker = Worker::start(&deployment, "a");
    deployment.await_committed(deployment.last_end(&outcome));
    assert_nothing_lost_or_counted_twice(&deployment, &outcome.rollups(&deployment.rules));
}

/// Returns true if the broker of a cluster of one broker has received bytes that it has not read.
fn has_unread_requests(kafka: &Kafka) -> bool {
    let port: u16 = kafka.bootstrap().rsplit(':').next().unwrap().parse().unwrap();
    let local = format!(":{port:04X}");
    let sockets = ["tcp", "tcp6"].map(|name| std::fs::read_to_string(format!("/proc/net/{name}")).unwrap());
    sockets.iter().flat_map(|list| list.lines()).any(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        let [_, address, _, "01", queues, ..] = fields[..] else { return false };
        address.ends_with(&local) && !queues.ends_with(":00000000")
    })
}

/// Many supervisors send SIGKILL 30 s after SIGTERM.
#[test]
fn worker_without_broker_exits_within_25_seconds_of_sigterm_in_a_transaction() {
    let kafka = Kafka::start(Options::default());
    let deployment = Deployment::new(&kafka).with_topics();
    let log = deployment.players(22, 100, window_ago(2_000, 340_000), 300_000);
    let outcome = deployment.evaluate(&log);
    deployment.produce(&log);
    let mut worker = Worker::start_armed(&deployment, "a", "combine.6.sent:9:stop");
    worker.await_log("was reached");
    kafka.kill(1);
    let before = worker.log();
    worker.resume();
    worker.await_further_log(&before);
    let (status, log, took) = worker.time_to_terminate();
    assert!(status.success(), "{status}:\n{log}");
    eprintln!("the worker exited after {took:?}");
    assert!(took < Duration::from_secs(25), "after {took:?}:\n{log}");

    kafka.restart(1);
    let _worker = Worker::start(&deployment, "a");
    deployment.await_committed(deployment.last_end(&outcome));
    assert_nothing_lost_or_counted_twice(&deployment, &outcome.rollups(&deployment.rules));
}
