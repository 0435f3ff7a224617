//! Tests that the order of files and lines, and the available memory, do not change the result of `fold`.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use flate2::write::GzEncoder;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::Value;
use tempfile::TempDir;

/// The start of a window, in milliseconds.
const START: u64 = 1_795_308_480_000;
const WINDOW: u64 = 60_000;
const LATENESS: u64 = 30_000;
const CONFIG: &str = "[release]\nk = 1\nallow_small_k = true\nbreakdowns = [[\"os\"], [\"cdn\"]]\n\
                      [windows]\nlength = \"1m\"\nlateness = \"30s\"\n";

/// A line with a captured request, the time at which the request was received, and true if the beacon in it is late.
#[derive(Clone, Debug)]
struct Line {
    received: u64,
    text: String,
    is_late: bool,
}

/// Generates a captured request with a beacon of one of twelve sessions. Some beacons are late, and some lines are
/// truncated, so they contain no beacon.
fn line() -> impl Strategy<Value = Line> {
    // There are only a few different times, so most times occur in several lines.
    let received = (0_u64..600).prop_map(|step| START + step * 500);
    let delay = prop_oneof![4 => 0_u64..3_000, 1 => 0_u64..200_000];
    (received, delay, 0_u8..12, 0_u8..3, 0_u32..40).prop_map(|(received, delay, session, cdn, kind)| {
        let ts = received - delay;
        let window_end = ts / WINDOW * WINDOW + WINDOW;
        let mut is_late = window_end + LATENESS < received;
        let event = ["heartbeat", "play", "attempt", "error"][kind as usize % 4];
        let body = format!(
            r#"{{\"ts\":{ts},\"session\":\"s{session}\",\"event\":\"{event}\",\"cdn\":\"cdn-{cdn}\",\"playing_ms\":900}}"#
        );
        let mut text = format!(r#"{{"received_at_ms":{received},"path":"/v1/beacons","body":"{body}"}}"#);
        if kind == 7 {
            text.truncate(40);
            is_late = false;
        }
        Line { received, text, is_late }
    })
}

fn write(path: &Path, lines: &[&Line], compression: usize) {
    let text: String = lines.iter().map(|line| format!("{}\n", line.text)).collect();
    let bytes = match compression {
        0 => text.into_bytes(),
        1 => {
            let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(text.as_bytes()).expect("packed");
            encoder.finish().expect("packed")
        }
        _ => zstd::encode_all(text.as_bytes(), 1).expect("packed"),
    };
    fs::write(path, bytes).expect("written");
}

/// Runs `fold`. Returns the rows and the ledger as they were written.
fn fold(dir: &Path, arguments: &[String]) -> (String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_crowdfold"))
        .args(["fold", "--config", "config.toml", "--ledger", "ledger.json"])
        .args(arguments)
        .current_dir(dir)
        .output()
        .expect("the program runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let rows = String::from_utf8(output.stdout).expect("UTF-8");
    (rows, fs::read_to_string(dir.join("ledger.json")).expect("a ledger"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn rows_and_ledger_do_not_depend_on_files_order_and_memory(
        mut lines in prop::collection::vec(line(), 300..900),
        files in 1_usize..6,
        seed in any::<u64>(),
        order in prop::collection::vec(any::<Index>(), 6),
        memory in prop_oneof![Just("1"), Just("70000"), Just("128KiB"), Just("1GiB")],
        is_sorted in any::<bool>(),
    ) {
        let dir = TempDir::new().expect("a directory");
        fs::write(dir.path().join("config.toml"), CONFIG).expect("written");
        // For the reference result, one file contains all lines in the order in which they were received.
        lines.sort_by_key(|line| line.received);
        write(&dir.path().join("whole"), &lines.iter().collect::<Vec<_>>(), 0);
        let whole = fold(dir.path(), &["--format=capture".into(), "whole".into()]);
        let ledger: Value = serde_json::from_str(&whole.1).expect("JSON");
        prop_assert_eq!(&ledger["balanced"], &Value::Bool(true));
        let late = lines.iter().filter(|line| line.is_late).count();
        prop_assert_eq!(&ledger["beacons"]["late"], &Value::from(late));

        // Lines with equal times are sorted by their order in the input. So such lines stay in one file and keep their
        // order.
        let mixed = |time: u64| (time ^ seed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        if !is_sorted {
            lines.sort_by_key(|line| mixed(line.received));
        }
        let mut parts: BTreeMap<usize, Vec<&Line>> = BTreeMap::new();
        for line in &lines {
            parts.entry(mixed(line.received + 1) as usize % files).or_default().push(line);
        }
        let mut names = Vec::new();
        for (number, part) in &parts {
            let name = ["part", "part.gz", "part.zst"][number % 3].replace("part", &format!("part-{number}"));
            write(&dir.path().join(&name), part, number % 3);
            names.push(name);
        }
        let count = names.len();
        for (at, other) in order.iter().enumerate().take(count) {
            names.swap(at, other.index(count));
        }
        names.extend(["--format=capture".into(), "--memory".into(), memory.into()]);
        let parts = fold(dir.path(), &names);
        prop_assert!(parts.0 == whole.0, "the rows differ for {:?}", names);
        prop_assert_eq!(parts.1, whole.1);
    }
}

#[test]
fn beacon_in_a_line_without_a_record_timestamp_is_never_late() {
    let dir = TempDir::new().expect("a directory");
    fs::write(dir.path().join("config.toml"), CONFIG).expect("written");
    let beacon = |ts: u64, session: &str| {
        format!("{{\"ts\":{ts},\"session\":\"{session}\",\"event\":\"heartbeat\",\"playing_ms\":900}}\n")
    };
    let day: String = (0..24).map(|hour| beacon(START + hour * 3_600_000, "a")).collect();
    let earlier: String = (0..24).rev().map(|hour| beacon(START + hour * 3_600_000 + 7, "b")).collect();
    fs::write(dir.path().join("day"), day).expect("written");
    fs::write(dir.path().join("earlier"), earlier).expect("written");
    let array = format!("[{},{}]\n", beacon(START + 90_000_000, "c").trim(), beacon(START + 3, "d").trim());
    fs::write(dir.path().join("array"), array).expect("written");
    let run = |files: &[&str]| {
        let arguments: Vec<_> = files.iter().map(|file| (*file).into()).collect();
        fold(dir.path(), &arguments)
    };
    let expected = run(&["array", "day", "earlier"]);
    let ledger: Value = serde_json::from_str(&expected.1).expect("JSON");
    assert_eq!((&ledger["beacons"]["read"], &ledger["beacons"]["late"]), (&50.into(), &0.into()));
    assert_eq!(ledger["beacons"]["released"], 50);
    for files in [["day", "earlier", "array"], ["earlier", "array", "day"]] {
        assert!(run(&files) == expected, "{files:?}");
    }
}

/// A beacon without a usable time is rejected, but an opt-out in it takes effect.
#[test]
fn opt_out_without_a_usable_time_removes_its_session() {
    let dir = TempDir::new().expect("a directory");
    fs::write(dir.path().join("config.toml"), CONFIG).expect("written");
    let beacon = |ts: u64| format!("{{\"ts\":{ts},\"session\":\"a\",\"playing_ms\":900}}\n");
    let opt_outs = [
        "{\"session\":\"a\",\"opt_out\":true}\n",
        // The first time is from a clock that was never set. The next times are five years ahead, and in the year 2100.
        "{\"ts\":5000,\"session\":\"a\",\"opt_out\":true}\n",
        "{\"ts\":1953158400000,\"session\":\"a\",\"opt_out\":true}\n",
        "{\"ts\":4102444800000,\"session\":\"a\",\"opt_out\":true}\n",
    ];
    for opt_out in opt_outs {
        // The opt-out is at the beginning, in the middle or at the end of a file. Another file contains beacons of
        // another session, which cover an hour.
        for index in 0..3 {
            let mut lines = vec![beacon(START), beacon(START + 1_000)];
            lines.insert(index, opt_out.into());
            fs::write(dir.path().join("F"), lines.concat()).expect("written");
            let other: String =
                (0..60).map(|minute| beacon(START + minute * 60_000).replace("\"a\"", "\"b\"")).collect();
            fs::write(dir.path().join("other"), other).expect("written");
            for files in [["F", "other"], ["other", "F"]] {
                let (_, ledger) = fold(dir.path(), &files.map(String::from));
                let ledger: Value = serde_json::from_str(&ledger).expect("JSON");
                assert_eq!(ledger["beacons"]["opted_out"], 2, "{opt_out}, {index}, {files:?}: {ledger}");
                assert_eq!(ledger["beacons"]["released"], 60, "{opt_out}, {index}, {files:?}: {ledger}");
            }
        }
    }
}
