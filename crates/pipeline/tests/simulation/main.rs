//! The real machines over a simulated log, with crashes, rebalances, zombies, retries of producers, aborted
//! transactions and commits of unknown outcome. Every schedule must publish exactly what an undisturbed run does.
#![expect(clippy::unwrap_used, reason = "a test says where it failed")]

mod log;
mod worker;
mod world;

use std::collections::BTreeMap;
use std::sync::Arc;

use crowdfold_airlock::{Settings, Shared, TagKey};
use crowdfold_rollup::Counts;
use crowdfold_rollup::wire::{self, Partial};

use log::{Broker, Fate};
use worker::{Shop, Worker};
use world::{IDLE, LATENESS, Rng, SKEW, START, WINDOW, World};

/// Schedules of a run; `CROWDFOLD_SCHEDULES` asks for another number.
const SCHEDULES: u64 = 100_000;

#[test]
fn every_schedule_publishes_what_an_undisturbed_run_does() {
    let schedules = setting("CROWDFOLD_SCHEDULES").unwrap_or(SCHEDULES);
    let first = setting("CROWDFOLD_SEED").unwrap_or(0xc0de);
    println!(
        "{schedules} schedules from seed {first}; one again: CROWDFOLD_SCHEDULES=1 CROWDFOLD_SEED=<seed>"
    );
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
    let shared = shared();
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let shared = Arc::clone(&shared);
            scope.spawn(move || {
                for seed in
                    (0..schedules).filter(|nth| nth % threads == thread).map(|nth| first.wrapping_add(nth))
                {
                    let tried =
                        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| schedule(seed, &shared)));
                    assert!(tried.is_ok(), "seed {seed} went wrong");
                }
            });
        }
    });
}

#[expect(clippy::disallowed_methods, reason = "how long to test is not the program's configuration")]
fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn shared() -> Arc<Shared> {
    let settings =
        Settings { tenants: vec!["one".into(), "two".into()], max_skew: SKEW, ..Settings::default() };
    Arc::new(Shared::new(settings, TagKey::fixed(7)).unwrap())
}

/// One world, once undisturbed and once with everything that can happen to it.
fn schedule(seed: u64, shared: &Arc<Shared>) {
    let mut rng = Rng(seed);
    let shop = Shop::new(World::random(&mut rng), Arc::clone(shared));
    let undisturbed = run(&shop, None);
    let disturbed = run(&shop, Some(&mut rng));

    let published = |broker: &Broker| {
        let mut rows = broker.rollups.clone();
        rows.sort();
        rows
    };
    let expected = published(&undisturbed);
    let got = published(&disturbed);
    let only = |these: &[Row], those: &[Row]| text(these.iter().filter(|row| !those.contains(row)));
    assert_eq!(only(&got, &expected), only(&expected, &got), "other rows");
    assert_eq!(got.len(), expected.len(), "rows that are published twice");
    let twice = expected.windows(2).find(|pair| pair[0] == pair[1]);
    assert_eq!(twice, None, "a row twice");
    for row in &disturbed.aborted {
        assert!(
            expected.binary_search(row).is_ok(),
            "an aborted attempt held a row that was never published"
        );
    }
    let (counts, placed) = account(&disturbed);
    assert_eq!((counts, placed), account(&undisturbed), "other verdicts");
    assert_eq!(counts.read, shop.world.beacons, "every beacon is read once");
    assert_eq!(counts.read, placed + counts.settled(), "every beacon is accounted for");
}

/// Key and value.
type Row = (String, Vec<u8>);

fn text<'a>(rows: impl Iterator<Item = &'a Row>) -> Vec<String> {
    rows.map(|(key, value)| format!("{key} {}", String::from_utf8_lossy(value))).collect()
}

/// Verdicts and beacons in cells, as the partials' topic has them.
fn account(broker: &Broker) -> (Counts, u64) {
    let (mut counts, mut placed) = (Counts::default(), 0);
    for value in broker.partials.iter().flat_map(BTreeMap::values) {
        match wire::read(value).unwrap() {
            Partial::Chunk(chunk) if chunk.drilldown == 0 => {
                placed += chunk.cells.iter().map(|(_, cell)| cell.sums.beacons).sum::<u64>();
            }
            Partial::Chunk(_) => {}
            Partial::Closure(closure) => counts.add(&closure.counts),
        }
    }
    (counts, placed)
}

fn run(shop: &Shop, disturb: Option<&mut Rng>) -> Broker {
    let (n, m) = (shop.world.partitions, shop.world.merge_partitions);
    let mut broker = Broker::new(n, m);
    let mut workers = [Worker::default(), Worker::default()];
    let mut now = START;
    if let Some(rng) = disturb {
        while now < shop.world.end() + WINDOW {
            disturbed_step(shop, &mut broker, &mut workers, &mut now, rng);
        }
    }
    // undisturbed from here on, by one worker, until all windows are closed
    broker.generation += 1;
    let [worker, _] = &mut workers;
    let (all_n, all_m): (Vec<_>, Vec<_>) = ((0..n).collect(), (0..m).collect());
    worker.join(shop, &broker, &all_n, &all_m, now);
    now = now.max(shop.world.end()) + 2 * WINDOW + LATENESS + SKEW + IDLE;
    loop {
        for p in 0..n {
            worker.read_beacons(shop, p, 5, now);
        }
        let combined = worker.commit_combined(&mut broker, Fate::Committed, now);
        for p in 0..m {
            worker.read_partials(&broker, p, u64::MAX, now);
        }
        let merged = worker.commit_merged(&mut broker, Fate::Committed, now);
        let closed = |p| worker.combine.machines()[&p].watermark() >= Some(shop.world.end() + WINDOW);
        if !combined && !merged && (0..n).all(closed) {
            return broker;
        }
    }
}

fn disturbed_step(shop: &Shop, broker: &mut Broker, workers: &mut [Worker; 2], now: &mut u64, rng: &mut Rng) {
    let (n, m) = (shop.world.partitions, shop.world.merge_partitions);
    let which = rng.below(2);
    let worker = &mut workers[which as usize];
    // ownership follows from the generation alone, so a worker may learn of it late
    let owned = |all: u32, salt: u64| -> Vec<u32> {
        let mut draw = Rng(broker.generation ^ salt);
        (0..all).filter(|_| draw.below(2) == which).collect()
    };
    let fate = match rng.below(8) {
        0 => Fate::Aborted,
        1 => Fate::Unheard,
        2 => Fate::Lost,
        _ => Fate::Committed,
    };
    match rng.below(32) {
        // a crash, or a rebalance that it hears of: the same to a machine without a state of its own
        0 | 1 => worker.join(shop, broker, &owned(n, 1), &owned(m, 2), *now),
        2 if rng.one_in(2) => broker.generation += 1,
        3..=6 => *now += rng.below(3_000),
        7..=18 => worker.read_beacons(shop, rng.below(n.into()) as u32, 1 + rng.below(6), *now),
        19..=22 => worker.read_partials(broker, rng.below(m.into()) as u32, 1 + rng.below(4), *now),
        23..=27 => drop(worker.commit_combined(broker, fate, *now)),
        _ => drop(worker.commit_merged(broker, fate, *now)),
    }
}
