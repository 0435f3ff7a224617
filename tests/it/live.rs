//! Tests with real players in a real browser. hls.js, dash.js and Shaka Player in Chromium play streams that stall,
//! fail or are slow, and send their reports to `crowdfold collect`. Each page measures its playback. The published rows
//! must agree with these measurements.

mod attempts;
mod browser;
mod comparison;
mod gaps;
mod latency;
mod published;
mod scenario;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use crowdfold_testkit::Kafka;
use serde_json::Value;

use crate::worker::support::{Deployment, Worker, now};
use attempts::Attempt;
use published::Published;
use scenario::{Scenario, TENANT};

#[test]
fn published_rows_agree_with_the_measurements_of_the_pages() {
    let mut deployment = Deployment::new(Kafka::shared());
    deployment.rules.tenants = vec![TENANT.into()];
    deployment.rules.default_tenant = TENANT.into();
    deployment.rules.window = 10_000;
    // This lateness is long enough for reports that a busy machine delays.
    deployment.rules.lateness = attempts::LATENESS_MS;
    deployment.rules.idle = 60_000;
    deployment.rules.k = 1;
    // The last breakdown is the detail table, which has exact numbers.
    deployment.rules.breakdowns = [["device", "os", "browser"], ["stream", "format", "content"]]
        .map(|names| names.map(Into::into).to_vec())
        .to_vec();
    deployment.set("collect.listen", "\"127.0.0.1:0\"");
    let deployment = deployment.with_topics();
    let worker = Worker::start(&deployment, "a");
    worker.await_ready();
    let collector = Worker::collect(&deployment, "collector");

    let attempts = attempts::play(&format!("http://{}", collector.intake_address()), Scenario::ALL);
    deployment.await_committed(now());
    let rows: Vec<Value> = deployment.rows("read_committed").into_iter().map(|row| row.json).collect();
    let published = published::by_content(&rows);

    let mut failures = String::new();
    for scenario in Scenario::ALL {
        let attempt = Attempt::to_compare(&attempts, scenario);
        let published = published.get(&attempt.content).cloned().unwrap_or_default();
        eprintln!("{}", comparison::summary(attempt, &published));
        let found = comparison::differences(attempt, &published);
        if !found.is_empty() {
            writeln!(
                failures,
                "{}: {}\n  disturbed: {:?}\n  page {}\n  published {published:?}",
                attempt.content,
                found.join("; "),
                attempt.disturbances,
                attempt.seen(),
            )
            .unwrap();
        }
    }
    assert!(failures.is_empty(), "{failures}");
    assert_no_report_was_refused(&attempts);
    assert_only_played_content_is_published(&published, &attempts);
    assert_nothing_personal_is_published(&rows, &attempts);
    assert_all_devices_are(&rows, ["desktop", "Linux", "Chromium"]);
}

/// Asserts that the collector refused no report. On a busy machine, a report may have no response (status 0 here) or
/// the status 503.
fn assert_no_report_was_refused(attempts: &[Attempt]) {
    for attempt in attempts {
        for report in attempt.reports() {
            let allowed = [0, 204, 503].map(Value::from).contains(&report["status"]);
            assert!(allowed, "{}: the collector refused {report}", attempt.content);
        }
    }
}

/// Asserts that each published content id was played.
fn assert_only_played_content_is_published(published: &BTreeMap<String, Published>, attempts: &[Attempt]) {
    let played: BTreeSet<_> = attempts.iter().map(|attempt| &attempt.content).collect();
    let others: Vec<_> = published.keys().filter(|content| !played.contains(content)).collect();
    assert!(others.is_empty(), "content ids that were not played: {others:?}");
}

/// Asserts that no row contains a session id, an address or a user agent.
fn assert_nothing_personal_is_published(rows: &[Value], attempts: &[Attempt]) {
    let sent: Vec<&Value> = attempts.iter().flat_map(Attempt::reports).collect();
    let sent = serde_json::to_string(&sent).unwrap().replace("%22", "\"");
    // All of these players use UUIDs as session ids.
    let is_id = |word: &&str| word.len() == 36 && word.bytes().filter(|byte| *byte == b'-').count() == 4;
    let ids: BTreeSet<&str> =
        sent.split(|letter: char| !letter.is_ascii_hexdigit() && letter != '-').filter(is_id).collect();
    assert!(ids.len() >= Scenario::ALL.len(), "{} session ids in the reports", ids.len());
    let rows = serde_json::to_string(rows).unwrap();
    for word in ids.into_iter().chain(["127.0.0.1", "Mozilla", "Headless"]) {
        assert!(!rows.contains(word), "{word} was published");
    }
}

/// Asserts that all rows have the same device, operating system and browser.
fn assert_all_devices_are(rows: &[Value], [device, os, browser]: [&str; 3]) {
    let devices: BTreeSet<String> = rows
        .iter()
        .filter(|row| row["dimensions"]["device"].is_string())
        .map(|row| row["dimensions"].to_string())
        .collect();
    let expected = serde_json::json!({ "device": device, "os": os, "browser": browser }).to_string();
    assert_eq!(devices, BTreeSet::from([expected]));
}

#[test]
fn guide_shows_the_player_settings_that_the_pages_use() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let guide = std::fs::read_to_string(root.join("docs/guides/players.md")).unwrap();
    for player in ["hls.js", "dash.js", "shaka.js"] {
        let file = std::fs::read_to_string(root.join("deploy/players").join(player)).unwrap();
        assert!(guide.contains(&format!("```js\n{file}```\n")), "deploy/players/{player}");
        let page = std::fs::read_to_string(root.join("tests/live/pages").join(player)).unwrap();
        assert!(
            page.contains(&format!("import {{ reporting }} from \"/deploy/players/{player}\"")),
            "{player}"
        );
    }
}
