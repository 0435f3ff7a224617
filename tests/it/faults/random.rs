//! kill -9 and SIGSTOP at every numbered step, in an order that chance decides.

use crowdfold_testkit::Kafka;
use crowdfold_testkit::oracle::Record;

use super::assert_nothing_lost_or_doubled;
use crate::worker::support::{Chance, Deployment, Worker, now, sleep, window_ago};

/// Faults of a run; `CROWDFOLD_FAULTS` asks for another number (`make soak`).
const FAULTS: u64 = 20;

/// Faults that one deployment is put through.
const EACH: u64 = 20;

/// Event time that is sent before each, ms: fifteen windows.
const SLICE: u64 = 30_000;

/// A first start is what only the first can die in.
const FIRST: [&str; 4] = [
    "combine.2.first-commit",
    "merge.2.first-commit",
    "combine.2.first-committed",
    "merge.2.first-committed",
];

/// Steps of the protocol, and how often one may be passed before the fault at most.
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
fn killed_and_frozen_at_random_steps_nothing_is_lost_or_doubled() {
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

#[expect(clippy::disallowed_methods, reason = "how long to test is not the program's configuration")]
fn asked() -> Option<u64> {
    std::env::var("CROWDFOLD_FAULTS").ok()?.parse().ok()
}

/// Faults that struck, and rows of aborted transactions.
fn deploy(chance: &mut Chance, most: u64) -> (u64, usize) {
    let mut deployment = Deployment::new(Kafka::shared());
    // the pauses between slices are no silence
    deployment.set("source.idle_timeout", "\"1h\"");
    let deployment = deployment.with_topics();
    let start = window_ago(2_000, 40_000 + most * SLICE);
    let log = deployment.players(1 + chance.below(1_000), 100, start, most * SLICE);
    let outcome = deployment.evaluate(&log);
    for nth in 0..most {
        // always something to do
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

/// Lets a worker run into its fault, or kills it where it does not come to it.
fn strike(deployment: &Deployment<'_>, fault: &str) {
    let mut worker = Worker::start_armed(deployment, "a", fault);
    // what only a rebalance brings, another member brings
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
        // longer than its session lasts: another takes over, and it must notice that when it wakes up
        let other = other.unwrap_or_else(|| Worker::start(deployment, "b"));
        sleep(4_500);
        worker.go_on();
        sleep(2_000);
        other.kill();
    }
    worker.kill();
}
