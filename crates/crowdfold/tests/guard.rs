//! Tests of `release.min_networks`, with `fold`. The airlock maps the network of each address to one of 64 bits, and a
//! cell contains the bits of all its sessions. A row needs enough sessions and enough different bits.
#![expect(clippy::unwrap_used, reason = "a panic shows the location of the failure")]

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

const START: u64 = 1_795_305_600_000;

/// Returns one beacon for each address. Each beacon has its own session, and all have the same `os`.
fn sessions(os: &str, addresses: impl Iterator<Item = String>) -> String {
    let beacon = |(at, ip): (usize, String)| {
        let ts = START + at as u64 * 10;
        let beacon =
            json!({"ts": ts, "session": format!("{os}-{at}"), "ip": ip, "event": "heartbeat", "os": os});
        beacon.to_string() + "\n"
    };
    addresses.enumerate().map(beacon).collect()
}

fn fold_with(dir: &Path, guard: u32, beacons: &str) -> Output {
    let config = format!(
        "[release]\nk = 20\nbreakdowns = [[\"os\"]]\nmin_networks = {guard}\n[release.privacy]\nsecret_file = \"{}\"\n",
        dir.join("secret").display()
    );
    std::fs::write(dir.join("crowdfold.toml"), config).unwrap();
    std::fs::write(dir.join("beacons.ndjson"), beacons).unwrap();
    let arguments = ["--config", "crowdfold.toml", "fold", "--ledger", "ledger.json", "beacons.ndjson"];
    Command::new(env!("CARGO_BIN_EXE_crowdfold")).current_dir(dir).args(arguments).output().unwrap()
}

/// Runs `fold`. Returns `os` and `sessions` of each row, and the number of withheld session-windows.
fn fold(guard: u32, beacons: &str) -> (Vec<(String, u64)>, u64) {
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("secret"), "0123456789abcdef".repeat(4)).unwrap();
    let output = fold_with(dir.path(), guard, beacons);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let rows = text.lines().map(|line| {
        let row: Value = serde_json::from_str(line).unwrap();
        (row["dimensions"]["os"].as_str().unwrap().to_owned(), row["sessions"].as_u64().unwrap())
    });
    let ledger: Value =
        serde_json::from_slice(&std::fs::read(dir.path().join("ledger.json")).unwrap()).unwrap();
    assert_eq!(ledger["balanced"], true);
    (rows.collect(), ledger["session_windows"]["withheld"].as_u64().unwrap())
}

/// Returns sixty sessions from one network, as a single household could send them.
fn one_network() -> String {
    sessions("Tizen", (0..60).map(|host| format!("203.0.113.{host}")))
}

#[test]
fn row_is_published_only_if_its_sessions_come_from_enough_networks() {
    let nothing = (vec![], 60);
    let crowd = (vec![("Tizen".into(), 60)], 0);
    assert_eq!(
        fold(0, &one_network()),
        crowd,
        "without a minimum number of networks, these sessions are a crowd"
    );
    assert_eq!(fold(2, &one_network()), nothing);
    assert_eq!(fold(10, &sessions("Tizen", (0..60).map(|net| format!("198.51.{net}.7")))), crowd);
    // IPv6 addresses whose first 40 bits are equal belong to one network.
    let below = (0..60).map(|net| format!("2001:db8:0{net:02x}::{net}"));
    assert_eq!(fold(2, &sessions("Tizen", below)), nothing);
    let apart = (0..60).map(|net| format!("2001:db8:{net:02x}00::1"));
    assert_eq!(fold(10, &sessions("Tizen", apart)), crowd);
}

#[test]
fn ipv4_address_written_as_ipv6_has_the_network_of_the_ipv4_address() {
    let variants = (0..60).map(|host| match host % 3 {
        0 => format!("203.0.113.{host}"),
        1 => format!("::ffff:203.0.113.{host}"),
        _ => format!("2002:cb00:71{host:02x}::1"),
    });
    assert_eq!(fold(2, &sessions("Tizen", variants)), (vec![], 60));
    // Sessions without an address have no network.
    assert_eq!(fold(1, &sessions("Tizen", (0..60).map(|_| String::new()))), (vec![], 60));
}

#[test]
fn row_of_few_networks_is_folded_like_a_row_of_few_sessions() {
    let windows = sessions("Windows", (0..60).map(|net| format!("198.51.{net}.7")));
    let macos = sessions("macOS", (0..40).map(|net| format!("192.0.{net}.7")));
    let mut lines: Vec<_> = [one_network(), windows, macos].concat().lines().map(String::from).collect();
    lines.sort_by_key(|line| serde_json::from_str::<Value>(line).unwrap()["ts"].as_u64());
    let all = lines.join("\n");
    let rows = |rows: &[(&str, u64)]| rows.iter().map(|(os, n)| ((*os).to_owned(), *n)).collect::<Vec<_>>();
    assert_eq!(fold(0, &all), (rows(&[("Tizen", 60), ("Windows", 60), ("macOS", 40)]), 0));
    // The 60 sessions of one network are merged with the smallest row. The size of a row of 100 sessions would reveal
    // how many sessions were merged, so the next row is merged too.
    assert_eq!(fold(10, &all), (rows(&[("*", 160)]), 0));
    // These networks have fewer than 64 different bits, so no row has the required minimum.
    assert_eq!(fold(64, &all), (vec![], 160));
}

#[test]
fn min_networks_without_its_secret_is_refused() {
    let dir = TempDir::new().unwrap();
    let output = fold_with(dir.path(), 5, &one_network());
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(2), &b""[..]), "{error}");
    assert!(error.contains("release.privacy.secret_file names this file, which cannot be read"), "{error}");
}
