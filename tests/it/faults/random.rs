//! Tests kill -9 and SIGSTOP at every numbered step in random order.

use crowdfold_testkit::Kafka;
use crowdfold_testkit::oracle::Record;

use super::assert_nothing_lost_or_doubled;
use crate::worker::support::{Chance, Deployment, Worker, now, sleep, window_ago};

/// The number of faults of a run. `CROWDFOLD_FAULTS` overrides it (`make soak`).
const FAULTS: u64 = 20;

/// The number of faults of one deployment.
const EACH: u64 = 20;

/// The event time in ms that is sent before each fault, which is fifteen windows.
const SLICE: u64 = 30_000;

/// The steps that only a first start has.
const FIRST: [&str; 4] = [
    "combine.2.first-commit",
    "merge.2.first-commit",
    "combine.2.first-committed",
    "merge.2.first-committed",
];

/// The steps of the protocol, and the maximum number of times that each is passed before the fault.
const STEPS: [(&str, u64); 11] = [
    ("2.assigned", 1),
    ("4.record", 200),
    ("5.prepared", 6),
    ("6.begun", 6),
    ("6.sent", 6),
    ("6.taken", 6),
    ("6.offsets-sent", 6),
    ("6.committed", 6),
    ("6.known", 6),
    ("8.revoked", 1),
    ("8.dropped", 1),
];

#[test]
fn worker_killed_and_frozen_at_random_steps_loses_and_doubles_nothing() {
    let faults = asked().unwrap_or(FAULTS);
    let mut chance = Chance::new("random faults");
    let (mut done, mut aborted) = (0, 0);
    while done < faults {
        let (struck, left) = deploy(&mut chance, EACH.min(faults - done));
        done += struck;
        aborted += left;
        eprintln!(
            "{done} faults; 0 rows lost, 0 doubled; {aborted} rows of aborted transactions, all identical"
        );
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the length of a test is not part of the program's configuration"
)]
fn asked() -> Option<u64> {
    std::env::var("CROWDFOLD_FAULTS").ok()?.parse().ok()
}

/// Runs one deployment. Returns the number of faults that occurred, and the number of rows of aborted transactions.
fn deploy(chance: &mut Chance, most: u64) -> (u64, usize) {
    let mut deployment = Deployment::new(Kafka::shared());
    // The time-out is long, so that the pauses between slices do not count as idle.
    deployment.set("source.idle_timeout", "\"1h\"");
    let deployment = deployment.with_topics();
    let start = window_ago(2_000, 40_000 + most * SLICE);
    let log = deployment.players(1 + chance.below(1_000), 100, start, most * SLICE);
    let outcome = deployment.evaluate(&log);
    for nth in 0..most {
        // There are always more beacons to process.
        let slice = start + nth * SLICE..start + (nth + 1) * SLICE;
        let of = |records: &Vec<Record>| {
            let now = |record: &&Record| record.timestamp.is_some_and(|at| slice.contains(&at));
            records.iter().filter(now).cloned().collect()
        };
        deployment.produce(&log.iter().map(of).collect::<Vec<_>>());
        let fault = match nth {
            0 => format!("{}:1:kill", FIRST[chance.below(FIRST.len() as u64) as usize]),
            _ => {
                let stage = ["combine", "merge"][chance.below(2) as usize];
                let (step, passes) = STEPS[chance.below(STEPS.len() as u64) as usize];
                let action = if chance.below(6) == 0 { "stop" } else { "kill" };
                format!("{stage}.{step}:{}:{action}", 1 + chance.below(passes))
            }
        };
        strike(&deployment, &fault);
    }
    (0..deployment.partitions).for_each(|partition| deployment.tombstone(partition, 1, now()));
    let _worker = Worker::start(&deployment, "a");
    deployment.await_committed(deployment.last_end(&outcome));
    (most, assert_nothing_lost_or_doubled(&deployment, &outcome.rollups(&deployment.rules)))
}

/// Runs a worker until its fault occurs, or kills it if the fault is not reached.
fn strike(deployment: &Deployment<'_>, fault: &str) {
    let mut worker = Worker::start_armed(deployment, "a", fault);
    // Another member causes the rebalance that some faults need.
    let other = fault.contains(".8.").then(|| {
        worker.await_log("assigned");
        Worker::start(deployment, "b")
    });
    for _ in 0..100 {
        if !worker.is_running() || worker.log().contains("was reached") {
            break;
        }
        sleep(100);
    }
    let reached =
        if worker.log().contains("was reached") { "" } else { ": not reached, killed where it was" };
    eprintln!("{fault}{reached}");
    if fault.ends_with("stop") && worker.is_running() {
        // The worker is frozen for longer than its session. Another worker takes over, and the frozen one must notice
        // it when it continues.
        let other = other.unwrap_or_else(|| Worker::start(deployment, "b"));
        sleep(4_500);
        worker.go_on();
        sleep(2_000);
        other.kill();
    }
    worker.kill();
}
