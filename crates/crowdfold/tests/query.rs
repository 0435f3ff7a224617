//! Tests of `query`, with librdkafka's mock broker in this process.

use std::process::{Command, Output};
use std::time::Duration;

use crowdfold_testkit::rows::IN_DETAIL_ONLY;
use rdkafka::ClientConfig;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseProducer, BaseRecord, DefaultProducerContext, Producer as _};
use serde_json::{Value, json};

struct Cluster(MockCluster<'static, DefaultProducerContext>);

impl Cluster {
    fn new() -> Self {
        let cluster = MockCluster::new(1).expect("a mock cluster");
        cluster.create_topic("crowdfold.rollups", 2, 1).expect("a topic");
        Self(cluster)
    }

    fn write(&self, records: &[String]) {
        let mut config = ClientConfig::new();
        let producer: BaseProducer =
            config.set("bootstrap.servers", self.0.bootstrap_servers()).create().expect("a producer");
        for record in records {
            let record = BaseRecord::<(), str>::to("crowdfold.rollups").partition(0).payload(record);
            producer.send(record).map_err(|(error, _)| error).expect("room");
        }
        producer.flush(Duration::from_secs(120)).expect("records are taken");
    }

    fn query(&self, arguments: &[&str]) -> Output {
        query(&self.0.bootstrap_servers(), arguments)
    }
}

fn query(brokers: &str, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_crowdfold"))
        .args(["query", "--brokers", brokers])
        .args(arguments)
        .env_clear()
        .output()
        .expect("the program runs")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("UTF-8")
}

/// Returns the rows of a detail table, two in each of two windows.
fn rollups() -> Vec<String> {
    let mut rollups = Vec::new();
    for minute in [100_u64, 101] {
        for (row, (os, browser, sessions)) in
            [("Windows", "Chrome", 900), ("*", "*", 113)].into_iter().enumerate()
        {
            let summary =
                json!({"sessions": 0, "sum": 0, "p50": null, "p90": null, "p95": null, "p99": null});
            rollups.push(
                json!({
                    "schema": "crowdfold.rollup/1", "tenant": "default",
                    "window": {"start": minute * 60_000, "end": (minute + 1) * 60_000},
                    "breakdown": ["os", "browser"], "detail": true, "dimensions": {"os": os, "browser": browser},
                    "row": row + 1, "rows": 2, "sessions": sessions, "beacons": 5400, "attempts": 20, "plays": 16,
                    "startup_failures": 2, "playback_failures": 1, "playing_ms": 48_600_000, "stalled_ms": 540_000,
                    "stalls": 90, "dropped_frames": 3, "switches": 5,
                    "switches_up": 0, "switches_down": 0, "seeks": 0, "seeking_ms": 0, "exits_before_start": 0, "good_sessions": 0,
                    "errors": {"network": 2},
                    "startup_ms": summary, "bandwidth_kbps": summary, "bitrate_kbps": summary,
                    "live_latency_ms": summary, "ttfb_ms": summary,
                    "policy": {"name": "threshold", "k": 50, "margin": 10, "noise": 8}
                })
                .to_string(),
            );
        }
    }
    rollups
}

#[test]
fn query_filters_groups_and_adds_up_rows() {
    let cluster = Cluster::new();
    cluster.write(&rollups());
    let output = cluster.query(&["--breakdown", "os,browser", "--by", "os"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(
        text(&output.stdout),
        "os       session_windows  peak   mean  plays  minutes  rebuffering  stalls/h     vsf    ebvs    vpf   good\n\
         Windows             1800   900  900.0     32   1620.0        1.10%      6.67  10.00%  10.00%  6.25%  0.00%\n\
         *                    226   113  113.0     32   1620.0        1.10%      6.67  10.00%  10.00%  6.25%  0.00%\n"
    );
    assert_eq!(
        text(&output.stderr),
        "crowdfold: answered from the detail table os,browser: all numbers are exact\ncrowdfold: session_windows \
         counts a session once per window, so it is not a number of people\ncrowdfold: good is the share of sessions \
         that started within 2 s, stalled for at most 1 % of the time and had no failure ([quality])\n"
    );

    let output = cluster.query(&["--where", "os=Windows", "--every", "1m", "--format", "json"]);
    let lines: Vec<Value> =
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines.iter().map(|line| &line["sessions"]).collect::<Vec<_>>(), [900, 900]);
    assert!(text(&output.stderr).contains("crowdfold: folded: 226 "), "{}", text(&output.stderr));

    let output = cluster.query(&["--format", "csv"]);
    assert!(text(&output.stdout).contains(",1970-01-01T01:42:00Z,os.browser,exact,2,2026,"));
}

/// The fields that are null if only session counts are published. The fields in `IN_DETAIL_ONLY` are null too.
const NUMBERS: [&str; 14] = [
    "beacons",
    "attempts",
    "plays",
    "startup_failures",
    "playback_failures",
    "playing_ms",
    "stalled_ms",
    "stalls",
    "dropped_frames",
    "switches",
    "errors",
    "startup_ms",
    "bandwidth_kbps",
    "bitrate_kbps",
];

/// Returns the rows of [`rollups`] in the form that rows have outside the detail table. Without noise, they contain
/// only session counts.
fn outside_the_detail_table(with_noise: bool) -> Vec<String> {
    let row = |text: String| {
        let mut row: Value = serde_json::from_str(&text).expect("JSON");
        row["detail"] = false.into();
        row["beacons"] = Value::Null;
        row["stalled_ms"] = (-31_000).into();
        row["errors"] = json!({"network": 2, "manifest": 0, "media": -7, "drm": 1, "timeout": 0, "other": 3});
        for name in ["startup_ms", "bandwidth_kbps", "bitrate_kbps"] {
            row[name] = json!({"sum": 400_000});
        }
        for name in IN_DETAIL_ONLY {
            row[name] = Value::Null;
        }
        if !with_noise {
            for name in NUMBERS.into_iter().chain(IN_DETAIL_ONLY) {
                row[name] = Value::Null;
            }
        }
        row.to_string()
    };
    rollups().into_iter().map(row).collect()
}

#[test]
fn noisy_rows_are_added_up_and_printed_with_their_standard_error() {
    let cluster = Cluster::new();
    cluster.write(&outside_the_detail_table(true));
    let output = cluster.query(&["--by", "os", "--errors"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(
        text(&output.stdout),
        "os       session_windows  peak   mean     plays       minutes    stalls/h   bandwidth    bitrate\n\
         Windows             1800   900  900.0  32 ±11.3  1620.0 ±11.3  6.67 ±1.26   444 ± 189   444 ± 63\n\
         *                    226   113  113.0  32 ±11.3  1620.0 ±11.3  6.67 ±1.26  3540 ±1502  3540 ±501\n"
    );
    let stderr = text(&output.stderr);
    for note in [
        "answered from os,browser: session counts are exact, every other number carries noise",
        "some sums are below 0 because their noise is larger than the value (marked ? in a table",
        "some ratios are left empty because their denominator is less than 5 standard deviations of its noise",
    ] {
        assert!(stderr.contains(&format!("crowdfold: {note}")), "{stderr}");
    }
    let output = cluster.query(&["--by", "os", "--format", "json"]);
    let line = text(&output.stdout).lines().next().expect("a line");
    let line: Value = serde_json::from_str(line).expect("JSON");
    assert_eq!((&line["numbers"], &line["tables"]), (&json!("noisy"), &json!(["os.browser"])));
    assert_eq!(
        (&line["below_zero"], &line["stalled_ms"]),
        (&json!(["stalled_ms", "errors.media"]), &json!(-62_000))
    );
    // The noise is 8, the clamp of a play is 1, and two windows are added. This gives 8 · 1 · √2.
    assert_eq!(line["standard_error"]["plays"], 11.3);
}

#[test]
fn query_prints_the_reason_and_the_fix_if_rows_have_only_session_counts() {
    let cluster = Cluster::new();
    cluster.write(&outside_the_detail_table(false));
    let output = cluster.query(&[]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(
        text(&output.stdout),
        "session_windows  peak    mean  rebuffering  startup_ms  bandwidth\n           2026  1013  1013.0            -           -          -\n"
    );
    assert!(
        text(&output.stderr).starts_with(
            "crowdfold: answered from os,browser: only session counts are published there, because the publisher has no \
             secret to draw noise with; set release.privacy.secret_file for the worker\n"
        ),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn totals_come_from_the_detail_table_unless_a_breakdown_is_given() {
    let cluster = Cluster::new();
    let detail =
        rollups().into_iter().map(|row| row.replace("[\"os\",\"browser\"]", "[\"player\",\"stream\"]"));
    let detail =
        detail.map(|row| row.replace("\"os\":", "\"player\":").replace("\"browser\":", "\"stream\":"));
    let rows: Vec<_> = outside_the_detail_table(true).into_iter().chain(detail).collect();
    cluster.write(&rows);
    let output = cluster.query(&["--format", "csv"]);
    assert!(text(&output.stdout).contains(",player.stream,exact,2,2026,"), "{}", text(&output.stdout));
    assert!(
        text(&output.stderr)
            .starts_with("crowdfold: answered from the detail table player,stream: all numbers are exact\n"),
        "{}",
        text(&output.stderr)
    );
    let output = cluster.query(&["--breakdown", "os,browser", "--format", "csv"]);
    assert!(text(&output.stdout).contains(",os.browser,noisy,2,"), "{}", text(&output.stdout));
}

#[test]
fn query_without_rollups_prints_an_empty_table_and_a_note() {
    let cluster = Cluster::new();
    for (format, expect) in [("table", 1), ("csv", 1), ("json", 0)] {
        let output = cluster.query(&["--breakdown", "os,browser", "--format", format]);
        assert_eq!(output.status.code(), Some(0));
        assert_eq!(text(&output.stdout).lines().count(), expect, "{format}");
        assert_eq!(
            text(&output.stderr),
            "crowdfold: nothing was published: no rollups in crowdfold.rollups\n"
        );
    }
}

#[test]
fn invalid_query_is_a_usage_error() {
    let cluster = Cluster::new();
    cluster.write(&rollups());
    for (arguments, expect) in [
        (
            &["--breakdown", "os,browser", "--by", "browser"][..],
            "--by browser is not a prefix of breakdown os,browser",
        ),
        (
            &["--by", "browser"],
            "none of the published breakdowns has all dimensions of the query; choose one with --breakdown \
             (os,browser)",
        ),
        (&["--breakdown", "os,colour"], "--breakdown: \"colour\" is not a dimension"),
    ] {
        let output = cluster.query(arguments);
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(2), ""), "{arguments:?}");
        let stderr = text(&output.stderr);
        assert!(stderr.starts_with(&format!("crowdfold: {expect}")), "{stderr}");
    }
    let output = cluster.query(&["--breakdown", "os"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(
        text(&output.stderr).contains("no table os was published: there are os,browser"),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn query_of_a_missing_topic_exits_with_1_and_names_the_topic() {
    let cluster = MockCluster::new(1).expect("a mock cluster");
    let output = query(&cluster.bootstrap_servers(), &[]);
    assert_eq!(output.status.code(), Some(1));
    let stderr = text(&output.stderr);
    assert!(stderr.contains("topic crowdfold.rollups does not exist"), "{stderr}");
}

/// Returns the rollups that `fold` computes for twelve minutes of synthetic players.
fn folded(with_secret: bool) -> Vec<String> {
    let directory = tempfile::tempdir().expect("a directory");
    let path = |name: &str| directory.path().join(name);
    std::fs::write(path("secret"), "5e".repeat(32)).expect("a file");
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_crowdfold"));
        command.args(arguments).current_dir(directory.path()).env_clear();
        if with_secret {
            command.env("CROWDFOLD_RELEASE__PRIVACY__SECRET_FILE", path("secret"));
        }
        let output = command.output().expect("the program runs");
        assert!(output.status.success(), "{}", text(&output.stderr));
    };
    run(&["generate", "--sessions", "3000", "--seed", "11", "--for", "12m", "--output", "beacons.ndjson"]);
    run(&["fold", "--output", "rollups.ndjson", "beacons.ndjson"]);
    let rollups = std::fs::read_to_string(path("rollups.ndjson")).expect("rollups");
    rollups.lines().map(String::from).collect()
}

/// Runs a query that must print one line. Returns the line as JSON.
fn total(cluster: &Cluster, arguments: &[&str]) -> Value {
    let output = cluster.query(&[&["--format", "json"], arguments].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let lines: Vec<_> = text(&output.stdout).lines().collect();
    assert_eq!(lines.len(), 1, "{lines:?}");
    serde_json::from_str(lines[0]).expect("JSON")
}

#[test]
fn totals_of_noisy_tables_differ_from_exact_totals_only_within_their_errors() {
    let cluster = Cluster::new();
    cluster.write(&folded(true));
    let exact = total(&cluster, &[]);
    assert_eq!((&exact["numbers"], &exact["tables"]), (&json!("exact"), &json!(["cdn.connection"])));
    for table in ["country,asn", "device,os,browser", "stream,format,content"] {
        let noisy = total(&cluster, &["--breakdown", table, "--by", ""]);
        assert_eq!(
            (&noisy["numbers"], &noisy["session_windows"]),
            (&json!("noisy"), &exact["session_windows"])
        );
        for name in [
            "/attempts",
            "/plays",
            "/startup_failures",
            "/playback_failures",
            "/playing_ms",
            "/stalled_ms",
            "/stalls",
            "/dropped_frames",
            "/switches",
            "/errors/network",
            "/startup_ms/sum",
            "/bandwidth_kbps/sum",
            "/bitrate_kbps/sum",
            "/rebuffering_ratio",
            "/bandwidth_kbps/mean",
        ] {
            let number = |line: &Value, at: &str| {
                line.pointer(at).and_then(Value::as_f64).unwrap_or_else(|| panic!("{at} is not a number"))
            };
            let (truth, shown) = (number(&exact, name), number(&noisy, name));
            let error = number(&noisy, &format!("/standard_error{name}"));
            assert!(error > 0.0 && number(&exact, &format!("/standard_error{name}")) == 0.0, "{name}");
            // Clamps and the contribution budget reduce a sum by up to a tenth. Bandwidth is reduced more, because many
            // of these players have more than 30,000 kbit/s, which is the clamp of bandwidth.
            let kept = if name.starts_with("/bandwidth") { 0.6 } else { 0.9 };
            let least = kept * truth - 4.0 * error;
            assert!(
                (least..truth + 4.0 * error).contains(&shown),
                "{table}{name}: {shown} ±{error} of {truth}"
            );
        }
    }
}

#[test]
fn without_a_secret_only_the_detail_table_has_numbers() {
    let cluster = Cluster::new();
    cluster.write(&folded(false));
    let exact = total(&cluster, &[]);
    assert_eq!((&exact["numbers"], exact["plays"].is_u64()), (&json!("exact"), true));
    let counts = total(&cluster, &["--breakdown", "device,os,browser", "--by", ""]);
    assert_eq!((&counts["numbers"], &counts["plays"]), (&json!("counts_only"), &Value::Null));
    assert_eq!(counts["session_windows"], exact["session_windows"]);
}
