//! Tests of the dimension `error_code`, with the example in deploy/error-codes.toml.

use std::fmt::Write as _;
use std::process::{Command, Output};

use serde_json::{Value, json};

/// Runs `crowdfold fold` with a configuration file, on beacons of 120 sessions. 60 sessions report the error code 1001,
/// and 60 report no error.
fn fold(config: &str) -> Output {
    let directory = tempfile::tempdir().expect("a directory");
    let mut beacons = String::new();
    for session in 0..120 {
        let code =
            if session < 60 { r#","event":"error","error":"network","error_code":"1001""# } else { "" };
        let beacon = format!(
            r#"{{"ts":1795308528421,"tenant":"acme","session":"s{session}","playing_ms":10000{code}}}"#
        );
        writeln!(beacons, "{beacon}").expect("a string");
    }
    let file = directory.path().join("beacons.ndjson");
    std::fs::write(&file, beacons).expect("a file");
    Command::new(env!("CARGO_BIN_EXE_crowdfold"))
        .args(["fold", "--config", config])
        .arg(file)
        .env_clear()
        .output()
        .expect("the program runs")
}

#[test]
fn example_configuration_publishes_sessions_by_error_code() {
    let output = fold(concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/error-codes.toml"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let rows = String::from_utf8(output.stdout).expect("UTF-8");
    let rows: Vec<Value> = rows.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let codes: Vec<_> = rows
        .iter()
        .filter(|row| row["breakdown"] == json!(["error_code"]))
        .map(|row| (&row["dimensions"]["error_code"], &row["sessions"], &row["detail"]))
        .collect();
    let detail = Value::Bool(true);
    assert_eq!(codes, [(&json!("1001"), &json!(60), &detail), (&json!("none"), &json!(60), &detail)]);
}

#[test]
fn breakdown_with_error_code_outside_the_detail_table_is_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    let config = directory.path().join("x.toml");
    std::fs::write(&config, "[release]\nbreakdowns = [[\"error_code\"], [\"cdn\"]]\n").expect("a file");
    let output = fold(config.to_str().expect("a path"));
    assert_eq!(output.status.code(), Some(2));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        stderr.contains(
            "release.breakdowns contains error_code in breakdown [error_code], which is not the detail table"
        ),
        "{stderr}"
    );
}
