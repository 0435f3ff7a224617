//! The coordinator dies in mid-commit, and a worker is told to go while there is none.

use std::time::{Duration, Instant};

use crowdfold_testkit::{Kafka, Options};

use super::assert_nothing_lost_or_doubled;
use crate::worker::support::{Deployment, Worker, sleep, window_ago};

#[test]
fn the_coordinator_is_killed_in_mid_commit() {
    let kafka = Kafka::start(Options::default());
    let way = Deployment::new(&kafka).with_topics();
    let log = way.players(21, 100, window_ago(2_000, 340_000), 300_000);
    let verdict = way.judge(&log);
    way.produce(&log);
    for fault in ["combine.6.offsets-sent:9:stop", "merge.6.offsets-sent:9:stop"] {
        let worker = Worker::start_armed(&way, "a", fault);
        worker.await_log("is reached", 60);
        // the request to commit reaches a broker that does not answer any more
        kafka.pause(1);
        worker.go_on();
        sleep(1_000);
        kafka.kill(1);
        sleep(500);
        kafka.start_again(1);
        sleep(3_000);
        worker.kill();
    }
    let _worker = Worker::start(&way, "a");
    way.await_settled(way.last_end(&verdict), 240);
    assert_nothing_lost_or_doubled(&way, &verdict.rollups(&way.rules));
}

/// Supervisors kill half a minute after SIGTERM.
#[test]
#[expect(clippy::disallowed_methods, reason = "how long it takes is what is tested")]
fn told_to_go_in_mid_transaction_while_the_broker_is_gone_it_goes_within_25_seconds() {
    let kafka = Kafka::start(Options::default());
    let way = Deployment::new(&kafka).with_topics();
    let log = way.players(22, 100, window_ago(2_000, 340_000), 300_000);
    let verdict = way.judge(&log);
    way.produce(&log);
    let worker = Worker::start_armed(&way, "a", "combine.6.sent:9:stop");
    worker.await_log("is reached", 60);
    kafka.kill(1);
    worker.go_on();
    sleep(1_000);
    let start = Instant::now();
    let (status, told) = worker.terminate(60);
    assert!(status.success(), "{status}:\n{told}");
    eprintln!("it went after {:?}", start.elapsed());
    assert!(start.elapsed() < Duration::from_secs(25), "after {:?}:\n{told}", start.elapsed());

    kafka.start_again(1);
    let _worker = Worker::start(&way, "a");
    way.await_settled(way.last_end(&verdict), 240);
    assert_nothing_lost_or_doubled(&way, &verdict.rollups(&way.rules));
}
