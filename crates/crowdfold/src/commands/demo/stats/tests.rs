use serde_json::json;

use super::Stats;
use crowdfold_config::Sources;
use crowdfold_model::Timestamp;
use crowdfold_worker::Config;

const fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn stats() -> Stats {
    Stats::new(&Config::load(&Sources { host: "here".into(), ..Sources::default() }).unwrap())
}

fn row(minute: u64, values: [&str; 3], number: u64, rows: u64, sessions: u64) -> Vec<u8> {
    let sum = json!({"sum": -3});
    json!({
        "schema": "crowdfold.rollup/1", "tenant": "acme",
        "window": {"start": minute * 60_000, "end": (minute + 1) * 60_000},
        "breakdown": ["device", "os", "browser"], "detail": false,
        "dimensions": {"device": values[0], "os": values[1], "browser": values[2]}, "row": number, "rows": rows,
        "sessions": sessions, "beacons": null, "attempts": 0, "plays": 0, "startup_failures": 0, "playback_failures": 0,
        "playing_ms": 0, "stalled_ms": 0, "stalls": 0, "dropped_frames": 0, "switches": -1,
        "switches_up": null, "switches_down": null, "seeks": null, "seeking_ms": null, "exits_before_start": null, "good_sessions": null,
        "errors": {"network": 0, "manifest": -2, "media": 0, "drm": 0, "timeout": 0, "other": 5},
        "startup_ms": sum, "bandwidth_kbps": sum, "bitrate_kbps": sum, "live_latency_ms": null,
        "ttfb_ms": null,
        "policy": {"name": "threshold", "k": 20, "margin": 10, "noise": 8}
    })
    .to_string()
    .into_bytes()
}

#[test]
fn complete_table_is_shown_with_its_largest_row_first() {
    let mut stats = stats();
    assert!(stats.push(&row(1, ["desktop", "Windows", "*"], 1, 2, 25), at(500)));
    assert_eq!((stats.tables().count(), stats.first), (0, None));
    assert!(stats.push(&row(1, ["desktop", "Windows", "Chrome"], 2, 2, 90), at(600)));
    let table = stats.tables().next().unwrap();
    assert_eq!(table.rows.iter().map(|row| row.sessions).collect::<Vec<_>>(), [90, 25]);
    assert_eq!((stats.first, stats.windows, stats.rows, stats.smallest), (Some(at(600)), 1, 2, Some(25)));
    assert_eq!((stats.sessions, stats.folded), (115, 25));
}

#[test]
fn beacons_are_counted_in_the_detail_table_only() {
    let mut stats = stats();
    stats.push(&row(1, ["phone", "iOS", "Safari"], 1, 1, 20), at(0));
    assert_eq!(stats.beacons, None);
    for beacons in ["70", "30"] {
        let detail = String::from_utf8(row(1, ["phone", "iOS", "Safari"], 1, 1, 20)).unwrap();
        stats.push(detail.replace("\"beacons\":null", &format!("\"beacons\":{beacons}")).as_bytes(), at(0));
    }
    assert_eq!((stats.beacons, stats.rows), (Some(100), 3));
}

#[test]
fn table_of_a_later_window_replaces_the_table_of_an_earlier_window() {
    let mut stats = stats();
    for minute in 1..50 {
        stats.push(&row(minute, ["phone", "iOS", "Safari"], 1, 1, 20 + minute), at(minute));
    }
    let tables: Vec<_> = stats.tables().map(|table| table.rows[0].sessions).collect();
    assert_eq!((tables, stats.windows, stats.first), (vec![69], 49, Some(at(1))));
}

#[test]
fn incomplete_tables_are_kept_for_the_last_eight_windows_only() {
    let mut stats = stats();
    for minute in 1..1_000 {
        stats.push(&row(minute, ["phone", "iOS", "Safari"], 1, 2, 20), at(0));
    }
    assert!(stats.unfinished.len() <= super::WINDOWS, "{}", stats.unfinished.len());
}

#[test]
fn record_that_is_not_a_rollup_of_a_known_breakdown_is_refused() {
    let mut stats = stats();
    assert!(!stats.push(b"{}", at(0)));
    let strange = String::from_utf8(row(1, ["a", "b", "c"], 1, 1, 20)).unwrap().replace("\"os\"", "\"cdn\"");
    assert!(!stats.push(strange.as_bytes(), at(0)));
    assert_eq!(stats.rows, 0);
}
