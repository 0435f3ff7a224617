//! Tests of the policy `differential-privacy` with a configuration file, a secret and `fold`.
#![expect(clippy::unwrap_used, reason = "a panic shows the location of the failure")]

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

/// The start of a window of one hour, in milliseconds.
const START: u64 = 1_795_305_600_000;

const HOUR: u64 = 3_600_000;

/// The operating system, the browser and the number of sessions of each cell.
const CELLS: [(&str, &str, u64); 4] =
    [("Windows", "Chrome", 400), ("Windows", "Edge", 150), ("macOS", "Safari", 10), ("Tizen", "app", 3)];

/// Returns three beacons for each session, all within one hour.
fn beacons() -> String {
    let mut lines = Vec::new();
    for (os, browser, sessions) in CELLS {
        for session in 0..sessions {
            for (at, event) in ["play", "heartbeat", "end"].into_iter().enumerate() {
                let ts = START + at as u64 * 1_000_000 + session * 7;
                let mut beacon = json!({
                    "ts": ts, "session": format!("{os}-{browser}-{session}"), "event": event, "os": os,
                    "browser": browser, "bandwidth_kbps": 9_000, "playing_ms": 10_000,
                });
                if event == "play" {
                    beacon["startup_ms"] = 800.into();
                }
                lines.push((ts, beacon.to_string()));
            }
        }
    }
    lines.sort();
    lines.into_iter().map(|(_, line)| line + "\n").collect()
}

/// Creates a directory with beacons, a secret and a configuration. The noise is small (ε = 10), so that cells with few
/// sessions are also released.
fn scenario() -> TempDir {
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("beacons.ndjson"), beacons()).unwrap();
    std::fs::write(dir.path().join("secret"), "0123456789abcdef".repeat(4)).unwrap();
    let config = format!(
        "[release]\npolicy = \"differential-privacy\"\nk = 10\nbreakdowns = [[\"os\"], [\"os\", \"browser\"]]\n\
         [release.privacy]\nepsilon = 10\nsecret_file = \"{}\"\n[ttl]\nbeacons = \"3h\"\n",
        dir.path().join("secret").display()
    );
    std::fs::write(dir.path().join("crowdfold.toml"), config).unwrap();
    dir
}

fn crowdfold(dir: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_crowdfold"));
    command.current_dir(dir).arg("--config").arg("crowdfold.toml").args(arguments);
    command.output().unwrap()
}

/// Runs `fold`. Returns the released rows and the ledger.
fn fold(dir: &Path) -> (String, Value) {
    let output = crowdfold(dir, &["fold", "--ledger", "ledger.json", "beacons.ndjson"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let ledger = std::fs::read(dir.join("ledger.json")).unwrap();
    (String::from_utf8(output.stdout).unwrap(), serde_json::from_slice(&ledger).unwrap())
}

#[test]
fn only_large_cells_are_published_and_their_numbers_have_noise() {
    let dir = scenario();
    let (text, ledger) = fold(dir.path());
    let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let shown: Vec<_> = rows.iter().map(|row| row["dimensions"].to_string()).collect();
    assert_eq!(
        shown,
        [
            r#"{"os":"Windows"}"#,
            r#"{"browser":"Chrome","os":"Windows"}"#,
            r#"{"browser":"Edge","os":"Windows"}"#,
        ]
    );
    for (row, truth) in rows.iter().zip([550, 400, 150]) {
        assert_eq!(row["window"], json!({"start": START, "end": START + HOUR}));
        let policy = &row["policy"];
        assert_eq!((&policy["name"], &policy["epsilon"]), (&"differential-privacy".into(), &10.0.into()));
        let (sigma, tau) = (policy["sigma"].as_f64().unwrap(), policy["tau"].as_u64().unwrap());
        assert!((6.0..8.0).contains(&sigma) && (30..60).contains(&tau), "{policy}");
        let sessions = row["sessions"].as_i64().unwrap();
        assert!(
            (sessions - truth).abs() as f64 <= 6.0 * sigma,
            "sessions is {sessions} instead of about {truth}"
        );
        assert!(sessions >= tau as i64 + 10 - 1);
    }
    let sums: Vec<_> = rows.iter().map(|row| row["sessions"].as_u64().unwrap()).collect();
    assert_ne!(sums[0], sums[1] + sums[2], "each cell has its own noise");
    // 13 sessions, with three beacons each, are in cells of [os] that are too small to be published.
    assert_eq!(ledger["balanced"], true);
    assert_eq!(ledger["session_windows"], json!({"released": 550, "withheld": 13}));
    assert_eq!(ledger["beacons"]["released"], 3 * 550);
}

#[test]
fn same_input_and_secret_give_the_same_bytes() {
    let dir = scenario();
    let (first, _) = fold(dir.path());
    assert_eq!(first, fold(dir.path()).0);
    std::fs::write(dir.path().join("secret"), "fedcba9876543210".repeat(4)).unwrap();
    assert_ne!(first, fold(dir.path()).0);
}

#[test]
fn missing_secret_is_refused_with_the_fix() {
    let dir = scenario();
    let refused = || {
        let output = crowdfold(dir.path(), &["fold", "beacons.ndjson"]);
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(2), &b""[..]));
        String::from_utf8(output.stderr).unwrap()
    };
    std::fs::write(dir.path().join("secret"), "hunter2").unwrap();
    let message = refused();
    assert!(
        message.contains("does not contain 64 hexadecimal digits; create it with `openssl rand"),
        "{message}"
    );
    assert!(!message.contains("hunter2"));
    std::fs::remove_file(dir.path().join("secret")).unwrap();
    assert!(refused().contains("release.privacy.secret_file names this file, which cannot be read"));
    // `check` succeeds without the secret.
    let checked = crowdfold(dir.path(), &["check"]);
    let text = String::from_utf8(checked.stdout).unwrap();
    assert_eq!(checked.status.code(), Some(0));
    assert!(
        text.contains("N = 48, the maximum number of cells that count one session: 24 windows")
            && text.contains("365 days: ε ="),
        "{text}"
    );
}
