//! Tests a worker that is killed (SIGKILL) or suspended (SIGSTOP) at random fault points.

use crowdfold_random::Random;
use crowdfold_testkit::oracle::Record;
use crowdfold_testkit::{Kafka, eventually};

use super::assert_nothing_lost_or_counted_twice;
use crate::worker::support::{Deployment, Worker, now, seeded_random, sleep, window_ago};

/// The number of faults of a run, if `CROWDFOLD_FAULTS` is not set. `make soak` sets it.
const FAULTS: u64 = 20;

/// The maximum number of faults in one deployment.
const EACH: u64 = 20;

/// Before each fault, the test sends the beacons of a period of this length, in milliseconds of event time. It equals
/// fifteen windows.
const SLICE: u64 = 30_000;

/// The fault points that are reached only at the first start of a deployment.
const FIRST: [&str; 4] = [
    "combine.2.first-commit",
    "merge.2.first-commit",
    "combine.2.first-committed",
    "merge.2.first-committed",
];

/// The fault points of each stage, and the maximum number of times that each is passed before the fault occurs.
const STEPS: [(&str, u64); 12] = [
    ("2.assigned", 1),
    ("4.record", 200),
    ("4.shared", 3),
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
fn nothing_is_lost_or_counted_twice_if_the_worker_is_killed_or_suspended_at_random_steps() {
    let faults = asked().unwrap_or(FAULTS);
    let mut chance = seeded_random("random faults");
    let (mut done, mut aborted) = (0, 0);
    while done < faults {
        let (struck, left) = deploy(&mut chance, EACH.min(faults - done));
        done += struck;
        aborted += left;
        eprintln!(
            "{done} faults; 0 rows lost, 0 published twice; {aborted} rows of aborted transactions, all identical"
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

/// Runs one deployment with `most` faults. Returns the number of faults, and the number of rows of aborted
/// transactions.
fn deploy(chance: &mut Random, most: u64) -> (u64, usize) {
    let mut deployment = Deployment::new(Kafka::shared());
    // With a long timeout, the partitions do not count as idle between two slices.
    deployment.set("source.idle_timeout", "\"1h\"");
    let deployment = deployment.with_topics();
    let start = window_ago(2_000, 40_000 + most * SLICE);
    let log = deployment.players(1 + chance.below(1_000), 100, start, most * SLICE);
    let outcome = deployment.evaluate(&log);
    for nth in 0..most {
        // These beacons are new, so each worker has work.
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
    (most, assert_nothing_lost_or_counted_twice(&deployment, &outcome.rollups(&deployment.rules)))
}

/// Runs a worker until its fault occurs. If the fault point is not reached, kills the worker after ten seconds.
fn strike(deployment: &Deployment<'_>, fault: &str) {
    let mut worker = Worker::start_armed(deployment, "a", fault);
    // Some fault points are reached only in a rebalance. The start of a second worker causes one.
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
    let is_reached = worker.log().contains("was reached");
    eprintln!("{fault}{}", if is_reached { "" } else { ": not reached; the worker was killed elsewhere" });
    if is_reached && fault.ends_with("stop") && worker.is_running() {
        // The worker is suspended for longer than its session timeout, so another worker takes over. When the first
        // worker continues, it must detect the takeover.
        let other = other.unwrap_or_else(|| Worker::start(deployment, "b"));
        eventually("the other worker has all partitions", || {
            (other.partitions() == deployment.partitions as usize).then_some(())
        });
        let before = worker.log();
        worker.resume();
        worker.await_further_log(&before);
        other.kill();
    }
    worker.kill();
}
