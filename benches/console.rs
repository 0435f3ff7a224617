//! Benchmarks the answers of the console. The store is on disk and contains minute windows of 30 days, with two tables:
//! a detail table of 40 rows with four histograms each, and a noisy table of 20 rows. The questions are those of the
//! page, for the whole period, and are asked by HTTP. The benchmark prints the median and the 95th percentile of each
//! kind, the time of the maintenance that runs every minute, and the largest memory of the process.
//!
//! `--days N` sets the number of days, and `--detail N` the number of days for which single windows are kept (by
//! default, all days). `--store DIRECTORY` keeps the store, so that the next run need not fill it again.

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark measures time and prints it"
)]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crowdfold_console::{Batch, Console, Facts, Lifetimes, Server, Settings};
use crowdfold_model::{Span, Timestamp, ValueMetric};
use crowdfold_query::{Range, Row};
use crowdfold_testkit::rows::{MINUTE, noisy, table};

/// The end of the newest window. It is not at the start of an hour.
const NOW: Timestamp = Timestamp::from_millis(30_000_017 * MINUTE);
const ROUNDS: usize = 40;

/// The questions, each with the period in place of `{}`.
const QUESTIONS: [(&str, &str); 8] = [
    (
        "overview",
        "timeseries?since={}&metric=concurrent_mean,minutes_watched,startup_ms,rebuffering_ratio,vsf,bitrate_kbps",
    ),
    ("compare", "compare?since={}&metric=concurrent_mean,minutes_watched,rebuffering_ratio,vsf&against=1d"),
    ("breakdown", "breakdown?since={}&metric=rebuffering_ratio&by=cdn&rank=impact"),
    ("filtered", "breakdown?since={}&metric=vsf&by=os&where=os:os-3&rank=impact"),
    ("distribution", "distribution?since={}&metric=bandwidth_kbps"),
    ("windows", "windows?since={}"),
    ("tenants", "tenants"),
    ("breakdowns", "breakdowns"),
];

/// A question that cannot be answered from the sums of hours, so that the rows of all windows are read.
const SHORT_INTERVALS: (&str, &str) =
    ("intervals of 20 minutes", "timeseries?since={}&metric=vsf&by=cdn&step=20m");

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let argument = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name);
        arguments.get(at? + 1)
    };
    let number = |name: &str, otherwise: u64| {
        argument(name).and_then(|number| number.parse().ok()).unwrap_or(otherwise)
    };
    let test = arguments.iter().any(|argument| argument == "--test");
    let days = number("--days", if test { 1 } else { 30 });
    let detail = number("--detail", days + 1);
    let temporary = tempfile::tempdir().expect("a directory");
    let directory = argument("--store").map_or_else(|| temporary.path().to_owned(), Into::into);
    std::fs::create_dir_all(&directory).expect("a directory");
    let settings = Settings {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        hosts: Vec::new(),
        hosts_name: "hosts",
        data_dir: Some(directory),
        lifetimes: Lifetimes { detail: Span::DAY.times(detail), rollups: Span::DAY.times(days + 1) },
        tokens: Vec::new(),
        export: Vec::new(),
        tenants: Vec::new(),
        facts: Facts::default(),
        audit_report: None,
    };
    let console = Console::open(settings, || NOW).expect("a store");
    if console.store().tenants().expect("a store").is_empty() {
        let began = Instant::now();
        let rows = fill(&console, if test { 120 } else { days * 1_440 });
        println!("console: added {rows} rows of {days} days in {:.0} s", began.elapsed().as_secs_f64());
    }
    let began = Instant::now();
    console.store().maintain(NOW).expect("space");
    println!("console: maintenance took {:.1} ms", began.elapsed().as_secs_f64() * 1e3);
    let server = Server::start(console).expect("a server");
    let before = peak_mib();
    let period = format!("{days}d");
    for question in QUESTIONS {
        ask(server.address, question, &period, if test { 1 } else { ROUNDS });
    }
    if detail > days {
        ask(server.address, SHORT_INTERVALS, &period, if test { 1 } else { ROUNDS / 4 });
    }
    println!("console: memory {:.0} MiB at most, {before:.0} MiB before the questions", peak_mib());
}

/// Returns the largest resident memory of this process so far.
fn peak_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<f64>().ok()).unwrap_or_default() / 1_024.0
}

/// The bounds from which the ranges of histograms are chosen.
const BOUNDS: [u64; 20] = [
    500, 1_000, 1_300, 1_600, 2_000, 2_500, 3_200, 4_000, 5_000, 6_300, 8_000, 10_000, 13_000, 16_000,
    20_000, 25_000, 32_000, 40_000, 50_000, 63_000,
];

/// Returns a histogram with about seven ranges, which depend on `seed`.
fn histogram(seed: u64) -> Vec<Range> {
    let mut random = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut from = 0;
    let mut ranges = Vec::new();
    for bound in BOUNDS {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        if random >> 61 < 3 {
            ranges.push((Some(from), Some(bound), 10 + random % 50));
            from = bound;
        }
    }
    ranges.push((Some(from), None, 10));
    ranges
}

/// Adds the rows of this many windows, as they arrive over time. Returns their number.
fn fill(console: &Console, windows: u64) -> usize {
    let store = console.store();
    let cells = |first: &str, second: &str, count: usize| -> Vec<String> {
        (0..count).map(|at| format!("{first}-{}/{second}-{}", at / 5, at % 5)).collect()
    };
    let (detail, other) = (cells("cdn", "stream", 40), cells("os", "browser", 20));
    let named = |cells: &[String]| cells.iter().map(|cell| (cell.clone(), 400_u64)).collect::<Vec<_>>();
    let records = |breakdown: &str, cells: &[String]| {
        let named = named(cells);
        let rows: Vec<(&str, u64)> = named.iter().map(|(cell, sessions)| (&**cell, *sessions)).collect();
        table(0, breakdown, &rows)
    };
    let mut records_of_window = records("cdn/stream", &detail);
    records_of_window.extend(noisy(records("os/browser", &other)));
    let parsed = records_of_window.iter().map(|record| Row::parse(record.to_string().as_bytes()));
    let template: Vec<Row> = parsed.map(|row| row.expect("a row")).collect();
    let first = NOW.saturating_sub(Span::MINUTE.times(windows));
    for at in 0..windows {
        let start = first.saturating_add(Span::MINUTE.times(at));
        let end = start.saturating_add(Span::MINUTE);
        let mut rows = template.clone();
        for (number, row) in (0_u64..).zip(&mut rows) {
            (row.window.start, row.window.end) = (start, end);
            row.sessions += (at * 7 + number * 13) % 300;
            for (metric, value) in (0_u64..).zip(&mut row.values).filter(|_| row.detail == Some(true)) {
                if let Some(value) =
                    value.as_mut().filter(|_| ValueMetric::ALL[metric as usize].has_histogram())
                {
                    value.histogram = Some(histogram(at * 1_000 + number * 10 + metric));
                }
            }
        }
        store.add(&Batch { rows, ..Batch::default() }, end).expect("space");
        if at % 60 == 59 {
            store.maintain(end).expect("space");
        }
    }
    template.len() * windows as usize
}

/// Asks a question several times, and prints the times.
fn ask(address: SocketAddr, (name, question): (&str, &str), period: &str, rounds: usize) {
    let path = format!("/api/v1/{}", question.replace("{}", period));
    let mut times: Vec<Duration> = (0..rounds)
        .map(|_| {
            let began = Instant::now();
            let answer = get(address, &path);
            assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
            began.elapsed()
        })
        .collect();
    times.sort_unstable();
    let percentile = |percent: usize| times[(times.len() * percent).div_ceil(100) - 1].as_secs_f64() * 1e3;
    println!("console: {name}: p50 {:.0} ms, p95 {:.0} ms", percentile(50), percentile(95));
}

fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("a connection");
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}
