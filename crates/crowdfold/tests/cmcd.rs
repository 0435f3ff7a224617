//! Tests with captured playbacks of real players. The expected values come from an independent computation. If a
//! session sends CMCD events, these values come only from its events of state changes, ordered by their own times.
//! Otherwise they come from the CMCD data of its media requests.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

const CAPTURES: &str = include_str!("../../../tests/data/captures/players.ndjson");

const CONFIG: &str = r#"
[windows]
length = "1h"
[ttl]
beacons = "3h"
[release]
k = 1
allow_small_k = true
breakdowns = [["format"]]
"#;

/// One entry for each playback: its label, the playing time in ms, the stalled time in ms, the stalls, the plays, and
/// the startup time in ms, rounded to two significant digits.
const READ: [(&str, u64, u64, u64, u64, u64); 7] = [
    // Shaka Player sends CMCD version 1, which has no player states.
    ("s11-12", 0, 0, 0, 0, 0),
    // dash.js sends player states with its requests. It sends a startup time before the playback begins. That startup
    // time is not counted.
    ("s11-14", 685, 0, 0, 1, 0),
    // dash.js sends events, including an error.
    ("s11-23", 5_730, 0, 0, 1, 270),
    // Shaka Player sends player states with its requests. No request contains the seek.
    ("s11-29", 1_387, 105, 1, 1, 150),
    // The session of hls.js has opted out, so it counts nothing.
    ("s11-33", 0, 0, 0, 0, 0),
    // hls.js sends events, including a seek and a pause.
    ("s11-51", 3_637, 0, 0, 1, 1_000),
    // Shaka Player sends CMCD version 1, which has no player states.
    ("s11-54", 0, 0, 0, 0, 0),
];

/// Folds captured requests. Returns the sum of each field over all rows.
fn folded(lines: &[&str]) -> BTreeMap<String, u64> {
    let dir = TempDir::new().expect("a directory");
    fs::write(dir.path().join("config.toml"), CONFIG).expect("written");
    fs::write(dir.path().join("captures"), lines.join("\n")).expect("written");
    let output = Command::new(env!("CARGO_BIN_EXE_crowdfold"))
        .env_clear()
        .current_dir(dir.path())
        .args(["fold", "--config", "config.toml", "--format", "capture", "captures"])
        .output()
        .expect("the program runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut sums = BTreeMap::new();
    for line in String::from_utf8(output.stdout).expect("UTF-8").lines() {
        let row: Value = serde_json::from_str(line).expect("JSON");
        for (name, value) in row.as_object().expect("a row") {
            let value = value.as_u64().or_else(|| value.get("sum").and_then(Value::as_u64));
            *sums.entry(name.clone()).or_default() += value.unwrap_or(0);
        }
    }
    sums
}

fn label(line: &str) -> String {
    let line: Value = serde_json::from_str(line).expect("JSON");
    line["session_label"].as_str().expect("a label").to_owned()
}

#[test]
fn captured_playback_gives_the_independently_computed_numbers() {
    for (playback, playing, stalled, stalls, plays, startup) in READ {
        let lines: Vec<_> = CAPTURES.lines().filter(|line| label(line) == playback).collect();
        let sums = folded(&lines);
        let of = |name: &str| sums.get(name).copied().unwrap_or(0);
        // The time of a state change may be rounded by 50 ms in either direction.
        assert!(of("playing_ms").abs_diff(playing) <= 200, "{playback}: {sums:?}");
        assert!(of("stalled_ms").abs_diff(stalled) <= 100, "{playback}: {sums:?}");
        assert_eq!((of("stalls"), of("plays")), (stalls, plays), "{playback}: {sums:?}");
        assert_eq!(of("attempts"), plays, "{playback}: {sums:?}");
        assert_eq!(of("startup_ms"), startup, "{playback}: {sums:?}");
    }
}

#[test]
fn all_playbacks_together_give_the_sum_of_the_single_playbacks() {
    let sums = folded(&CAPTURES.lines().collect::<Vec<_>>());
    assert_eq!((sums["sessions"], sums["plays"]), (6, 4), "one of seven sessions opts out");
    let playing = READ.iter().map(|read| read.1).sum::<u64>();
    assert!(sums["playing_ms"].abs_diff(playing) <= 400, "{sums:?}");
}
