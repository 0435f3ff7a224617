//! Creates published rows as JSON, for tests of programs that read them.

use serde_json::{Value, json};

/// The length of the windows, in milliseconds: a minute.
pub const MINUTE: u64 = 60_000;

/// Returns the row with the number `number` in a table of `rows` rows. Its window begins at this minute. `table`
/// contains the breakdown and the dimension values, such as `os/browser Windows/*`.
///
/// # Panics
/// If `table` does not consist of a breakdown and values.
#[must_use]
pub fn record(minute: u64, table: &str, number: u64, rows: u64, sessions: u64) -> Value {
    let (breakdown, values) = table.split_once(' ').expect("a breakdown and values");
    let breakdown: Vec<_> = breakdown.split('/').collect();
    let dimensions: serde_json::Map<_, _> =
        breakdown.iter().zip(values.split('/')).map(|(name, value)| ((*name).into(), value.into())).collect();
    json!({
        "schema": "crowdfold.rollup/1", "tenant": "acme",
        "window": {"start": minute * MINUTE, "end": (minute + 1) * MINUTE},
        "breakdown": breakdown, "detail": true, "dimensions": dimensions, "row": number, "rows": rows,
        "sessions": sessions, "beacons": 6 * sessions, "attempts": 20, "plays": 16, "startup_failures": 2,
        "playback_failures": 1, "playing_ms": 54_000 * sessions, "stalled_ms": 600 * sessions, "stalls": sessions / 10,
        "dropped_frames": 3, "switches": 5, "switches_up": 3, "switches_down": 2, "seeks": 4, "seeking_ms": 2_100,
        "exits_before_start": 1, "good_sessions": sessions / 2, "errors": {"network": 2},
        "startup_ms": {"sessions": 16, "sum": 16 * 850, "p50": 800, "p90": null, "p95": null, "p99": null},
        "bandwidth_kbps": {"sessions": sessions, "sum": 5000 * sessions, "p50": 4800, "p90": 9000, "p95": 9900,
            "p99": null, "histogram": [[0, 4000, 20], [4000, null, sessions - 20]]},
        "bitrate_kbps": {"sessions": 0, "sum": 0, "p50": null, "p90": null, "p95": null, "p99": null},
        "live_latency_ms": {"sessions": 0, "sum": 0, "p50": null, "p90": null, "p95": null, "p99": null},
        "ttfb_ms": {"sessions": 0, "sum": 0, "p50": null, "p90": null, "p95": null, "p99": null},
        "policy": {"name": "threshold", "k": 50, "margin": 10, "noise": 8}
    })
}

/// The fields of a row outside the detail table that contain a single integer.
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

/// The fields that only the detail table contains.
pub const IN_DETAIL_ONLY: [&str; 8] = [
    "switches_up",
    "switches_down",
    "seeks",
    "seeking_ms",
    "exits_before_start",
    "good_sessions",
    "live_latency_ms",
    "ttfb_ms",
];

/// Removes the histograms of a row. Returns the histograms, each with the name of its field.
pub fn remove_histograms(row: &mut Value) -> Vec<(String, Value)> {
    let fields = row.as_object_mut().into_iter().flatten();
    let remove = |(name, value): (&String, &mut Value)| {
        Some((name.clone(), value.as_object_mut()?.remove("histogram")?))
    };
    fields.filter_map(remove).collect()
}

/// Converts rows of the detail table to rows of another table with a secret. The numbers stay the same, as if the noise
/// were 0.
#[must_use]
pub fn noisy(mut records: Vec<Value>) -> Vec<Value> {
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
        for name in IN_DETAIL_ONLY {
            row[name] = Value::Null;
        }
    }
    records
}

/// Converts rows of the detail table to the rows that a worker without a secret publishes in another table.
#[must_use]
pub fn counts_only(mut records: Vec<Value>) -> Vec<Value> {
    for row in &mut records {
        row["detail"] = false.into();
        for name in PLAIN.into_iter().chain(DISTRIBUTIONS).chain(IN_DETAIL_ONLY).chain(["beacons", "errors"])
        {
            row[name] = Value::Null;
        }
    }
    records
}

/// Returns the rows of a complete table. Each element of `rows` contains the dimension values and the number of
/// sessions of a row.
#[must_use]
pub fn table(minute: u64, breakdown: &str, rows: &[(&str, u64)]) -> Vec<Value> {
    let row = |(at, (values, sessions)): (usize, &(&str, u64))| {
        record(minute, &format!("{breakdown} {values}"), at as u64 + 1, rows.len() as u64, *sessions)
    };
    rows.iter().enumerate().map(row).collect()
}

/// Replaces the tenant of rows.
#[must_use]
pub fn of_tenant(tenant: &str, mut records: Vec<Value>) -> Vec<Value> {
    records.iter_mut().for_each(|record| record["tenant"] = tenant.into());
    records
}
