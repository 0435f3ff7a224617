//! Tests of invariant 12. Exact counts of withheld or late items are never exported, and metrics and rows have no other
//! fields than the documented ones.

use std::collections::BTreeMap;

use crowdfold_testkit::{Kafka, eventually};

use crate::worker::support::{Deployment, Worker, sleep, window_ago};

/// The k of the test. It is a prime number, because exact counts are then rarely multiples of k by chance.
const K: u64 = 7;

/// The names of all metrics, each with its labels. Before a new metric is added here, check that it is not an exact
/// count of withheld or late items.
const METRICS: [(&str, &[&str]); 20] = [
    ("crowdfold_absent_paths", &[]),
    ("crowdfold_alarms_total", &["kind"]),
    ("crowdfold_beacons_total", &["outcome"]),
    ("crowdfold_fields_ignored_total", &["field"]),
    ("crowdfold_freshness_seconds_bucket", &["le"]),
    ("crowdfold_freshness_seconds_count", &[]),
    ("crowdfold_freshness_seconds_sum", &[]),
    ("crowdfold_ledger_balanced", &["stage"]),
    ("crowdfold_clock_ahead_total", &[]),
    ("crowdfold_lost_offsets_total", &[]),
    ("crowdfold_rejected_total", &["reason"]),
    ("crowdfold_rollups_total", &["breakdown"]),
    ("crowdfold_open_session_windows", &[]),
    ("crowdfold_transaction_seconds_bucket", &["stage", "le"]),
    ("crowdfold_transaction_seconds_count", &["stage"]),
    ("crowdfold_transaction_seconds_sum", &["stage"]),
    ("crowdfold_ttl_bound_seconds", &["topic", "kind"]),
    ("crowdfold_ttl_headroom_seconds", &["topic"]),
    ("crowdfold_watermark_lag_seconds", &["partition"]),
    ("crowdfold_windows_total", &["outcome"]),
];

/// The metrics that count beacons, sessions or windows. Their values must be rounded down to multiples of k.
const OF_PERSONS: [&str; 7] = [
    "crowdfold_beacons_total",
    "crowdfold_clock_ahead_total",
    "crowdfold_fields_ignored_total",
    "crowdfold_lost_offsets_total",
    "crowdfold_rejected_total",
    "crowdfold_open_session_windows",
    "crowdfold_windows_total",
];

/// The names of the fields of a row, according to docs/reference/rollup.md.
const KEYS: [&str; 33] = [
    "attempts",
    "bandwidth_kbps",
    "beacons",
    "bitrate_kbps",
    "dimensions",
    "breakdown",
    "dropped_frames",
    "errors",
    "exits_before_start",
    "good_sessions",
    "live_latency_ms",
    "playback_failures",
    "playing_ms",
    "plays",
    "policy",
    "row",
    "rows",
    "schema",
    "seeking_ms",
    "seeks",
    "sessions",
    "stalled_ms",
    "stalls",
    "startup_failures",
    "startup_ms",
    "switches",
    "switches_down",
    "switches_up",
    "tenant",
    "ttfb_ms",
    "window",
    "coverage",
    "detail",
];

/// Asserts that a page of `/metrics` has only known metrics and labels, and no exact counts. Returns the values of the
/// metrics in `OF_PERSONS`, by name and labels.
fn look(page: &str) -> BTreeMap<String, u64> {
    let mut values = BTreeMap::new();
    for line in page.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let (series, value) = line.rsplit_once(' ').unwrap();
        let (name, labels) = series.split_once('{').unwrap_or((series, ""));
        let (_, allowed) = METRICS.iter().find(|(known, _)| *known == name).unwrap_or_else(|| {
            panic!("the metric {name} is new; check that it is not an exact count of withheld or late items")
        });
        for label in labels.trim_end_matches('}').split("\",").filter(|label| !label.is_empty()) {
            let (label, _) = label.split_once('=').unwrap();
            assert!(allowed.contains(&label), "{line}: the label {label} is not in METRICS");
        }
        if OF_PERSONS.contains(&name) {
            let value: f64 = value.parse().unwrap();
            assert_eq!(value as u64 % K, 0, "{line} is not a multiple of k");
            values.insert(series.to_owned(), value as u64);
        }
    }
    values
}

#[test]
fn invariant_12_exact_counts_of_withheld_or_late_items_are_never_exported() {
    let mut deployment = Deployment::new(Kafka::shared());
    deployment.rules.k = K;
    // With this timeout, some windows are still open at the end. Therefore the gauge of open session-windows is not 0.
    deployment.set("source.idle_timeout", "\"10s\"");
    // The last tenants have too few sessions for a row.
    deployment.rules.tenants.extend((4..=9).map(|rank| format!("tenant-{rank}")));
    let deployment = deployment.with_topics();
    let log = deployment.players(31, 100, window_ago(2_000, 90_000), 60_000);
    let outcome = deployment.evaluate(&log);
    deployment.produce(&log);
    let worker = Worker::start_with(&deployment, "a", &["--log-level", "debug"]);
    let last = deployment.last_end(&outcome);
    let mut pages = Vec::new();
    eventually("all windows are committed", || {
        pages.push(worker.get("/metrics").1);
        deployment.is_committed(last).then_some(())
    });
    // The counters are updated every second. The test waits for the counters of the merger, which are updated last.
    let beacons = &outcome.ledger.beacons;
    let windows = outcome.ledger.windows.withheld;
    let counters = [
        ("beacons_total{outcome=\"withheld\"}", beacons.withheld),
        ("beacons_total{outcome=\"late\"}", beacons.late),
        ("beacons_total{outcome=\"released\"}", beacons.released),
        ("windows_total{outcome=\"withheld\"}", windows),
    ];
    eventually("the counters are updated", || {
        let is_written = |(name, exact): &(&str, u64)| {
            worker.metric(&format!("crowdfold_{name}")) >= Some(exact - exact % K)
        };
        counters.iter().all(is_written).then_some(())
    });
    // A further update must not change the counters.
    sleep(1_500);
    pages.push(worker.get("/metrics").1);
    let values: Vec<_> = pages.iter().map(|page| look(page)).collect();

    // The counters are the exact counts, rounded down to multiples of k.
    for (name, exact) in counters {
        let exported = values.last().unwrap()[&*format!("crowdfold_{name}")];
        assert_eq!(exported, exact - exact % K, "{name}");
    }
    let exact = [beacons.withheld, beacons.late, outcome.ledger.session_windows.withheld, windows];
    let shows = exact.iter().all(|exact| *exact > K) && exact.iter().any(|exact| exact % K != 0);
    assert!(
        shows,
        "the exact counts {exact:?} are too small or are all multiples of k, so they do not test the rounding"
    );
    assert!(
        values.iter().any(|page| page.get("crowdfold_open_session_windows").is_some_and(|open| *open > 0))
    );

    // No metric contains the name of a tenant.
    for tenant in &deployment.rules.tenants {
        assert!(pages.iter().all(|page| !page.contains(tenant.as_str())), "{tenant} is on /metrics");
    }
    for row in deployment.rows("read_committed") {
        let row = row.json.as_object().unwrap();
        let strange: Vec<_> = row.keys().filter(|key| !KEYS.contains(&key.as_str())).collect();
        assert!(
            strange.is_empty(),
            "the keys {strange:?} of a row are new; check that they do not reveal withheld items"
        );
    }
    let (status, log) = worker.terminate();
    assert!(status.success());
    let ours = log.lines().filter(|line| line.contains("crowdfold"));
    let words = ours.flat_map(|line| line.split(|letter: char| !letter.is_ascii_digit()));
    let numbers: Vec<u64> = words.filter_map(|word| word.parse().ok()).collect();
    for exact in exact.iter().filter(|exact| **exact > 1_000) {
        assert!(!numbers.contains(exact), "{exact} is in the log");
    }
}
