//! Tests of `[quality]`, from the configuration to the rows.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::Command;

use serde_json::Value;

/// Two tenants with the thresholds of `[quality]`, and one with thresholds of its own.
const CONFIG: &str = r#"
    [tenants]
    names = ["acme", "beta"]
    default = "acme"
    [quality]
    startup = "1500ms"
    rebuffering = 0.015
    [quality.tenants.beta]
    bitrate = 2000
    startup = "3s"
    [release]
    k = 10
    breakdowns = [["os"]]
"#;

/// Returns the good sessions of each tenant and system, of ten sessions each.
fn good_sessions(groups: &[(&str, &str, &str)]) -> BTreeMap<String, u64> {
    let mut beacons = String::new();
    for (tenant, os, fields) in groups {
        for session in 0..10 {
            let session = format!("{tenant}-{os}-{session}");
            writeln!(
                beacons,
                r#"{{"ts":1795308528421,"tenant":"{tenant}","session":"{session}","os":"{os}",{fields}}}"#
            )
            .expect("a string");
        }
    }
    let directory = tempfile::tempdir().expect("a directory");
    let path = |name: &str| directory.path().join(name);
    std::fs::write(path("x.toml"), CONFIG).expect("a file");
    std::fs::write(path("beacons.ndjson"), beacons).expect("a file");
    let output = Command::new(env!("CARGO_BIN_EXE_crowdfold"))
        .args(["fold", "--config"])
        .args([path("x.toml"), path("beacons.ndjson")])
        .env_clear()
        .output()
        .expect("the program runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let rows = std::str::from_utf8(&output.stdout).expect("UTF-8").lines();
    rows.map(|line| serde_json::from_str::<Value>(line).expect("JSON"))
        .map(|row| {
            let name = |value: &Value| value.as_str().expect("a name").to_owned();
            let group = format!("{} {}", name(&row["tenant"]), name(&row["dimensions"]["os"]));
            (group, row["good_sessions"].as_u64().expect("a number"))
        })
        .collect()
}

#[test]
fn good_sessions_meet_the_thresholds_of_their_tenant() {
    let slow = r#""event":"play","startup_ms":1600,"playing_ms":9000"#;
    let fast = r#""event":"play","startup_ms":1500,"playing_ms":9900,"stalled_ms":100"#;
    let stalled = r#""event":"play","startup_ms":1500,"playing_ms":9800,"stalled_ms":200"#;
    let low = r#""event":"heartbeat","playing_ms":9000,"bitrate_kbps":1900"#;
    let high = r#""event":"heartbeat","playing_ms":9000,"bitrate_kbps":2000"#;
    let groups = [
        ("acme", "Windows", slow, 0),
        ("acme", "Linux", fast, 10),
        ("acme", "macOS", stalled, 0),
        ("acme", "Android", low, 10),
        // This tenant has its own maximum startup time and its own minimum bitrate, but the common share of stalled time.
        ("beta", "Windows", slow, 10),
        ("beta", "Linux", fast, 10),
        ("beta", "macOS", stalled, 0),
        ("beta", "Android", low, 0),
        ("beta", "iOS", high, 10),
    ];
    let expected = groups.map(|(tenant, os, _, good)| (format!("{tenant} {os}"), good));
    assert_eq!(good_sessions(&groups.map(|(tenant, os, fields, _)| (tenant, os, fields))), expected.into());
}
