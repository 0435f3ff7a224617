//! Tests of `query` with files, rankings, comparisons and `--follow`.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crowdfold_testkit::rows::{MINUTE, table};
use rdkafka::ClientConfig;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use serde_json::Value;

#[expect(clippy::disallowed_methods, reason = "the program compares with its own clock")]
fn minutes_ago(minutes: u64) -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time after 1970").as_secs();
    now / 60 - minutes
}

/// Returns the rows of a table with two CDNs. In total, the sessions of the smaller CDN stalled for `stalled_ms`.
fn rollups(minute: u64, stalled_ms: u64) -> Vec<Value> {
    let mut rows = table(minute, "cdn", &[("cdn-a", 900), ("cdn-b", 100)]);
    rows[1]["stalled_ms"] = stalled_ms.into();
    rows
}

fn file(rows: &[Value]) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("rollups.ndjson");
    let lines: String = rows.iter().map(|row| format!("{row}\n")).collect();
    std::fs::write(&path, lines + "\nnot a rollup\n").expect("a file");
    (directory, path)
}

fn query(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_crowdfold"))
        .arg("query")
        .args(arguments)
        .env_clear()
        .output()
        .expect("the program runs")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("UTF-8")
}

#[test]
fn rows_of_a_file_are_ranked_by_impact() {
    let (_directory, path) = file(&rollups(100, 600_000));
    let path = path.to_str().expect("UTF-8");
    let output = query(&["--file", path, "--by", "cdn", "--rank", "impact"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(
        text(&output.stdout),
        "tenant  cdn    sessions   share  rebuffering_ratio   impact\n\
         acme    cdn-b       100  10.00%             10.00%  +0.97pp\n\
         acme    cdn-a       900  90.00%              1.10%  -7.93pp\n"
    );
    assert!(text(&output.stderr).contains("skipped records that are not rollups: 1"));
    let markdown = query(&["--file", path, "--by", "cdn", "--format", "markdown"]);
    assert!(text(&markdown.stdout).starts_with("| cdn | sessions | "), "{}", text(&markdown.stdout));
}

#[test]
fn compared_periods_end_with_the_newest_published_window() {
    // The newest window of the later period began 4 minutes ago. So in the earlier period, the window of 63 minutes ago
    // is not compared.
    let rows = [(5, 60_000), (4, 60_000), (65, 120_000), (64, 120_000), (63, 900_000)];
    let rows: Vec<Value> =
        rows.into_iter().flat_map(|(ago, stalled)| rollups(minutes_ago(ago), stalled)).collect();
    let (_directory, path) = file(&rows);
    let path = path.to_str().expect("UTF-8");
    let output = query(&[
        "--file",
        path,
        "--by",
        "cdn",
        "--since",
        "10m",
        "--compare",
        "1h",
        "--metric",
        "stalled_ms",
        "--format",
        "json",
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let lines = text(&output.stdout).lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let line = lines.into_iter().find(|line| line["dimensions"]["cdn"] == "cdn-b").expect("a line");
    assert_eq!((&line["now"]["value"], &line["before"]["value"]), (&120_000.0.into(), &240_000.0.into()));
    assert_eq!(line["relative"], -0.5);
    assert!(text(&output.stderr).contains("crowdfold: compared: windows from "));
}

#[test]
fn impossible_combinations_of_flags_are_refused() {
    for (arguments, expected) in [
        (&["--compare", "1d"][..], "--since"),
        (&["--compare", "yesterday", "--since", "1h"], "neither a duration nor a time"),
        (&["--file", "-", "--follow"], "cannot be used with"),
        (&["--metric", "colour"], "not a metric; the metrics are sessions, "),
        (&["--rank", "impact", "--metric", "vsf,vpf", "--file", "/dev/null"], "--rank needs a single metric"),
        (&["--since", "1h", "--compare", "2999-01-01T00:00:00Z"], "give an earlier time"),
        (
            &["--metric", "vsf", "--file", "/dev/null"],
            "--metric has no effect without --rank or --compare; add --rank",
        ),
        (&["a.ndjson"], "unexpected argument a.ndjson; to read rollups from a file, write --file a.ndjson"),
        (&["--by", "cdn", "a.ndjson", "--rank", "impact"], "write --file a.ndjson"),
    ] {
        let output = query(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(text(&output.stderr).contains(expected), "{arguments:?}: {}", text(&output.stderr));
    }
    let missing = query(&["--file", "/nowhere/rollups.ndjson"]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(text(&missing.stderr).contains("cannot read /nowhere/rollups.ndjson"));
}

#[test]
fn note_contains_the_period_of_a_file_without_windows_in_the_queried_period() {
    let rows: Vec<Value> = [100, 101].into_iter().flat_map(|minute| rollups(minute, 0)).collect();
    let (_directory, path) = file(&rows);
    let path = path.to_str().expect("UTF-8");
    let output = query(&["--file", path, "--since", "1h"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let notes = text(&output.stderr);
    assert!(notes.contains(&format!("no window in {path} begins at or after 2")), "{notes}");
    let expected =
        "the windows cover the time from 1970-01-01T01:40:00Z to 1970-01-01T01:42:00Z; use a longer --since";
    assert!(notes.contains(expected) && !notes.contains("no published row matches"), "{notes}");
    // If the file has a window in the period, there is no such note.
    let (_directory, path) = file(&[rows, rollups(minutes_ago(4), 0)].concat());
    let output = query(&["--file", path.to_str().expect("UTF-8"), "--since", "1h"]);
    assert!(!text(&output.stderr).contains("the windows cover"), "{}", text(&output.stderr));
}

#[test]
fn follow_prints_the_rows_of_a_new_window() {
    let cluster = MockCluster::new(1).expect("a mock cluster");
    cluster.create_topic("crowdfold.rollups", 1, 1).expect("a topic");
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", cluster.bootstrap_servers())
        .create()
        .expect("a producer");
    let write = |minute: u64| {
        for row in rollups(minute, 0) {
            let payload = row.to_string();
            let record = BaseRecord::<(), str>::to("crowdfold.rollups").partition(0).payload(&payload);
            producer.send(record).map_err(|(error, _)| error).expect("room");
        }
        producer.flush(Duration::from_secs(120)).expect("records are taken");
    };
    write(100);
    let mut child = Command::new(env!("CARGO_BIN_EXE_crowdfold"))
        .args([
            "query",
            "--brokers",
            &cluster.bootstrap_servers(),
            "--follow",
            "--every",
            "1m",
            "--format",
            "json",
        ])
        .env_clear()
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program runs");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let mut next = || {
        let line = lines.next().expect("a line").expect("UTF-8");
        serde_json::from_str::<Value>(&line).expect("JSON")
    };
    assert_eq!(next()["from"], 100 * MINUTE);
    write(101);
    let second = next();
    assert_eq!((&second["from"], &second["sessions"]), (&(101 * MINUTE).into(), &1_000.into()));
    child.kill().expect("the program is ended");
    child.wait().expect("the program ends");
}
