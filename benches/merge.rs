//! Benchmarks the merger: from the partials of four partitions to released windows. Items are the cells of the
//! partials.

use std::sync::Arc;

use crowdfold_engine::wire::{self, CloseMarker};
use crowdfold_engine::{Counts, Merger, MergerSettings, Rules, Start};
use crowdfold_model::{
    Cell, Dimension, Qualities, Span, SumMetric, Sums, Table, Timestamp, ValueMetric, Window,
};
use crowdfold_release::{Detail, Policy, PolicySettings, Secret};
use divan::counter::ItemsCount;
use divan::{Bencher, black_box};

const W: Span = Span::MINUTE;
const PARTITIONS: u32 = 4;

fn main() {
    divan::main();
}

fn settings(policy: impl FnOnce(PolicySettings) -> Policy) -> Arc<MergerSettings> {
    let breakdowns = vec![vec![Dimension::Stream, Dimension::Format, Dimension::Content]];
    let policy = policy(PolicySettings { breakdowns: breakdowns.clone(), ..PolicySettings::default() });
    Arc::new(MergerSettings {
        rules: Arc::new(Rules {
            window: W,
            lateness: Span::SECOND * 30,
            idle: Span::SECOND * 90,
            breakdowns: breakdowns.into(),
            qualities: Qualities::default(),
            max_sessions: 1,
        }),
        partial_partitions: 1,
        policies: policy.into(),
        timeout: Span::MINUTE * 15,
    })
}

/// Returns a table with a few large cells and many small cells. This is typical of content ids.
fn table(cells: u32) -> Table {
    let cell = |nth: u32| {
        let sessions = u64::from(10_000 / (nth + 1) + 1);
        let mut cell = Cell {
            sessions,
            sums: Sums { beacons: 6 * sessions, ..Sums::of(&[(SumMetric::PlayingMs, 60_000 * sessions)]) },
            ..Cell::default()
        };
        for value in 1..sessions.min(40) as u32 {
            cell.values[ValueMetric::BandwidthKbps].record_many(value * 100, sessions / 40 + 1);
            cell.values[ValueMetric::BitrateKbps].record_many(value * 50, sessions / 40 + 1);
        }
        let cell_key =
            ["vod", if nth.is_multiple_of(2) { "hls" } else { "dash" }, &format!("title-{nth:05}")];
        (cell_key.map(Arc::from).into_iter().collect(), cell)
    };
    (0..cells).map(cell).collect()
}

/// Benchmarks merging the detail table, whose numbers are exact.
#[divan::bench(args = [100, 10_000, 60_000], sample_count = 10)]
fn merge_and_release(bencher: Bencher<'_, '_>, cells: u32) {
    let exact = |settings| Policy::threshold(settings).expect("a valid policy");
    merge(bencher, cells, settings(exact));
}

/// Benchmarks merging another table, to whose numbers noise is added.
#[divan::bench(args = [100, 10_000, 60_000], sample_count = 10)]
fn merge_and_add_noise(bencher: Bencher<'_, '_>, cells: u32) {
    let noisy = |settings| {
        let settings = PolicySettings { detail: Detail::None, ..settings };
        Policy::threshold(settings).expect("a valid policy").keyed(Secret::new([7; 32]))
    };
    merge(bencher, cells, settings(noisy));
}

fn merge(bencher: Bencher<'_, '_>, cells: u32, settings: Arc<MergerSettings>) {
    let layout_fingerprint = settings.rules.layout_fingerprint(PARTITIONS, 1);
    let mut log = Vec::new();
    for partition in 0..PARTITIONS {
        let chunks = wire::chunks(partition, Window::at(Timestamp::EPOCH, W), "default", 0, &table(cells));
        let mut checksum = crc32fast::Hasher::new();
        chunks.iter().for_each(|chunk| checksum.update(chunk));
        let marker = CloseMarker {
            partition,
            partitions: PARTITIONS,
            layout_fingerprint,
            from: Timestamp::EPOCH,
            to: Timestamp::EPOCH + W,
            withhold_before: Timestamp::EPOCH,
            chunks: chunks.len() as u32,
            checksum: checksum.finalize(),
            counts: Counts::default(),
        };
        log.extend(chunks);
        log.push(wire::close_marker(&marker));
    }
    let fresh = Start { partition: 0, checkpoint: None, floor: Timestamp::EPOCH, offsets_lost: false };
    bencher
        .counter(ItemsCount::new(u64::from(cells * PARTITIONS)))
        .with_inputs(|| Merger::new(Arc::clone(&settings), &fresh, 0, Timestamp::EPOCH))
        .bench_refs(|merger| {
            for (offset, value) in log.iter().enumerate() {
                merger.record(value, offset as i64, Timestamp::EPOCH).expect("no error");
            }
            let publication = merger.publish(Timestamp::EPOCH).expect("a complete window");
            assert!(!publication.rollups.is_empty());
            for rollup in &publication.rollups {
                black_box(rollup.json());
            }
        });
}
