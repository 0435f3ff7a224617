//! The rows as they must be printed.

use serde_json::{Value, json};

use super::{Cell, Settings, Verdict, percentile};

/// Sessions that must lie on either side of a percentile.
const B: usize = 10;

impl Verdict {
    /// Every row as `crowdfold.rollup/1`, sorted by window, tenant, drill-down and label, but for the histograms,
    /// whose bins the design leaves open.
    #[must_use]
    pub fn rollups(&self, settings: &Settings) -> Vec<Value> {
        let mut rollups = Vec::new();
        for (key, rows) in &self.tables {
            let dimensions = &settings.drilldowns_of(&key.tenant)[key.drilldown];
            for (index, row) in rows.iter().enumerate() {
                let label: serde_json::Map<String, Value> =
                    dimensions.iter().cloned().zip(row.label.iter().cloned().map(Value::from)).collect();
                let sums = &row.cell.sums;
                rollups.push(json!({
                    "schema": "crowdfold.rollup/1",
                    "tenant": key.tenant,
                    "window": {"start": key.start, "end": key.start + settings.window},
                    "drilldown": dimensions,
                    "dimensions": label,
                    "row": index + 1,
                    "rows": rows.len(),
                    "sessions": row.cell.sessions,
                    "beacons": sums.beacons,
                    "attempts": sums.attempts,
                    "plays": sums.plays,
                    "startup_failures": sums.startup_failures,
                    "playback_failures": sums.playback_failures,
                    "playing_ms": sums.playing_ms,
                    "stalled_ms": sums.stalled_ms,
                    "stalls": sums.stalls,
                    "dropped_frames": sums.dropped_frames,
                    "switches": sums.switches,
                    "errors": sums.errors,
                    "startup_ms": distribution(&row.cell, |cell| &cell.startup_ms),
                    "bandwidth_kbps": distribution(&row.cell, |cell| &cell.bandwidth_kbps),
                    "bitrate_kbps": distribution(&row.cell, |cell| &cell.bitrate_kbps),
                    "policy": {"name": "threshold", "k": settings.k_of(&key.tenant)},
                }));
            }
        }
        rollups
    }
}

fn distribution(cell: &Cell, values: fn(&Cell) -> &Vec<u64>) -> Value {
    let values = values(cell);
    json!({
        "sessions": values.len(),
        "sum": values.iter().sum::<u64>(),
        "p50": percentile(values, 50, B),
        "p90": percentile(values, 90, B),
        "p95": percentile(values, 95, B),
        "p99": percentile(values, 99, B),
    })
}
