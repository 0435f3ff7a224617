//! Runs the real operators over a simulated log, with these disturbances: crashes at every step, rebalances, zombies,
//! records that producers send again, aborted transactions, and commits of unknown outcome. In addition, one event
//! occurs once in each schedule: partitions grow, rules change, a partition is not read, offsets are deleted, or
//! records are lost. Every schedule must publish the rows of an undisturbed run. Each table must be published
//! completely or not at all, and never twice.
#![allow(clippy::print_stdout, reason = "a test prints its actions and its seed")]

mod cuts;
mod expectation;
mod log;
mod scenario;
mod schedule;
mod seeded_bugs;
mod worker;

use std::collections::BTreeMap;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use crowdfold_airlock::{SessionHasher, Settings, Shared};
use crowdfold_model::{Span, Timestamp};
use crowdfold_random::Random;

use expectation::References;
use scenario::{SKEW, Scenario, TENANTS};
use seeded_bugs::Bug;
use worker::Deployment;

/// The number of schedules in one run of the test. The variable `CROWDFOLD_SCHEDULES` overrides it.
const SCHEDULES: u64 = 100_000;

#[test]
fn every_schedule_publishes_the_rows_of_an_undisturbed_run() {
    let schedules = setting("CROWDFOLD_SCHEDULES").unwrap_or(SCHEDULES);
    let first = setting("CROWDFOLD_SEED").unwrap_or(0xc0de);
    println!(
        "{schedules} schedules from seed {first}; to repeat one: CROWDFOLD_SCHEDULES=1 CROWDFOLD_SEED=<seed>"
    );
    let (threads, shared) = (std::thread::available_parallelism().map_or(1, |n| n.get() as u64), shared());
    let seen = Mutex::new(BTreeMap::<String, u64>::new());
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let (shared, seen) = (&shared, &seen);
            scope.spawn(move || {
                let all = first..first + schedules;
                let blocks = all.start / Block::SIZE..all.end.div_ceil(Block::SIZE);
                let mut ours = BTreeMap::new();
                for block in blocks.filter(|number| number % threads == thread) {
                    let block = Block::new(block, shared);
                    for seed in block.seeds().filter(|seed| all.contains(seed)) {
                        let tried = catch_unwind(AssertUnwindSafe(|| block.schedule(seed, None)));
                        let Ok(kind) = tried else { panic!("seed {seed} failed") };
                        *ours.entry(kind).or_insert(0) += 1;
                    }
                }
                let mut seen = seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                for (kind, count) in ours {
                    *seen.entry(kind).or_insert(0) += count;
                }
            });
        }
    });
    let seen = seen.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    println!("{seen:?}");
    assert!(schedules < SCHEDULES || seen.len() == 11, "a kind of disturbance never occurred");
}

#[expect(
    clippy::disallowed_methods,
    reason = "the length of a test is not part of the program's configuration"
)]
fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Returns the time this many milliseconds after the epoch.
const fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

/// Returns a duration of this many milliseconds.
const fn span(millis: u64) -> Span {
    Span::from_millis(millis)
}

fn shared() -> Arc<Shared> {
    let tenants = TENANTS.map(Into::into).to_vec();
    let settings = Settings { tenants, max_skew: span(SKEW), ..Settings::default() };
    Arc::new(Shared::new(settings, SessionHasher::fixed(7)).unwrap_or_else(|error| panic!("{error}")))
}

/// A scenario that is tested with several schedules. Its expected rows are computed once.
struct Block {
    number: u64,
    deployment: Deployment,
    references: References,
}

impl Block {
    /// The number of schedules with which a scenario is tested.
    const SIZE: u64 = 8;

    fn new(number: u64, shared: &Arc<Shared>) -> Self {
        let scenario = Scenario::random(&mut Random::new(number));
        let deployment = Deployment { scenario, shared: Arc::clone(shared) };
        Self { number, deployment, references: References::default() }
    }

    const fn seeds(&self) -> Range<u64> {
        self.number * Self::SIZE..(self.number + 1) * Self::SIZE
    }

    /// Runs one schedule, and checks its result. Returns the kind of the schedule.
    fn schedule(&self, seed: u64, bug: Option<Bug>) -> String {
        let outcome = schedule::run(&self.deployment, Random::new(!seed), bug);
        expectation::check(&self.deployment, &self.references, &outcome);
        let some = if expectation::is_partial(&outcome) { ", rows of some partitions" } else { "" };
        format!("{:?}{some}", outcome.disruption)
    }
}
