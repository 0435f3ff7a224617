//! Compares restarts. A combiner that starts from any checkpoint must prepare the same batches as the combiner that
//! wrote the checkpoint.

use std::sync::Arc;

use crowdfold_airlock::{Airlock, Placement, Record};
use crowdfold_engine::wire::{self, Partial};
use crowdfold_engine::{Combiner, CombinerCheckpoint, PreparedBatch, Start};
use crowdfold_model::SumMetric;
use crowdfold_random::Random;

use crate::at;
use crate::scenario::Scenario;
use crate::worker::Deployment;

const SCENARIOS: u64 = 4_000;

/// Returns the batches that a combiner of this partition prepares if it starts at an offset.
fn prepared(
    deployment: &Deployment,
    partition: u32,
    offset: i64,
    checkpoint: Option<CombinerCheckpoint>,
) -> Vec<PreparedBatch> {
    let n = deployment.scenario.partitions[1];
    let airlock = Airlock::new(&deployment.shared, Some(Placement { partition, of: n }));
    let start = Start { partition, checkpoint, floor: at(0), offsets_lost: false };
    let mut combiner = Combiner::new(deployment.combine(0, n), airlock, &start, offset, false);
    let mut all = Vec::new();
    let log = deployment.scenario.logs[partition as usize].iter().enumerate();
    for (offset, record) in log.skip(offset as usize) {
        let (payload, content_type) = (record.payload.as_slice(), record.content_type());
        let record = Record { payload, content_type, timestamp: Some(at(record.timestamp)) };
        combiner.record(&record, offset as i64, at(u64::MAX / 2)).unwrap_or_else(|error| panic!("{error}"));
        let new = combiner.prepared().len();
        all.extend(combiner.prepared().iter().cloned());
        combiner.committed(new);
    }
    let last = combiner.last_end();
    combiner.finish(last);
    all.extend(combiner.prepared().iter().cloned());
    all
}

fn partials(prepared: &[PreparedBatch]) -> Vec<&Vec<u8>> {
    prepared.iter().flat_map(|batch| &batch.partials).map(|partial| &partial.value).collect()
}

/// Returns the first scenario, partition and batch for which a restart after the batch has a different result.
pub(crate) fn first_difference() -> Option<(u64, u32, usize)> {
    let shared = crate::shared();
    (0..SCENARIOS).find_map(|number| {
        let deployment =
            Deployment { scenario: Scenario::random(&mut Random::new(number)), shared: Arc::clone(&shared) };
        (0..deployment.scenario.partitions[1]).find_map(|partition| {
            let whole = prepared(&deployment, partition, deployment.scenario.first, None);
            // The last batch is not tested, because nothing follows it in the log.
            (0..whole.len() - 1).find_map(|at| {
                let again =
                    prepared(&deployment, partition, whole[at].safe_offset, Some(whole[at].checkpoint));
                (partials(&again) != partials(&whole[at + 1..])).then_some((number, partition, at))
            })
        })
    })
}

#[test]
fn restart_from_any_checkpoint_prepares_the_same_batches() {
    assert_eq!(first_difference(), None);
}

/// Returns the sums of attempts, plays, startup failures, playback failures and exits in the first breakdown.
fn sums<'a>(batches: impl Iterator<Item = &'a PreparedBatch>) -> [u64; 5] {
    let mut sums = [0; 5];
    for partial in batches.flat_map(|batch| &batch.partials) {
        let Ok(Partial::Chunk(chunk)) = wire::read(&partial.value) else { continue };
        for (_, cell) in chunk.cells.iter().filter(|_| chunk.breakdown == 0) {
            let metrics = [
                SumMetric::Attempts,
                SumMetric::Plays,
                SumMetric::StartupFailures,
                SumMetric::PlaybackFailures,
                SumMetric::ExitsBeforeStart,
            ];
            sums.iter_mut().zip(metrics).for_each(|(sum, metric)| *sum += cell.sums[metric]);
        }
    }
    sums
}

#[test]
fn plays_failures_and_exits_do_not_exceed_attempts_after_any_restart() {
    let shared = crate::shared();
    let (mut seen, mut exits_compared, mut restarts) = ([0; 5], 0, 0);
    for number in 0..SCENARIOS {
        let (scenario, continues) = Scenario::of_one_session(&mut Random::new(number));
        let deployment = Deployment { scenario, shared: Arc::clone(&shared) };
        let check = |all: [u64; 5]| {
            let [attempts, plays, startup, playback, exits] = all;
            assert!(plays + startup <= attempts, "scenario {number}: {all:?}");
            assert!(playback <= plays, "scenario {number}: {all:?}");
            assert!(continues || plays + startup + exits <= attempts, "scenario {number}: {all:?}");
        };
        let whole = prepared(&deployment, 0, 0, None);
        let all = sums(whole.iter());
        check(all);
        seen.iter_mut().zip(all).for_each(|(seen, more)| *seen += more);
        exits_compared += if continues { 0 } else { all[4] };
        for (at, batch) in whole.iter().enumerate().take(whole.len() - 1) {
            let again = prepared(&deployment, 0, batch.safe_offset, Some(batch.checkpoint));
            check(sums(whole[..=at].iter().chain(&again)));
            restarts += 1;
        }
    }
    assert!(seen.iter().all(|count| *count > 300), "{seen:?}");
    assert!(exits_compared > 100 && restarts > 1_000, "{exits_compared} exits, {restarts} restarts");
}
