//! Tests that partitions can be added to the beacons topic while beacons arrive.

use std::collections::{BTreeMap, BTreeSet};

use crowdfold_testkit::{Kafka, eventually};

use super::assert_aborted_are_committed;
use crate::worker::support::{Deployment, Worker, assert_same_rows, now, tables, window_ago};

#[test]
#[expect(clippy::too_many_lines, reason = "one scenario, step by step")]
fn rows_are_exact_before_and_after_partitions_are_added_and_never_too_large_during_the_change() {
    let mut deployment = Deployment::new(Kafka::shared());
    deployment.set("source.idle_timeout", "\"8s\"");
    deployment.set("kafka.properties.\"topic.metadata.refresh.interval.ms\"", "1000");
    let mut deployment = deployment.with_topics();
    let before = deployment.players(26, 300, window_ago(2_000, 60_000), 30_000);
    let outcome = deployment.evaluate(&before);
    deployment.produce(&before);
    let worker = Worker::start(&deployment, "a");
    deployment.await_committed(deployment.last_end(&outcome));
    assert_same_rows(&deployment.rows("read_committed"), &outcome.rollups(&deployment.rules));

    // The topic grows from four to eight partitions while these sessions send beacons. A session may move to another
    // partition.
    let start = (now() / 2_000 + 2) * 2_000;
    let four = deployment.players(27, 300, start, 30_000);
    deployment.partitions = 8;
    let eight = deployment.players(27, 300, start, 30_000);
    let cut = start + 8_000;
    let mut log = eight.clone();
    for (number, records) in log.iter_mut().enumerate() {
        records.retain(|record| record.timestamp >= Some(cut));
        let old = four.get(number).into_iter().flatten().filter(|record| record.timestamp < Some(cut));
        let mut all: Vec<_> = old.cloned().collect();
        all.append(records);
        *records = all;
    }
    let first: Vec<Vec<_>> = log
        .iter()
        .map(|records| records.iter().filter(|record| record.timestamp < Some(cut)).cloned().collect())
        .collect();
    deployment.produce_live(&first);
    let class = "org.apache.kafka.tools.TopicCommand";
    let topic = deployment.topic("beacons");
    let alter = [
        "--bootstrap-server",
        deployment.kafka.bootstrap(),
        "--alter",
        "--topic",
        &topic,
        "--partitions",
        "8",
    ];
    drop(deployment.kafka.tool(class, &alter));
    let second: Vec<Vec<_>> = log
        .iter()
        .map(|records| records.iter().filter(|record| record.timestamp >= Some(cut)).cloned().collect())
        .collect();
    deployment.produce_live(&second);
    worker.await_log("of=8");
    let whole = deployment.evaluate(&log);
    deployment.await_committed(deployment.last_end(&whole));
    // The rows of sessions that begin after the change must be exact.
    let later = deployment.players(28, 300, (now() / 2_000 + 8) * 2_000, 6_000);
    deployment.produce_live(&later);
    let outcome = deployment.evaluate(&later);
    deployment.await_committed(deployment.last_end(&outcome));

    let rows = deployment.rows("read_committed");
    let from = later.iter().flatten().filter_map(|record| record.timestamp).min().unwrap() / 2_000 * 2_000;
    let late: Vec<_> = rows.iter().filter(|row| row.table().0 >= from).cloned().collect();
    assert_same_rows(&late, &outcome.rollups(&deployment.rules));
    assert_aborted_are_committed(&deployment, &rows);

    // During the change, no row is below k, no table is published twice, and no table covers more sessions than sent
    // beacons in its window.
    let mut sessions = BTreeMap::<(u64, String), BTreeSet<String>>::new();
    for record in log.iter().flatten() {
        let Ok(beacon) = serde_json::from_slice::<serde_json::Value>(&record.payload) else { continue };
        let (Some(ts), Some(session)) = (beacon["ts"].as_u64(), beacon["session"].as_str()) else { continue };
        let tenant = beacon["tenant"].as_str().unwrap_or(&deployment.rules.default_tenant).to_owned();
        let moment = ts.min(record.timestamp.unwrap());
        sessions.entry((moment / 2_000 * 2_000, tenant)).or_default().insert(session.to_owned());
    }
    let mut between = 0;
    for ((start, tenant, breakdown), table) in tables(&rows) {
        let counts: Vec<_> = table.iter().map(|row| row["sessions"].as_u64().unwrap()).collect();
        assert!(
            counts.iter().all(|count| *count >= deployment.rules.k),
            "{tenant} {start} {breakdown:?}: {counts:?}"
        );
        if let Some(there) = sessions.get(&(start, tenant.clone())) {
            let reported: u64 = counts.iter().sum();
            assert!(
                reported <= there.len() as u64,
                "{tenant} {start}: rows cover {reported} sessions, but only {} sent beacons",
                there.len()
            );
            between += 1;
        }
    }
    assert!(between > 0, "every row was withheld");
    eventually("the worker is ready", || (worker.get("/readyz").0 == 200).then_some(()));
}
