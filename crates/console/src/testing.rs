//! Rows for tests.

use serde_json::{Value, json};

use crate::{Args, Catalogue, Query, Reader, Row};

pub(crate) const MINUTE: u64 = 60_000;

/// Returns one row of a table `os/browser Windows/*` in a window that begins at this minute.
pub(crate) fn record(minute: u64, table: &str, number: u64, rows: u64, sessions: u64) -> Value {
    let (breakdown, values) = table.split_once(' ').unwrap();
    let breakdown: Vec<_> = breakdown.split('/').collect();
    let dimensions: serde_json::Map<_, _> =
        breakdown.iter().zip(values.split('/')).map(|(name, value)| ((*name).into(), value.into())).collect();
    json!({
        "schema": "crowdfold.rollup/1", "tenant": "acme",
        "window": {"start": minute * MINUTE, "end": (minute + 1) * MINUTE},
        "breakdown": breakdown, "detail": true, "dimensions": dimensions, "row": number, "rows": rows,
        "sessions": sessions, "beacons": 6 * sessions, "attempts": 20, "plays": 16, "startup_failures": 2,
        "playback_failures": 1, "playing_ms": 54_000 * sessions, "stalled_ms": 600 * sessions, "stalls": sessions / 10,
        "dropped_frames": 3, "switches": 5, "errors": {"network": 2},
        "startup_ms": {"sessions": 16, "sum": 16 * 850, "p50": 800, "p90": null, "p95": null, "p99": null},
        "bandwidth_kbps": {"sessions": sessions, "sum": 5000 * sessions, "p50": 4800, "p90": 9000, "p95": 9900,
            "p99": null, "histogram": [[0, 4000, 20], [4000, null, sessions - 20]]},
        "bitrate_kbps": {"sessions": 0, "sum": 0, "p50": null, "p90": null, "p95": null, "p99": null},
        "live_latency_ms": {"sessions": 0, "sum": 0, "p50": null, "p90": null, "p95": null, "p99": null},
        "policy": {"name": "threshold", "k": 50, "margin": 10, "noise": 8}
    })
}

/// The plain integers of a row outside the detail table.
const PLAIN: [&str; 9] = [
    "attempts",
    "plays",
    "startup_failures",
    "playback_failures",
    "playing_ms",
    "stalled_ms",
    "stalls",
    "dropped_frames",
    "switches",
];
const DISTRIBUTIONS: [&str; 3] = ["startup_ms", "bandwidth_kbps", "bitrate_kbps"];

/// Converts rows to those of a table outside the detail table, with the same numbers, as if the noise were 0.
pub(crate) fn noisy(mut records: Vec<Value>) -> Vec<Value> {
    for row in &mut records {
        row["detail"] = false.into();
        row["beacons"] = Value::Null;
        for class in ["network", "manifest", "media", "drm", "timeout", "other"] {
            let sessions = row["errors"][class].as_i64().unwrap_or_default();
            row["errors"][class] = sessions.into();
        }
        for name in DISTRIBUTIONS {
            row[name] = json!({"sum": row[name]["sum"]});
        }
        row["live_latency_ms"] = Value::Null;
    }
    records
}

/// Converts rows to those that a worker without a secret publishes outside the detail table.
pub(crate) fn counts_only(mut records: Vec<Value>) -> Vec<Value> {
    for row in &mut records {
        row["detail"] = false.into();
        for name in PLAIN.into_iter().chain(DISTRIBUTIONS).chain(["beacons", "errors", "live_latency_ms"]) {
            row[name] = Value::Null;
        }
    }
    records
}

/// Returns the rows of one complete table.
pub(crate) fn table(minute: u64, breakdown: &str, rows: &[(&str, u64)]) -> Vec<Value> {
    let row = |(at, (values, sessions)): (usize, &(&str, u64))| {
        record(minute, &format!("{breakdown} {values}"), at as u64 + 1, rows.len() as u64, *sessions)
    };
    rows.iter().enumerate().map(row).collect()
}

pub(crate) fn read(records: &[Vec<Value>]) -> Reader {
    let mut reader = Reader::new();
    records.iter().flatten().for_each(|record| reader.push(record.to_string().as_bytes()));
    reader
}

pub(crate) fn rows(records: &[Vec<Value>]) -> Vec<Row> {
    let reader = read(records);
    assert_eq!(reader.notes(), Vec::<String>::new());
    reader.rows().to_vec()
}

/// Returns a catalogue: acme and beta of news; gamma of sport; delta without an attribute; and shy of news, which must
/// not be grouped.
pub(crate) fn catalogue() -> Catalogue {
    let tenant = |name: &str, attributes: &[(&str, &str)]| {
        let attributes = attributes.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        (name.to_owned(), attributes, name != "shy")
    };
    Catalogue::new([
        tenant("acme", &[("industry", "news"), ("plan", "pro")]),
        tenant("beta", &[("industry", "news"), ("plan", "free")]),
        tenant("gamma", &[("industry", "sport"), ("plan", "pro")]),
        tenant("delta", &[]),
        tenant("shy", &[("industry", "news"), ("plan", "pro")]),
    ])
}

/// Assigns rows to another tenant.
pub(crate) fn of_tenant(tenant: &str, mut records: Vec<Value>) -> Vec<Value> {
    records.iter_mut().for_each(|record| record["tenant"] = tenant.into());
    records
}

/// Parses a query such as `--by os --where os=Windows`, at minute 100.
pub(crate) fn query(flags: &str) -> Result<Query, crate::ConsoleError> {
    let mut args = Args::default();
    let mut words = flags.split_whitespace();
    while let Some(flag) = words.next() {
        if flag == "--across" {
            args.across = true;
            continue;
        }
        let value = words.next().unwrap();
        let value = value.replace("''", "");
        match flag {
            "--breakdown" => args.breakdown = Some(value),
            "--where" => args.where_.push(value.replace('_', " ")),
            "--since" => args.since = Some(value),
            "--tenant" => args.tenant = Some(value),
            "--by" => args.by = Some(value),
            "--every" => args.every = Some(value),
            other => panic!("no flag {other}"),
        }
    }
    Query::from_args(&args, &catalogue(), 100 * MINUTE)
}
