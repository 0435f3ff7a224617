//! Benchmarks the answers of the console. The store is on disk and contains minute windows of 30 days, with two tables:
//! a detail table of 40 rows with histograms, and a noisy table of 20 rows. The questions are those of the page, for the
//! whole period, and are asked by HTTP. The benchmark prints the median and the 95th percentile of each kind.
//!
//! `--days N` sets the number of days, and `--detail N` the number of days after which windows are added up to hours.

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark measures time and prints it"
)]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crowdfold_console::{Batch, Console, Facts, Lifetimes, Server, Settings};
use crowdfold_model::{Span, Timestamp};
use crowdfold_query::Row;
use crowdfold_testkit::rows::{MINUTE, noisy, table};

/// The end of the newest window. It is at the start of an hour.
const NOW: Timestamp = Timestamp::from_millis(30_000_000 * MINUTE);
const ROUNDS: usize = 40;

/// The questions, each with the period in place of `{}`.
const QUESTIONS: [(&str, &str); 6] = [
    (
        "overview",
        "timeseries?since={}&metric=concurrent_mean,minutes_watched,startup_ms,rebuffering_ratio,vsf,bitrate_kbps",
    ),
    ("compare", "compare?since={}&metric=concurrent_mean,minutes_watched,rebuffering_ratio,vsf&against=1d"),
    ("breakdown", "breakdown?since={}&metric=rebuffering_ratio&by=cdn&rank=impact"),
    ("filtered", "breakdown?since={}&metric=vsf&by=os&where=os:os-3&rank=impact"),
    ("distribution", "distribution?since={}&metric=bandwidth_kbps"),
    ("windows", "windows?since={}"),
];

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let number = |name: &str, otherwise: u64| {
        let at = arguments.iter().position(|argument| argument == name);
        at.and_then(|at| arguments.get(at + 1)?.parse().ok()).unwrap_or(otherwise)
    };
    let test = arguments.iter().any(|argument| argument == "--test");
    let days = number("--days", if test { 1 } else { 30 });
    let detail = number("--detail", 2);
    let directory = tempfile::tempdir().expect("a directory");
    let settings = Settings {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        data_dir: Some(directory.path().to_owned()),
        lifetimes: Lifetimes { detail: Span::DAY.times(detail), rollups: Span::DAY.times(days + 1) },
        tokens: Vec::new(),
        export: Vec::new(),
        facts: Facts::default(),
        audit_report: None,
    };
    let console = Console::open(settings, || NOW).expect("a store");
    let began = Instant::now();
    let rows = fill(&console, if test { 120 } else { days * 1_440 });
    println!("console: added {rows} rows of {days} days in {:.0} s", began.elapsed().as_secs_f64());
    let server = Server::start(console).expect("a server");
    ask(server.address, &format!("{days}d"), if test { 1 } else { ROUNDS });
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
        }
        store.add(&Batch { rows, ..Batch::default() }, end).expect("space");
        if at % 60 == 59 {
            store.maintain(end).expect("space");
        }
    }
    template.len() * windows as usize
}

/// Asks each question several times, and prints the times.
fn ask(address: SocketAddr, period: &str, rounds: usize) {
    for (name, question) in QUESTIONS {
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
        let percentile =
            |percent: usize| times[(times.len() * percent).div_ceil(100) - 1].as_secs_f64() * 1e3;
        println!("console: {name}: p50 {:.0} ms, p95 {:.0} ms", percentile(50), percentile(95));
    }
}

fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("a connection");
    write!(stream, "GET {path} HTTP/1.1\r\nHost: console\r\nConnection: close\r\n\r\n").expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}
