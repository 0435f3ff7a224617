//! Tests of the path from beacons to rollups.

use std::collections::BTreeMap;
use std::process::Command;

use crowdfold_testkit::oracle::{Detail, Outcome, Record, TenantRules};
use crowdfold_testkit::{Kafka, binary, eventually, unique};
use serde_json::{Value, json};

use super::support::{Deployment, TENANTS, Worker, assert_same_rows, assert_side_by_side, now, window_ago};

#[test]
fn rollups_equal_the_oracle_row_for_row() {
    let mut deployment = Deployment::new(Kafka::shared());
    // The last tenants have too few sessions for a crowd.
    deployment.rules.tenants.extend((4..=8).map(|rank| format!("tenant-{rank}")));
    deployment.rules.k = 25;
    // Two tenants have their own policies.
    let own = |k, names: &[&[&str]]| {
        let breakdowns = names.iter().map(|names| names.iter().map(ToString::to_string).collect());
        TenantRules { k, breakdowns: breakdowns.collect(), detail: Detail::Last, margin: None }
    };
    deployment.rules.own.insert(TENANTS[1].into(), own(40, &[&["cdn", "os"], &["content"]]));
    deployment
        .rules
        .own
        .insert(TENANTS[2].into(), own(10, &[&["device", "os", "browser"], &["cdn", "connection"]]));
    deployment.set("tenants.attributes.acme.industry", "\"news\"");
    deployment.set("tenants.attributes.blip.industry", "\"news\"");
    deployment.set("tenants.attributes.tiny.industry", "\"sport\"");
    deployment.set("tenants.attributes.tenant-4.industry", "\"news\"");
    deployment.set("tenants.excluded_from_groupings", "[\"tenant-4\"]");
    let deployment = deployment.with_topics();
    let log = deployment.players(1, 400, window_ago(2_000, 90_000), 60_000);
    let outcome = deployment.evaluate(&log);
    let ledger = &outcome.ledger.beacons;
    assert!(
        ledger.late > 0 && ledger.duplicate > 0 && ledger.opted_out > 0 && ledger.withheld > 0,
        "{ledger:?}"
    );
    deployment.produce(&log);

    let worker = Worker::start(&deployment, "a");
    deployment.await_committed(deployment.last_end(&outcome));
    let expected = outcome.rollups(&deployment.rules);
    assert!(expected.len() > 500, "{} rows", expected.len());
    let rows = deployment.rows("read_committed");
    assert_same_rows(&rows, &expected);
    assert_side_by_side(&rows);
    grouped_by_industry(&deployment, &outcome);
    worker.await_ready();
    let (status, log) = worker.terminate();
    assert!(status.success(), "{status}: {log}");
}

/// Asserts that a query by an attribute of tenants returns the sums of the published rows of the tenants with each
/// value.
fn grouped_by_industry(deployment: &Deployment<'_>, outcome: &Outcome) {
    let mut expected = BTreeMap::<&str, u64>::new();
    for (key, rows) in outcome.tables.iter().filter(|(key, _)| key.breakdown == 0) {
        let industry = match key.tenant.as_str() {
            "acme" | "blip" => "news",
            "tiny" => "sport",
            "tenant-4" => continue,
            _ => "unknown",
        };
        *expected.entry(industry).or_default() += rows.iter().map(|row| row.cell.sessions).sum::<u64>();
    }
    assert!(expected.len() > 1 && expected["news"] > 0, "{expected:?}");
    let arguments = ["query", "--by", "industry", "--format", "json", "--config"];
    let output =
        Command::new(binary("crowdfold")).args(arguments).arg(deployment.config("query")).output().unwrap();
    let printed = String::from_utf8_lossy(&output.stderr);
    assert!(printed.contains("1 tenant opted out of groupings"), "{printed}");
    let lines: Vec<Value> =
        output.stdout.split(|b| *b == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect();
    let printed = lines.iter().map(|line| {
        (line["attributes"]["industry"].as_str().unwrap(), line["session_windows"].as_u64().unwrap())
    });
    assert_eq!(printed.collect::<BTreeMap<_, _>>(), expected);
}

/// The broker sets the timestamps. The idle timeout of the partitions closes the last windows. k is 1, so counters are
/// not rounded down and must balance exactly.
#[test]
fn windows_with_append_time_close_after_the_idle_timeout_and_every_beacon_is_counted() {
    let mut deployment = Deployment::new(Kafka::shared());
    deployment.set("source.trust_timestamps", "false");
    deployment.rules.k = 1;
    deployment.rules.lateness = 2_000;
    deployment.rules.max_skew = 2_000;
    let deployment = deployment.with_topics();
    let worker = Worker::start(&deployment, "a");
    worker.await_ready();
    let mut log = deployment.players(13, 150, now(), 9_000);
    // The clock of this player is an hour ahead.
    let (session, timestamp) = (unique("ahead"), Some(now()));
    let partition = deployment.partition_of(&session) as usize;
    log[partition].extend((0..3).map(|number| {
        let beacon = json!({"session": session, "ts": now() + 3_600_000 + number, "playing_ms": 100});
        Record { timestamp, payload: beacon.to_string().into_bytes() }
    }));
    deployment.produce_live(&log);

    // The input of the oracle is the same records with the timestamps of the broker.
    let mut log = vec![Vec::new(); deployment.partitions as usize];
    for record in deployment.records("beacons", "read_uncommitted") {
        log[record.partition as usize]
            .push(Record { timestamp: Some(record.timestamp as u64), payload: record.value });
    }
    let outcome = deployment.evaluate(&log);
    deployment.await_committed(deployment.last_end(&outcome));
    assert_same_rows(&deployment.rows("read_committed"), &outcome.rollups(&deployment.rules));

    let beacons = &outcome.ledger.beacons;
    assert!(
        beacons.late > 0 && beacons.duplicate > 0 && beacons.opted_out > 0 && beacons.rejected.len() == 3
    );
    assert_eq!(beacons.clock_ahead, 3);
    let mut expected = BTreeMap::from([
        ("beacons_total{outcome=\"read\"}".to_owned(), beacons.read),
        ("beacons_total{outcome=\"released\"}".to_owned(), beacons.released),
        ("beacons_total{outcome=\"withheld\"}".to_owned(), 0),
        ("beacons_total{outcome=\"late\"}".to_owned(), beacons.late),
        ("beacons_total{outcome=\"duplicate\"}".to_owned(), beacons.duplicate),
        ("beacons_total{outcome=\"opted_out\"}".to_owned(), beacons.opted_out),
        ("beacons_total{outcome=\"excluded\"}".to_owned(), 0),
        ("beacons_total{outcome=\"rejected\"}".to_owned(), beacons.rejected.values().sum()),
        ("clock_ahead_total".to_owned(), beacons.clock_ahead),
        ("windows_total{outcome=\"released\"}".to_owned(), outcome.ledger.windows.released),
        ("ledger_balanced{stage=\"combine\"}".to_owned(), 1),
        ("ledger_balanced{stage=\"merge\"}".to_owned(), 1),
        ("open_session_windows".to_owned(), 0),
    ]);
    for (reason, count) in &beacons.rejected {
        expected.insert(format!("rejected_total{{reason=\"{reason}\"}}"), *count);
    }
    for (name, count) in expected {
        eventually(&format!("{name} is {count}"), || {
            (worker.metric(&format!("crowdfold_{name}")) == Some(count)).then_some(())
        });
    }
}
