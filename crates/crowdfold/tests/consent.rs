//! Tests of opt-out and of excluded beacons, in rows and in the ledger.

use std::fs;
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

/// The start of the first window, in milliseconds.
const START: u64 = 1_795_308_480_000;
/// A content title that no row may contain.
const CANARY: &str = "c4n4ry-title";

/// Runs `fold` on these lines with a configuration. Returns the output and the ledger.
fn run(config: &str, format: &str, lines: &[String]) -> (Output, Value) {
    let dir = TempDir::new().expect("a directory");
    let path = |name: &str| dir.path().join(name);
    fs::write(path("config.toml"), config).expect("written");
    fs::write(path("beacons"), lines.join("\n")).expect("written");
    let output = Command::new(env!("CARGO_BIN_EXE_crowdfold"))
        .env_clear()
        .current_dir(dir.path())
        .args(["fold", "--config", "config.toml", "--format", format, "--ledger", "ledger", "beacons"])
        .output()
        .expect("the program runs");
    let ledger = fs::read(path("ledger")).ok().map(|text| serde_json::from_slice(&text).expect("JSON"));
    (output, ledger.unwrap_or_default())
}

/// Runs `fold`, which must succeed. For each row, returns the tenant, the number of the window and `sessions`, in the
/// table of `os`. Also returns the counts of beacons by outcome.
fn folded(config: &str, format: &str, lines: &[String]) -> (Vec<(String, u64, u64)>, Value) {
    let config = format!("[release]\nk = 10\nbreakdowns = [[\"os\"], [\"content\"]]\n{config}");
    let (output, ledger) = run(&config, format, lines);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(ledger["balanced"], true, "{ledger}");
    assert_eq!(ledger["beacons"]["read"], lines.len(), "{ledger}");
    let rows = String::from_utf8(output.stdout).expect("UTF-8");
    let rows = rows.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let rows = rows.filter(|row| row["breakdown"] == json!(["os"])).map(|row| {
        let window = (row["window"]["start"].as_u64().expect("a time") - START) / 60_000;
        (
            row["tenant"].as_str().expect("a name").to_owned(),
            window,
            row["sessions"].as_u64().expect("a count"),
        )
    });
    (rows.collect(), ledger["beacons"].clone())
}

/// Returns a heartbeat that is sent `at` milliseconds after `START`, with the fields in `more`.
fn beacon(session: &str, at: u64, more: Value) -> Value {
    let mut beacon = json!({"ts": START + at, "session": session, "event": "heartbeat", "os": "Windows", "content": "movie"});
    let more = more.as_object().expect("an object").clone();
    beacon.as_object_mut().expect("an object").extend(more);
    beacon
}

/// Returns one heartbeat for each of twelve sessions.
fn crowd(at: u64) -> impl Iterator<Item = String> {
    (0..12).map(move |nth| beacon(&format!("crowd-{nth}"), at, json!({})).to_string())
}

/// Returns a captured request that contains one beacon.
fn request(session: &str, at: u64, headers: Value) -> String {
    let body = beacon(session, at, json!({})).to_string();
    json!({"received_at_ms": START + at, "client_ip": "203.0.113.9", "headers": headers, "body": body})
        .to_string()
}

fn one(tenant: &str, window: u64, sessions: u64) -> (String, u64, u64) {
    (tenant.to_owned(), window, sessions)
}

#[test]
fn opted_out_session_is_removed_from_open_windows_and_counts_again_after_the_idle_timeout() {
    let line = |at: u64, opt_out: bool| beacon("leaver", at, json!({"opt_out": opt_out})).to_string();
    let mut lines = Vec::new();
    for minute in 0..4 {
        lines.extend(crowd(minute * 60_000 + 5_000));
        // The session sends a beacon without an opt-out in each minute. In the first minute, it also opts out in one
        // beacon, 20 s after the start.
        lines.push(line(minute * 60_000 + 6_000, false));
        if minute == 0 {
            lines.extend([line(15_000, false), line(20_000, true), line(30_000, false)]);
        }
    }
    let (rows, ledger) = folded("", "json", &lines);
    // The opt-out applies for sessions.idle_timeout, which is 90 s. So the session counts again from the third minute
    // on.
    assert_eq!(
        rows,
        [one("default", 0, 12), one("default", 1, 12), one("default", 2, 13), one("default", 3, 13)]
    );
    assert_eq!(
        ledger["opted_out"], 5,
        "the opt-out, two beacons before it and two beacons after it: {ledger}"
    );
    assert_eq!(ledger["released"], lines.len() - 5);
}

#[test]
fn opt_out_does_not_change_the_rows_of_windows_that_are_already_closed() {
    let line = |at: u64, opt_out: bool| beacon("leaver", at, json!({"opt_out": opt_out})).to_string();
    let mut lines: Vec<_> = crowd(5_000).collect();
    lines.push(line(6_000, false));
    // The watermark is 30 s behind these beacons, so the first window closes before the opt-out.
    lines.extend(crowd(95_000));
    lines.push(line(96_000, true));
    let (rows, ledger) = folded("", "json", &lines);
    assert_eq!(rows, [one("default", 0, 13), one("default", 1, 12)]);
    assert_eq!(ledger["opted_out"], 1);
}

#[test]
fn gpc_or_dnt_header_opts_a_session_out_unless_the_configuration_disables_it() {
    let mut lines: Vec<_> = (0..12).map(|nth| request(&format!("crowd-{nth}"), 5_000, json!({}))).collect();
    lines.push(request("gpc", 5_000, json!({"Sec-GPC": "1"})));
    lines.push(request("dnt", 5_000, json!({"DNT": 1})));
    lines.push(request("neither", 5_000, json!({"Sec-GPC": "0", "DNT": "0"})));
    // An earlier request has opted this session out.
    lines.push(request("gpc", 7_000, json!({})));
    for (config, sessions, opted_out) in [
        ("", 13, 3),
        ("[consent]\ngpc = false\n", 14, 1),
        ("[consent]\ndnt = false\n", 14, 2),
        ("[consent]\ngpc = false\ndnt = false\n", 15, 0),
    ] {
        let (rows, ledger) = folded(config, "capture", &lines);
        assert_eq!(rows, [one("default", 0, sessions)], "{config}");
        assert_eq!(ledger["opted_out"], opted_out, "{config}");
    }
}

#[test]
fn beacons_of_child_directed_tenants_and_content_are_excluded() {
    let mut lines: Vec<_> = crowd(5_000).collect();
    lines.extend(
        (0..15).map(|nth| beacon(&format!("kid-{nth}"), 5_000, json!({"tenant": "kids"})).to_string()),
    );
    lines.extend(
        (0..15).map(|nth| beacon(&format!("toon-{nth}"), 5_000, json!({"content": CANARY})).to_string()),
    );
    let config = |rest: &str| format!("[tenants]\nnames = [\"default\", \"kids\"]\n{rest}");
    let marked = format!("[consent.child_directed]\ntenants = [\"kids\"]\ncontent = [\"{CANARY}\"]\n");
    let (rows, ledger) = folded(&config(&marked), "json", &lines);
    assert_eq!(rows, [one("default", 0, 12)]);
    assert_eq!(ledger["excluded"], 30);
    let (rows, ledger) = folded(&config(""), "json", &lines);
    assert_eq!(rows, [one("default", 0, 27), one("kids", 0, 15)], "without the setting, all are counted");
    assert_eq!(ledger["excluded"], 0);
}

#[test]
fn beacons_of_bots_are_excluded_only_if_configured() {
    let bot =
        json!({"user_agent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"});
    let mut lines: Vec<_> = crowd(5_000).collect();
    lines.push(beacon("spider", 5_000, bot).to_string());
    lines.push(beacon("robot", 5_000, json!({"device": "bot"})).to_string());
    let (rows, ledger) = folded("[consent]\ndrop_bots = true\n", "json", &lines);
    assert_eq!((rows, &ledger["excluded"]), (vec![one("default", 0, 12)], &json!(2)));
    let (rows, ledger) = folded("", "json", &lines);
    assert_eq!((rows, &ledger["excluded"]), (vec![one("default", 0, 14)], &json!(0)));
}

#[test]
fn content_is_in_no_row_if_content_policy_is_drop() {
    let lines: Vec<_> = (0..12)
        .map(|nth| beacon(&format!("crowd-{nth}"), 5_000, json!({"content": CANARY})).to_string())
        .collect();
    let rows = |config: &str| {
        let (output, _) = run(&format!("[release]\nk = 10\n{config}"), "json", &lines);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let kept = rows("breakdowns = [[\"os\"], [\"stream\", \"content\"]]\n");
    assert!(kept.contains(CANARY), "by default, a title with enough sessions is published: {kept}");
    let dropped = rows("breakdowns = [[\"os\"], [\"stream\"]]\n[content]\npolicy = \"drop\"\n");
    assert!(!dropped.is_empty() && !dropped.contains(CANARY), "{dropped}");
    refused("[content]\npolicy = \"drop\"\n", &["content.policy", "names content", "remove content there"]);
}

#[test]
fn breakdown_of_content_by_region_network_or_asn_is_refused_unless_allowed() {
    for dimension in ["region", "asn", "network"] {
        let config = format!(
            "[address]\npolicy = \"truncate\"\n[release]\nk = 10\nbreakdowns = [[\"country\", \"{dimension}\", \"content\"]]\n"
        );
        refused(&config, &["release.breakdowns", dimension, "content.allow_below_place = true"]);
        let (output, _) = run(&format!("{config}[content]\nallow_below_place = true\n"), "json", &[]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

fn refused(config: &str, words: &[&str]) {
    let (output, _) = run(config, "json", &[]);
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{error}");
    for word in words {
        assert!(error.contains(word), "{word:?} is not in {error}");
    }
}

/// The opt-out without a usable time takes effect at the time of the line before it, and expires 90 seconds later. Later
/// lines, and the division of the sessions among threads, must not change this.
#[test]
fn time_of_an_opt_out_without_a_time_does_not_depend_on_other_lines_or_threads() {
    let leaving = |at| beacon("leaving", at, json!({})).to_string();
    let opt_out = r#"{"ts":"soon","session":"leaving","opt_out":true}"#.to_owned();
    for other in [30_000, 30_001, 90_000] {
        let mut lines = vec![leaving(0), opt_out.clone()];
        lines.extend((0..8).map(|nth| beacon(&format!("other-{nth}"), other, json!({})).to_string()));
        lines.extend([
            leaving(89_000),
            leaving(91_000),
            leaving(100_000),
            leaving(110_000),
            leaving(119_000),
        ]);
        let counts: Vec<_> = (1..=4)
            .map(|threads| folded(&format!("[worker]\nthreads = {threads}\n"), "json", &lines).1)
            .collect();
        assert!(counts.windows(2).all(|pair| pair[0] == pair[1]), "{other}: {counts:?}");
        assert_eq!(counts[0]["opted_out"], 2, "{other}: {counts:?}");
    }
}
