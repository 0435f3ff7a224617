//! Tests with sessions whose CMCD is encoded by the library of the SVTA, in each reporting mode. Random additional keys
//! must not change the result. Each number in each row must equal the number of events that occurred in the sessions.
#![expect(clippy::unwrap_used, reason = "a panic shows the location of the failure")]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::process::Command;

use crowdfold_model::{SumMetric, ValueMetric};
use crowdfold_testkit::binary;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

/// The directory in which the library is installed. It is kept between runs.
const HOME: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/encoder");
const WRITER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/encoder/write.js");

/// A configuration with a window that is long enough for all sessions.
const CONFIG: &str = r#"
[windows]
length = "1h"
[tenants]
names = ["acme"]
default = "acme"
[ttl]
beacons = "3h"
[release]
k = 1
allow_small_k = true
breakdowns = [["stream", "format", "content"]]
"#;

/// The number of sessions for each reporting mode, if `CROWDFOLD_SESSIONS` is not set.
const SESSIONS: &str = "60";

/// The captured requests of the sessions of one reporting mode, and the events that occurred in each session.
#[derive(Deserialize)]
struct Written {
    lines: Vec<Value>,
    truth: Vec<Truth>,
}

#[derive(Deserialize)]
struct Truth {
    stream: String,
    format: String,
    content: String,
    startup_ms: Option<u64>,
    errors: Vec<String>,
    bandwidth_kbps: u64,
    /// For each report with a bitrate, and for each period of playback: the bitrate, and the playing time.
    bitrates: Vec<(u64, u64)>,
    /// For each report with a live latency: the latency, and the playing time since the previous report.
    latencies: Vec<(u64, u64)>,
    /// The time to first byte of each response with audio or video.
    ttfbs: Vec<u64>,
    /// The counts and times, such as `attempts`, by their names in rows.
    #[serde(flatten)]
    sums: BTreeMap<String, u64>,
}

impl Truth {
    /// Returns the value of a metric that has at most one value for each session.
    fn value(&self, metric: ValueMetric) -> Option<u64> {
        match metric {
            ValueMetric::StartupMs => self.startup_ms.map(|startup| to_two_digits(startup as f64)),
            ValueMetric::BandwidthKbps => Some(self.bandwidth_kbps),
            ValueMetric::BitrateKbps => weighted_mean(&self.bitrates),
            ValueMetric::LiveLatencyMs => weighted_mean(&self.latencies),
            ValueMetric::TtfbMs => {
                weighted_mean(&self.ttfbs.iter().map(|ttfb| (*ttfb, 0)).collect::<Vec<_>>())
            }
        }
    }
}

/// Returns the mean of values, weighted by playing time. If there is no playing time, the mean is not weighted.
fn weighted_mean(values: &[(u64, u64)]) -> Option<u64> {
    let played: u64 = values.iter().map(|(_, played)| played).sum();
    let weight = |ms: u64| if played == 0 { 1 } else { ms };
    let weights: u64 = values.iter().map(|(_, ms)| weight(*ms)).sum();
    let sum: u64 = values.iter().map(|(value, ms)| value * weight(*ms)).sum();
    (weights > 0).then(|| to_two_digits(sum as f64 / weights as f64))
}

fn to_two_digits(value: f64) -> u64 {
    let unit = 10_f64.powf((value.log10().floor() - 1.0).max(0.0));
    ((value / unit).round() * unit) as u64
}

/// The numbers of an expected row by field, such as `plays`, `bitrate_kbps.sessions` and `bitrate_kbps.sum`.
type Sums = BTreeMap<String, u64>;

fn add(sums: &mut Sums, name: &str, value: u64) {
    *sums.entry(name.into()).or_default() += value;
}

/// Returns the numbers of the expected rows, by stream, format and content.
fn expected(truth: &[Truth]) -> BTreeMap<[String; 3], Sums> {
    let mut rows = BTreeMap::<_, Sums>::new();
    for session in truth {
        let row = rows.entry([&session.stream, &session.format, &session.content].map(String::clone));
        let row = row.or_default();
        add(row, "sessions", 1);
        for (name, value) in &session.sums {
            add(row, name, *value);
        }
        for class in &session.errors {
            add(row, &format!("errors.{class}"), 1);
        }
        for metric in ValueMetric::ALL {
            let (name, value) = (metric.name(), session.value(metric));
            add(row, &format!("{name}.sessions"), value.is_some().into());
            add(row, &format!("{name}.sum"), value.unwrap_or(0));
        }
    }
    rows
}

type Rows = BTreeMap<[String; 3], Map<String, Value>>;

/// Runs `crowdfold fold` on these lines. Returns the rows, by stream, format and content.
fn folded(format: &str, lines: &str) -> Rows {
    let dir = TempDir::new().unwrap();
    let text = |name: &str, text: String| std::fs::write(dir.path().join(name), text).unwrap();
    text("config.toml", CONFIG.into());
    text("lines", lines.into());
    let output = Command::new(binary("crowdfold"))
        .current_dir(dir.path())
        .args(["fold", "--config", "config.toml", "--format", format, "--ledger", "ledger", "lines"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let ledger: Value = serde_json::from_slice(&std::fs::read(dir.path().join("ledger")).unwrap()).unwrap();
    assert_eq!(ledger["beacons"]["released"], ledger["beacons"]["read"], "{ledger}");
    let rows = String::from_utf8(output.stdout).unwrap();
    rows.lines()
        .map(|line| {
            let row: Map<String, Value> = serde_json::from_str(line).unwrap();
            let cell_key =
                ["stream", "format", "content"].map(|name| row["dimensions"][name].as_str().unwrap().into());
            (cell_key, row)
        })
        .collect()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the input of a test is not part of the program's configuration"
)]
fn asked(name: &str, default: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| default.into())
}

#[test]
fn rows_equal_the_events_of_sessions_encoded_by_the_cmcd_library() {
    let output = Command::new("node")
        .args([WRITER, HOME, &asked("CROWDFOLD_SEED", "1"), &asked("CROWDFOLD_SESSIONS", SESSIONS)])
        .output()
        .unwrap_or_else(|error| panic!("the encoder needs Node.js: run `make doctor` ({error})"));
    assert!(output.status.success(), "the encoder failed:\n{}", String::from_utf8_lossy(&output.stderr));
    let variants: BTreeMap<String, Written> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(variants.len(), 8);
    let mut differences = String::new();
    let mut totals = Sums::new();
    for (variant, written) in variants {
        let captures: String = written.lines.iter().map(|line| format!("{line}\n")).collect();
        let expected = expected(&written.truth);
        expected.values().flatten().for_each(|(name, value)| add(&mut totals, name, *value));
        compare(&variant, &folded("capture", &captures), &expected, &mut differences);
        // If every report is an event, the bodies also form a valid file of CMCD lines.
        let bodies = written.lines.iter().map(|line| line["body"].as_str().unwrap());
        if bodies.clone().all(|body| !body.is_empty()) {
            let lines: String = bodies.map(|body| format!("{body}\n")).collect();
            compare(&format!("lines of {variant}"), &folded("cmcd", &lines), &expected, &mut differences);
        }
    }
    assert!(differences.is_empty(), "\n{differences}");
    let sums = SumMetric::ALL.map(|metric| metric.name().to_owned());
    let values = ValueMetric::ALL.map(|metric| format!("{}.sum", metric.name()));
    for name in sums.iter().chain(&values) {
        assert!(totals.get(name).is_some_and(|total| *total > 0), "no session has {name}");
    }
}

fn compare(variant: &str, rows: &Rows, expected: &BTreeMap<[String; 3], Sums>, differences: &mut String) {
    assert_eq!(rows.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "{variant}");
    for (cell_key, sums) in expected {
        for (name, value) in sums {
            let field = name.split('.').fold(&json!(rows[cell_key]), |field, name| &field[name]).clone();
            if field.as_u64().unwrap_or(0) != *value {
                writeln!(differences, "{variant} {}: {name} is {field}, not {value}", cell_key.join(" "))
                    .unwrap();
            }
        }
    }
}
