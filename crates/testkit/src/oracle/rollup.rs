//! Formats the expected rows as JSON.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::rows::IN_DETAIL_ONLY;

use super::beacon::ERRORS;
use super::{Cell, Outcome, Row, Settings, percentile};

/// The minimum number of sessions at or below a percentile, and at or above it.
const B: usize = 10;

/// The fields that contain one number.
const NUMBERS: [&str; 10] = [
    "beacons",
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

/// The fields that contain a distribution in the detail table, and a sum in other tables.
const DISTRIBUTIONS: [&str; 3] = ["startup_ms", "bandwidth_kbps", "bitrate_kbps"];

impl Outcome {
    /// Returns all rows in the schema `crowdfold.rollup/1`, sorted by window, tenant, breakdown and dimension values.
    /// The rows have no histograms, because the design does not define their bins. If there is a secret, numbers
    /// outside the detail table are the sums before noise is added.
    #[must_use]
    pub fn rollups(&self, settings: &Settings) -> Vec<Value> {
        let mut rollups = Vec::new();
        for (key, rows) in &self.tables {
            let dimensions = &settings.breakdowns_of(&key.tenant)[key.breakdown];
            let is_detail = settings.detail_of(&key.tenant) == Some(key.breakdown);
            for (index, row) in rows.iter().enumerate() {
                let mut rollup = json!({
                    "schema": "crowdfold.rollup/1",
                    "tenant": key.tenant,
                    "window": {"start": key.start, "end": key.start + settings.window},
                    "breakdown": dimensions,
                    "detail": is_detail,
                    "dimensions": dimensions.iter().cloned().zip(row.cell_key.iter().cloned())
                        .collect::<BTreeMap<_, _>>(),
                    "row": index + 1,
                    "rows": rows.len(),
                    "sessions": row.cell.sessions,
                    "policy": {
                        "name": "threshold",
                        "k": settings.k_of(&key.tenant),
                        "margin": settings.margin_of(&key.tenant),
                        "noise": settings.noise,
                    },
                });
                let fields = match (is_detail, settings.secret) {
                    (true, _) => exact(row),
                    (false, true) => bounded(row),
                    (false, false) => absent(),
                };
                for (name, value) in fields {
                    rollup[name] = value;
                }
                rollups.push(rollup);
            }
        }
        rollups
    }
}

/// Returns the numbers of a row of the detail table.
fn exact(row: &Row) -> Vec<(&'static str, Value)> {
    let Cell { sums, .. } = &row.cell;
    let numbers = [
        sums.beacons,
        sums.attempts,
        sums.plays,
        sums.startup_failures,
        sums.playback_failures,
        sums.playing_ms,
        sums.stalled_ms,
        sums.stalls,
        sums.dropped_frames,
        sums.switches,
    ];
    let mut fields: Vec<_> = NUMBERS.into_iter().zip(numbers.map(Value::from)).collect();
    fields.push(("errors", json!(sums.errors)));
    fields.push(("startup_ms", distribution(&row.cell.startup_ms)));
    fields.push(("bandwidth_kbps", distribution(&row.cell.bandwidth_kbps)));
    fields.push(("bitrate_kbps", distribution(&row.cell.bitrate_kbps)));
    fields.push(("live_latency_ms", distribution(&row.cell.live_latency_ms)));
    fields.push(("ttfb_ms", distribution(&row.cell.ttfb_ms)));
    let numbers = [
        sums.switches_up,
        sums.switches_down,
        sums.seeks,
        sums.seeking_ms,
        sums.exits_before_start,
        sums.good_sessions,
    ];
    fields.extend(IN_DETAIL_ONLY.into_iter().zip(numbers.map(Value::from)));
    fields
}

/// Returns the numbers of a row outside the detail table, before noise is added.
fn bounded(row: &Row) -> Vec<(&'static str, Value)> {
    let sum = |field: &str| row.cell.bounded.get(field).copied().unwrap_or(0);
    let mut fields = vec![("beacons", Value::Null)];
    fields.extend(NUMBERS.into_iter().skip(1).map(|name| (name, json!(sum(name)))));
    let errors = ERRORS.into_iter().map(|class| (class, sum(&format!("errors.{class}"))));
    fields.push(("errors", json!(errors.collect::<BTreeMap<_, _>>())));
    fields.extend(DISTRIBUTIONS.into_iter().map(|name| (name, json!({"sum": sum(name)}))));
    fields.extend(IN_DETAIL_ONLY.map(|name| (name, Value::Null)));
    fields
}

/// Returns the fields of a row outside the detail table if there is no secret. All of these fields are null.
fn absent() -> Vec<(&'static str, Value)> {
    NUMBERS
        .into_iter()
        .chain(["errors"])
        .chain(DISTRIBUTIONS)
        .chain(IN_DETAIL_ONLY)
        .map(|name| (name, Value::Null))
        .collect()
}

fn distribution(values: &[u64]) -> Value {
    json!({
        "sessions": values.len(),
        "sum": values.iter().sum::<u64>(),
        "p50": percentile(values, 50, B),
        "p90": percentile(values, 90, B),
        "p95": percentile(values, 95, B),
        "p99": percentile(values, 99, B),
    })
}
