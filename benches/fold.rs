//! Benchmarks folding: one table with a Zipf-like distribution of cells is folded, and its rows are numbered and
//! encoded as JSON.
//!
//! Items are the cells of the table, so the time per cell in nanoseconds is 1000 / (Mitem/s). In `json`, items are
//! rows.

use std::sync::Arc;

use crowdfold_model::Dimension::{Browser, Device, Os};
use crowdfold_model::{Cell, CellKey, Span, SumMetric, Table, Timestamp, ValueMetric, Window};
use crowdfold_release::{Detail, Policy, PolicySettings, PrivacySettings, Secret, release};
use divan::counter::ItemsCount;
use divan::{Bencher, black_box};

const WINDOW: Window = Window::at(Timestamp::from_millis(1_795_308_480_000), Span::MINUTE);
/// The numbers of cells. They are typical of a small tenant and of a large tenant, and the maximum for a partition and
/// window.
const CELLS: [usize; 3] = [100, 10_000, 65_536];

fn main() {
    divan::main();
}

fn policy() -> Policy {
    let settings =
        PolicySettings { breakdowns: vec![vec![Device, Os, Browser]], ..PolicySettings::default() };
    Policy::threshold(settings).expect("a valid policy")
}

/// Returns a table with this many cells and three dimensions. The cell of rank r has about 5000/r sessions. The ranks
/// are assigned to the cells at random.
fn table(cells: usize) -> Table {
    let width = (cells as f64).cbrt().ceil() as usize;
    let words: Vec<Arc<str>> = (0..width).map(|index| Arc::from(format!("value-{index:03}"))).collect();
    let mut numbers = 0_u64;
    let mut next = || {
        numbers = numbers.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        numbers >> 33
    };
    let cell_key = |index: usize| -> CellKey {
        [index / (width * width), index / width % width, index % width]
            .map(|at| Arc::clone(&words[at]))
            .into()
    };
    (0..cells)
        .map(|index| {
            let rank = 1 + next() % cells as u64;
            let mut cell = Cell { sessions: 1 + 5000 / rank, networks: next(), ..Cell::default() };
            cell.sums.beacons = cell.sessions * 6;
            cell.sums[SumMetric::PlayingMs] = cell.sessions * 54_000;
            for _ in 0..cell.sessions {
                cell.values[ValueMetric::StartupMs].record(next() as u32 % 90 * 20 + 200);
                cell.values[ValueMetric::BandwidthKbps].record(next() as u32 % 90 * 100 + 1000);
                cell.values[ValueMetric::BitrateKbps].record([800, 1600, 3200, 6400][next() as usize % 4]);
            }
            (cell_key(index), cell)
        })
        .collect()
}

/// Benchmarks the release of a window: validation, folding, percentiles and histograms.
#[divan::bench(args = CELLS, sample_size = 1)]
fn fold_and_release(bencher: Bencher<'_, '_>, cells: usize) {
    let (policy, table) = (policy(), table(cells));
    bencher
        .counter(ItemsCount::new(cells))
        .with_inputs(|| vec![table.clone()])
        .bench_values(|tables| release("acme", WINDOW, tables, &policy, None));
}

/// Benchmarks the release of a window in which every cell has at least k sessions. Therefore no row is folded.
#[divan::bench(args = CELLS, sample_size = 1)]
fn nothing_folds(bencher: Bencher<'_, '_>, cells: usize) {
    let policy = policy();
    let mut table = table(cells);
    table.values_mut().for_each(|cell| cell.sessions += 50);
    bencher
        .counter(ItemsCount::new(cells))
        .with_inputs(|| vec![table.clone()])
        .bench_values(|tables| release("acme", WINDOW, tables, &policy, None));
}

/// Benchmarks the release of a window outside the detail table. Items are rows. The boolean is true if there is a
/// secret. In this case, noise is generated.
#[divan::bench(args = [(1_000, false), (1_000, true)], sample_size = 1, sample_count = 20)]
fn outside_the_detail_table(bencher: Bencher<'_, '_>, (cells, noise): (usize, bool)) {
    let breakdowns = vec![vec![Device, Os, Browser]];
    let settings = PolicySettings { breakdowns, detail: Detail::None, ..PolicySettings::default() };
    let policy = Policy::threshold(settings).expect("a valid policy");
    let policy = if noise { policy.keyed(Secret::new([7; 32])) } else { policy };
    let mut table = table(cells);
    table.values_mut().for_each(|cell| cell.sessions += 50);
    bencher
        .counter(ItemsCount::new(cells))
        .with_inputs(|| vec![table.clone()])
        .bench_values(|tables| release("acme", WINDOW, tables, &policy, None));
}

/// Benchmarks the release under differential privacy. Noise is generated for every metric and every range of every
/// released row. Nearly all cells are released. Items are rows.
#[divan::bench(args = [100, 1_000], sample_size = 1, sample_count = 5)]
fn noise(bencher: Bencher<'_, '_>, cells: usize) {
    let settings =
        PolicySettings { breakdowns: vec![vec![Device, Os, Browser]], ..PolicySettings::default() };
    let budget = PrivacySettings { epsilon: 1.0, delta: 1e-8, window: Span::HOUR, idle: Span::SECOND * 90 };
    let policy = Policy::differential_privacy(settings, &budget).expect("a valid policy");
    let policy = policy.keyed(Secret::new([7; 32]));
    let mut table = table(cells);
    table.values_mut().for_each(|cell| cell.sessions += 500);
    let window = Window::at(Timestamp::from_millis(1_795_305_600_000), Span::HOUR);
    let rows = release("acme", window, vec![table.clone()], &policy, None).rollups.len();
    assert!(rows > cells * 9 / 10, "only {rows} of {cells} cells were released");
    bencher
        .counter(ItemsCount::new(rows))
        .with_inputs(|| vec![table.clone()])
        .bench_values(|tables| release("acme", window, tables, &policy, None));
}

/// Benchmarks encoding rows as JSON.
#[divan::bench(args = CELLS)]
fn json(bencher: Bencher<'_, '_>, cells: usize) {
    let mut table = table(cells);
    table.values_mut().for_each(|cell| cell.sessions += 50);
    let released = release("acme", WINDOW, vec![table], &policy(), None);
    assert_eq!(released.rollups.len(), cells);
    bencher.counter(ItemsCount::new(cells)).bench_local(|| {
        for rollup in &released.rollups {
            black_box(rollup.json());
        }
    });
}
