//! Tests with beacons that are sent ten times.

use crowdfold_testkit::Kafka;

use super::assert_nothing_lost_or_counted_twice;
use crate::worker::support::{Deployment, Worker, window_ago};

#[test]
fn beacons_that_are_sent_ten_times_count_once() {
    let deployment = Deployment::new(Kafka::shared()).with_topics();
    let once = deployment.players(23, 100, window_ago(2_000, 60_000), 30_000);
    let again = |records: &Vec<crowdfold_testkit::oracle::Record>| {
        records.iter().flat_map(|record| std::iter::repeat_n(record.clone(), 10)).collect::<Vec<_>>()
    };
    let ten: Vec<_> = once.iter().map(again).collect();
    deployment.produce(&ten);
    let outcome = deployment.evaluate(&ten);
    let sessions = |rows: Vec<serde_json::Value>| -> Vec<_> {
        let shown = |row: &serde_json::Value| {
            (
                row["window"].to_string(),
                row["tenant"].to_string(),
                row["dimensions"].to_string(),
                row["sessions"].as_u64(),
            )
        };
        let mut shown: Vec<_> = rows.iter().map(shown).collect();
        shown.sort();
        shown
    };
    assert_eq!(
        sessions(outcome.rollups(&deployment.rules)),
        sessions(deployment.evaluate(&once).rollups(&deployment.rules)),
        "a session that is sent several times counts once"
    );
    let _worker = Worker::start(&deployment, "a");
    deployment.await_committed(deployment.last_end(&outcome));
    assert_nothing_lost_or_counted_twice(&deployment, &outcome.rollups(&deployment.rules));
}
