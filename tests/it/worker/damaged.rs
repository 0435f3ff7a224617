//! Test of batches of beacons that are too large to be decompressed.

use crowdfold_loadgen::Faults;
use crowdfold_testkit::{Kafka, eventually};

use super::support::{Deployment, Worker, assert_same_rows, window_ago};
use crate::kafka_damage::bomb;

/// The number of batches. It is a multiple of k = 10, so the counters, which are rounded down to multiples of k,
/// contain it exactly.
const BOMBS: u64 = 10;

#[test]
fn worker_exits_at_a_too_large_batch_unless_skip_damaged_is_set() {
    let deployment = Deployment::new(Kafka::shared()).with_topics();
    let start = window_ago(2_000, 120_000);
    let log = deployment.players_with(17, 200, start, 60_000, Faults::default());
    let outcome = deployment.evaluate(&log);
    let middle = start + 30_000;
    let part = |first: bool| -> Vec<Vec<_>> {
        let of = |records: &Vec<crowdfold_testkit::oracle::Record>| {
            records.iter().filter(|record| (record.timestamp < Some(middle)) == first).cloned().collect()
        };
        log.iter().map(of).collect()
    };
    deployment.produce(&part(true));
    (0..BOMBS).for_each(|_| bomb(deployment.kafka, &deployment.topic("beacons"), 0));
    deployment.produce(&part(false));

    let mut stops = Worker::start(&deployment, "a");
    let status = stops.wait();
    let log_text = stops.log();
    assert_eq!(status.code(), Some(1), "{log_text}");
    let location = format!(
        "topic {}, partition 0, offset {}: the batch cannot be read",
        deployment.topic("beacons"),
        part(true)[0].len()
    );
    assert!(
        log_text.contains(&location)
            && log_text.contains("--skip-damaged")
            && log_text.contains("source.on_damaged"),
        "{log_text}"
    );
    drop(stops);

    let worker = Worker::start_with(&deployment, "a", &["--skip-damaged"]);
    deployment.await_committed(deployment.last_end(&outcome));
    // The gap begins at the watermark before the skipped records. It ends at the time of the next record plus the idle
    // timeout of sessions.
    let rules = &deployment.rules;
    let withheld = |row: &serde_json::Value| {
        let (from, to) = (row["window"]["start"].as_u64().unwrap(), row["window"]["end"].as_u64().unwrap());
        to > middle - rules.lateness - 2 * rules.window && from < middle + rules.idle + 2 * rules.window
    };
    let rows = deployment.rows("read_committed");
    let kept: Vec<_> = rows.iter().filter(|row| !withheld(&row.json)).cloned().collect();
    let expected: Vec<_> = outcome.rollups(rules).into_iter().filter(|row| !withheld(row)).collect();
    assert_same_rows(&kept, &expected);
    let gap = |row: &&super::support::Row| {
        let window = &row.json["window"];
        window["start"].as_u64().unwrap() <= middle && window["end"].as_u64().unwrap() > middle
    };
    assert_eq!(rows.iter().filter(gap).count(), 0, "a window in the gap was published");
    eventually("the lost records are counted", || {
        (worker.metric("crowdfold_lost_offsets_total") == Some(BOMBS)).then_some(())
    });
    let (status, log_text) = worker.terminate();
    assert!(status.success(), "{log_text}");
    assert!(log_text.contains("unreadable records are skipped and lost"), "{log_text}");
}
