//! Creates rows in the form in which the worker writes them. Tests modify these rows, and write them to topics.
#![expect(clippy::unwrap_used, reason = "a panic shows the location of the failure")]

use crowdfold_testkit::{Kafka, unique};
use serde_json::{Map, Value, json};

use crate::kafka_support::{Record, produce};

/// Creates a topic with a time-to-live of one hour. Returns its name.
pub(super) fn topic(kafka: &Kafka, name: &str, partitions: u32) -> String {
    let topic = unique(name);
    let settings =
        [("retention.ms", "2640000"), ("segment.ms", "660000"), ("message.timestamp.type", "LogAppendTime")];
    kafka.create_topic(&topic, partitions, &settings);
    topic
}

/// Returns the rows of a table in the window that begins at `minute`. Each element of `rows` contains the dimension
/// values of a row, such as `Windows/*`, and its number of sessions.
pub(super) fn table(minute: u64, breakdown: &str, rows: &[(&str, u64)]) -> Vec<Value> {
    let names: Vec<&str> = breakdown.split('.').collect();
    let row = |(number, (cell_key, sessions)): (u64, &(&str, u64))| {
        let values = cell_key.split('/').map(Value::from);
        let dimensions: Map<String, Value> = names.iter().map(ToString::to_string).zip(values).collect();
        let summary = json!({"sessions": 0, "sum": 0, "p50": null, "p90": null, "p95": null, "p99": null});
        json!({
            "schema": "crowdfold.rollup/1", "tenant": "default",
            "window": {"start": minute * 60_000, "end": (minute + 1) * 60_000},
            "breakdown": names, "detail": true, "dimensions": dimensions, "row": number, "rows": rows.len(),
            "sessions": sessions, "beacons": 6 * sessions, "attempts": sessions, "plays": sessions,
            "startup_failures": 0, "playback_failures": 0, "playing_ms": 54_000 * sessions, "stalled_ms": 0,
            "stalls": 0, "dropped_frames": 0, "switches": 0, "switches_up": 0, "switches_down": 0,
            "seeks": 0, "seeking_ms": 0, "exits_before_start": 0, "good_sessions": 0, "errors": {},
            "startup_ms": summary, "bandwidth_kbps": summary, "bitrate_kbps": summary,
            "live_latency_ms": summary, "ttfb_ms": summary,
            "policy": {"name": "threshold", "k": 50, "margin": 10, "noise": 8}
        })
    };
    (1..).zip(rows).map(row).collect()
}

/// Converts rows of the detail table to the rows that a worker without a secret publishes in another table.
pub(super) fn counts_only(mut rows: Vec<Value>) -> Vec<Value> {
    for row in &mut rows {
        row["detail"] = json!(false);
        for (name, value) in row.as_object_mut().unwrap() {
            let kept = [
                "schema",
                "tenant",
                "window",
                "breakdown",
                "detail",
                "dimensions",
                "row",
                "rows",
                "sessions",
                "policy",
            ];
            if !kept.contains(&name.as_str()) {
                *value = Value::Null;
            }
        }
    }
    rows
}

/// Returns the record of a row, with the key that the worker would use.
pub(super) fn record(partition: u32, row: &Value) -> Record {
    let names: Vec<_> =
        row["breakdown"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    let key = format!("{}/{}/{}", row["tenant"].as_str().unwrap(), names.join("."), row["window"]["start"]);
    Record { key: Some(key.into_bytes()), ..Record::new(partition, row.to_string()) }
}

pub(super) fn write(kafka: &Kafka, topic: &str, partition: u32, rows: &[Value]) {
    let records: Vec<Record> = rows.iter().map(|row| record(partition, row)).collect();
    produce(kafka, topic, &records);
}
