//! Benchmarks an audit: from the bytes of records to the findings. The rows are like those of a worker: five tables per
//! window, one of which is the detail table. The benchmark prints rows per CPU-second of the thread.

#![expect(clippy::print_stdout, reason = "a benchmark reports on standard output")]

use std::sync::Arc;

use crowdfold_audit::{Auditor, Contents, Record, Rules};
use crowdfold_model::Dimension::{
    Asn, Browser, Cdn, Connection, Content, Country, Device, Format, Os, Stream,
};
use crowdfold_model::Dimension::{Player, PlayerVersion};
use crowdfold_model::{Cell, CellKey, Span, SumMetric, Sums, Table, Timestamp, ValueMetric, Window};
use crowdfold_release::{Policy, PolicySettings, Secret, release};

const START: u64 = 1_795_308_480_000;
const MINUTE: u64 = 60_000;
/// The number of rows in each table.
const ROWS: usize = 50;
const ROUNDS: usize = 10;

fn main() {
    let test = std::env::args().any(|argument| argument == "--test");
    let records = records(if test { 2 } else { 60 });
    let bytes: usize = records.iter().map(|(key, value)| key.len() + value.len()).sum();
    let rounds = if test { 1 } else { ROUNDS };
    // The kernel measures the time of a thread in ticks. Therefore the sum over all rounds is more precise than the
    // time of the fastest round.
    let nanos: u64 = (0..rounds).map(|_| round(&records)).sum();
    println!(
        "audit: {} rows of {} bytes, {:.0} rows per CPU-second over {rounds} rounds",
        records.len(),
        bytes / records.len(),
        (rounds * records.len()) as f64 * 1e9 / nanos.max(1) as f64
    );
}

/// Audits all records. Returns the CPU time in nanoseconds.
fn round(records: &[(String, Vec<u8>)]) -> u64 {
    let before = cpu_nanos();
    let mut auditor = Auditor::new(Rules::default());
    let topic = auditor.topic("crowdfold.rollups", Contents::Rollups, &[]);
    for (offset, (key, value)) in (0..).zip(records) {
        let (key, value) = (Some(key.as_bytes()), Some(&value[..]));
        auditor.record(topic, &Record { offset, key, value, ..Record::default() });
    }
    let audit = auditor.finish();
    let nanos = cpu_nanos() - before;
    assert_eq!(audit.found, [], "the rows of a worker have no findings");
    nanos
}

/// Returns the CPU time of this thread in nanoseconds, as Linux reports it.
fn cpu_nanos() -> u64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    stat.split(' ').next().and_then(|nanos| nanos.parse().ok()).expect("nanoseconds")
}

/// Returns the keys and the values of the rows of this many windows.
fn records(windows: u64) -> Vec<(String, Vec<u8>)> {
    let breakdowns = vec![
        vec![Country, Asn],
        vec![Device, Os, Browser],
        vec![Player, PlayerVersion],
        vec![Stream, Format, Content],
        vec![Cdn, Connection],
    ];
    let words: Vec<Vec<[&str; 2]>> = vec![
        vec![["DE", "FR"], ["AS64496", "AS64511"]],
        vec![["tv", "phone"], ["Tizen", "Android"], ["Samsung Internet", "Chrome"]],
        vec![["hls.js", "Shaka"], ["1.7", "5.2"]],
        vec![["vod", "live"], ["hls", "dash"], ["movie-0042", "match-2026-11-21"]],
        vec![["cdn-a", "edge-7.cdn.example"], ["wifi", "5g"]],
    ];
    let settings = PolicySettings { breakdowns, ..PolicySettings::default() };
    let policy = Policy::threshold(settings).expect("a valid policy").keyed(Secret::new([7; 32]));
    let mut records = Vec::new();
    for window in 0..windows {
        let start = START + window * MINUTE;
        let tables = words.iter().map(|words| table(words, window)).collect();
        let released =
            release("acme", Window::at(Timestamp::from_millis(start), Span::MINUTE), tables, &policy, None);
        records.extend(released.rollups.iter().map(|row| (row.key(), row.json())));
    }
    records
}

/// Returns one table. Each of its rows has enough sessions to be published, and a different last dimension value.
fn table(words: &[[&str; 2]], window: u64) -> Table {
    let row = |nth: usize| {
        let sessions = 60 + 7 * nth as u64 + window % 5;
        let sums = Sums {
            beacons: 6 * sessions,
            errors: [2, 1, 0, 0, 1, 0],
            ..Sums::of(&[
                (SumMetric::Attempts, sessions),
                (SumMetric::Plays, sessions - 3),
                (SumMetric::StartupFailures, 2),
                (SumMetric::PlayingMs, 54_000 * sessions),
                (SumMetric::StalledMs, 900 * sessions),
                (SumMetric::Stalls, sessions / 9),
            ])
        };
        let mut cell = Cell { sessions, sums, ..Cell::default() };
        for session in 0..sessions as u32 {
            cell.values[ValueMetric::StartupMs].record(400 + session % 40 * 50);
            cell.values[ValueMetric::BandwidthKbps].record(2_000 + session % 90 * 100);
            cell.values[ValueMetric::BitrateKbps].record([800, 1_600, 3_200, 6_400][session as usize % 4]);
        }
        let last = words.len() - 1;
        let cell_key = words.iter().enumerate().map(|(at, pair)| {
            let word = pair[nth % 2];
            Arc::from(if at == last { format!("{word} {nth:02}") } else { word.to_owned() })
        });
        (cell_key.collect::<CellKey>(), cell)
    };
    (0..ROWS).map(row).collect()
}
