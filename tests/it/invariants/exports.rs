//! Invariant 12: exact counts of what was withheld or late are never exported, and nothing finer than what is promised.

use std::collections::BTreeMap;

use crowdfold_testkit::{Kafka, eventually};

use crate::worker::support::{Deployment, Worker, sleep, window_ago};

/// A crowd of so many: no count is a multiple of it by itself often.
const K: u64 = 7;

/// Every name a metric of ours may have, with every label; whoever adds one looks here whether it tells of persons.
const METRICS: [(&str, &[&str]); 19] = [
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

/// Those that count beacons, sessions or tenants' windows.
const OF_PERSONS: [&str; 7] = [
    "crowdfold_beacons_total",
    "crowdfold_clock_ahead_total",
    "crowdfold_fields_ignored_total",
    "crowdfold_lost_offsets_total",
    "crowdfold_rejected_total",
    "crowdfold_open_session_windows",
    "crowdfold_windows_total",
];

/// Every key of a row, by the page on interfaces.
const KEYS: [&str; 26] = [
    "attempts",
    "bandwidth_kbps",
    "beacons",
    "bitrate_kbps",
    "dimensions",
    "breakdown",
    "dropped_frames",
    "errors",
    "live_latency_ms",
    "playback_failures",
    "playing_ms",
    "plays",
    "policy",
    "row",
    "rows",
    "schema",
    "sessions",
    "stalled_ms",
    "stalls",
    "startup_failures",
    "startup_ms",
    "switches",
    "tenant",
    "window",
    "coverage",
    "detail",
];

/// Looks at a page; the values of those that count persons, by their line.
fn look(page: &str) -> BTreeMap<String, u64> {
    let mut values = BTreeMap::new();
    for line in page.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let (series, value) = line.rsplit_once(' ').unwrap();
        let (name, labels) = series.split_once('{').unwrap_or((series, ""));
        let (_, allowed) = METRICS.iter().find(|(known, _)| *known == name).unwrap_or_else(|| {
            panic!("{name} is new: does it tell an exact count of what was withheld or late?")
        });
        for label in labels.trim_end_matches('}').split("\",").filter(|label| !label.is_empty()) {
            let (label, _) = label.split_once('=').unwrap();
            assert!(allowed.contains(&label), "{line}: {label} is new");
        }
        if OF_PERSONS.contains(&name) {
            let value: f64 = value.parse().unwrap();
            assert_eq!(value as u64 % K, 0, "{line} is exact");
            values.insert(series.to_owned(), value as u64);
        }
    }
    values
}

#[test]
fn invariant_12_exact_counts_of_what_was_withheld_or_late_are_never_exported() {
    let mut deployment = Deployment::new(Kafka::shared());
    deployment.rules.k = K;
    // so some session summaries are still open at the end and show in the gauge
    deployment.set("source.idle_timeout", "\"10s\"");
    // the last of them are no crowds
    deployment.rules.tenants.extend((4..=9).map(|rank| format!("tenant-{rank}")));
    let deployment = deployment.with_topics();
    let log = deployment.players(31, 100, window_ago(2_000, 90_000), 60_000);
    let outcome = deployment.evaluate(&log);
    deployment.produce(&log);
    let worker = Worker::start_with(&deployment, "a", &["--log-level", "debug"]);
    let last = deployment.last_end(&outcome);
    let mut pages = Vec::new();
    eventually("all is committed", || {
        pages.push(worker.get("/metrics").1);
        deployment.is_committed(last).then_some(())
    });
    // the counters are written every second, those of the merger last
    let beacons = &outcome.ledger.beacons;
    let windows = outcome.ledger.windows.withheld;
    let counters = [
        ("beacons_total{outcome=\"withheld\"}", beacons.withheld),
        ("beacons_total{outcome=\"late\"}", beacons.late),
        ("beacons_total{outcome=\"released\"}", beacons.released),
        ("windows_total{outcome=\"withheld\"}", windows),
    ];
    eventually("the counters are written", || {
        let is_written = |(name, exact): &(&str, u64)| {
            worker.metric(&format!("crowdfold_{name}")) >= Some(exact - exact % K)
        };
        counters.iter().all(is_written).then_some(())
    });
    sleep(1_500); // the next writing does not change them
    pages.push(worker.get("/metrics").1);
    let values: Vec<_> = pages.iter().map(|page| look(page)).collect();

    // floored, and not by being 0
    for (name, exact) in counters {
        let exported = values.last().unwrap()[&*format!("crowdfold_{name}")];
        assert_eq!(exported, exact - exact % K, "{name}");
    }
    let exact = [beacons.withheld, beacons.late, outcome.ledger.session_windows.withheld, windows];
    let shows = exact.iter().all(|exact| *exact > K) && exact.iter().any(|exact| exact % K != 0);
    assert!(shows, "{exact:?} would not show it");
    assert!(
        values.iter().any(|page| page.get("crowdfold_open_session_windows").is_some_and(|open| *open > 0))
    );

    // nothing by tenant or window
    for tenant in &deployment.rules.tenants {
        assert!(pages.iter().all(|page| !page.contains(tenant.as_str())), "{tenant} is on /metrics");
    }
    for row in deployment.rows("read_committed") {
        let row = row.json.as_object().unwrap();
        let strange: Vec<_> = row.keys().filter(|key| !KEYS.contains(&key.as_str())).collect();
        assert!(strange.is_empty(), "{strange:?} of a row is new: does it tell what was withheld?");
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
