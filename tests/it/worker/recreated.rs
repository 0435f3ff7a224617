//! Test of a topic of beacons that is deleted and created again while a worker runs.

use crowdfold_testkit::{Kafka, eventually};

use super::support::{Deployment, Worker, assert_same_rows, field, now, tables, window_ago};

/// The brokers also delete the committed offsets of a deleted topic. Therefore the worker reads the new topic from its
/// start, with a floor after the current time.
#[test]
fn worker_counts_the_records_of_a_recreated_topic_at_the_latest_after_a_restart() {
    let mut deployment = Deployment::new(Kafka::shared());
    // The timeout is long, so that a busy machine does not close windows before their beacons arrive.
    deployment.set("source.idle_timeout", "\"8s\"");
    let deployment = deployment.with_topics();
    let before = deployment.players(11, 200, window_ago(2_000, 60_000), 40_000);
    let outcome = deployment.evaluate(&before);
    deployment.produce(&before);
    let mut worker = Worker::start(&deployment, "a");
    deployment.await_committed(deployment.last_end(&outcome));
    let published = deployment.rows("read_committed");
    assert_same_rows(&published, &outcome.rollups(&deployment.rules));

    deployment.kafka.delete_topic(&deployment.topic("beacons"));
    // The broker deletes a topic in the background, and refuses its name until it is deleted.
    eventually("the topic is created again", || deployment.apply_topics().status.success().then_some(()));
    // The worker either joins its group again, or exits with a message from docs/operations.md.
    let floors: Vec<u64> = eventually("the worker reads the new topic", || {
        if !worker.is_running() {
            let (status, log_text) = (worker.wait(), worker.log());
            assert!(status.code() == Some(1) && log_text.contains("the broker reports error"), "{log_text}");
            worker = Worker::start(&deployment, "a");
        }
        let floor = |metadata: &str| field(metadata, "f").filter(|floor| *floor > 0);
        deployment.committed("combine").iter().map(|held| floor(&held.as_ref()?.1)).collect()
    });
    worker.await_log("offsets were lost; windows that end before ");

    // Beacons of windows that end before the floor are late. Windows that begin at or after the floor are published.
    let floor = *floors.iter().max().unwrap();
    let start = floor.max(now() / 2_000 * 2_000) - 4_000;
    let after = deployment.players(12, 200, start, 10_000);
    deployment.produce_live(&after);
    let outcome = deployment.evaluate(&after);
    deployment.await_committed(deployment.last_end(&outcome));
    let rows = deployment.rows("read_committed");
    tables(&rows);
    let (old, new): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.table().0 < floor);
    assert_eq!(old, published);
    let expected: Vec<_> = outcome
        .rollups(&deployment.rules)
        .into_iter()
        .filter(|row| row["window"]["start"].as_u64() >= Some(floor))
        .collect();
    assert!(expected.len() > 50, "{} rows", expected.len());
    assert_same_rows(&new, &expected);
}
