//! Tests of lost offsets, and of offsets that another program has committed.

use crowdfold_model::Timestamp;
use crowdfold_testkit::{Kafka, eventually};
use rdkafka::consumer::{CommitMode, Consumer};
use rdkafka::{Offset, TopicPartitionList};

use super::support::{Deployment, Row, Worker, assert_same_rows, field, now, tables, window_ago};

/// Deletes the offsets of a stage's group. Waits until the group has no members.
pub(crate) fn forget(deployment: &Deployment<'_>, stage: &str) {
    let class = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand";
    let group = deployment.group(stage);
    let arguments = ["--bootstrap-server", deployment.kafka.bootstrap(), "--delete", "--group", &group];
    eventually("the group is deleted", || {
        deployment.kafka.tool(class, &arguments).contains("successful").then_some(())
    });
    assert_eq!(deployment.committed(stage), vec![None; deployment.committed(stage).len()]);
}

/// Publishes the rows of old beacons. Returns the rows, and the worker that still runs.
pub(crate) fn published() -> (Deployment<'static>, Worker, Vec<Row>) {
    let mut deployment = Deployment::new(Kafka::shared());
    // The timeout is long, so that a busy machine does not close windows before their beacons arrive.
    deployment.set("source.idle_timeout", "\"8s\"");
    let deployment = deployment.with_topics();
    let before = deployment.players(5, 200, window_ago(2_000, 60_000), 40_000);
    let outcome = deployment.evaluate(&before);
    deployment.produce(&before);
    let worker = Worker::start(&deployment, "a");
    deployment.await_committed(deployment.last_end(&outcome));
    let published = deployment.rows("read_committed");
    assert_same_rows(&published, &outcome.rollups(&deployment.rules));
    (deployment, worker, published)
}

/// Asserts that the worker publishes the windows of new beacons that begin at or after the floor, and that the published
/// rows do not change. Beacons of windows that end before the floor are late.
pub(crate) fn assert_continues(deployment: &Deployment<'_>, floor: u64, published: &[Row]) {
    let start = floor.max(now() / 2_000 * 2_000) - 4_000;
    let after = deployment.players(6, 200, start, 10_000);
    deployment.produce_live(&after);
    let outcome = deployment.evaluate(&after);
    deployment.await_committed(deployment.last_end(&outcome));
    let rows = deployment.rows("read_committed");
    tables(&rows);
    let (old, new): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.table().0 < floor);
    assert!(old.len() == published.len() && old.iter().all(|row| published.contains(row)));
    let expected: Vec<_> = outcome
        .rollups(&deployment.rules)
        .into_iter()
        .filter(|row| row["window"]["start"].as_u64() >= Some(floor))
        .collect();
    assert!(expected.len() > 50, "{} rows", expected.len());
    assert_same_rows(&new, &expected);
}

#[test]
fn stage_that_lost_its_offsets_starts_at_the_current_time_and_publishes_every_row_once() {
    let (deployment, worker, published) = published();
    assert!(worker.terminate().0.success());

    forget(&deployment, "combine");
    let worker = Worker::start(&deployment, "a");
    worker.await_log("offsets were lost; windows that end before ");
    let floors = || {
        deployment
            .committed("combine")
            .iter()
            .map(|held| field(&held.as_ref()?.1, "f"))
            .collect::<Option<Vec<_>>>()
    };
    let floors = eventually("the new start is committed", floors);
    let floor = floors[0];
    assert!(floors.iter().all(|other| *other == floor) && floor > now() - 30_000, "{floors:?}");
    let shown = Timestamp::from_millis(floor);
    assert_eq!(worker.log().matches(&format!("before {shown} are not computed again")).count(), 4);

    assert_continues(&deployment, floor, &published);
}

#[test]
fn offsets_of_another_program_are_refused_without_the_flag_restart_from_now() {
    let mut deployment = Deployment::new(Kafka::shared());
    // The timeout is long, so that a busy machine does not close windows before their beacons arrive.
    deployment.set("source.idle_timeout", "\"8s\"");
    let deployment = deployment.with_topics();
    let log = deployment.players(7, 200, window_ago(2_000, 30_000), 10_000);
    deployment.produce(&log);
    // The first offsets have metadata of another program. The second offsets have no metadata, as after a reset with
    // Kafka's own tools.
    for metadata in ["theirs", ""] {
        let mut list = TopicPartitionList::new();
        let mut element = list.add_partition(&deployment.topic("beacons"), 2);
        element.set_offset(Offset::Offset(3)).unwrap();
        element.set_metadata(metadata);
        // The commit is accepted only if the group has no members. The previous worker is a member until its session
        // ends.
        eventually("the commit is accepted", || {
            deployment.member("combine").commit(&list, CommitMode::Sync).ok()
        });
        let mut worker = Worker::start(&deployment, "a");
        let status = worker.wait();
        let log_text = worker.log();
        assert_eq!(status.code(), Some(2), "{log_text}");
        for words in ["partition 2", "another program uses the same consumer group", "--restart-from-now"] {
            assert!(log_text.contains(words), "{words:?} is not in\n{log_text}");
        }
        assert_eq!(deployment.rows("read_uncommitted"), []);
    }

    let worker = Worker::start_with(&deployment, "a", &["--restart-from-now"]);
    worker.await_log("offsets were lost");
    // The merge stages of the previous workers started at the beginning of the topic, so their floor is 0.
    let floor_of =
        |stage: &str| field(&deployment.committed(stage)[1].as_ref()?.1, "f").filter(|floor| *floor > 0);
    let floors =
        ["combine", "merge"].map(|stage| eventually("the new start is committed", || floor_of(stage)));
    let floor = floors.into_iter().max().unwrap();
    let start = floor.max((now() / 2_000 + 2) * 2_000);
    let log = deployment.players(8, 200, start, 4_000);
    deployment.produce_live(&log);
    let outcome = deployment.evaluate(&log);
    deployment.await_committed(deployment.last_end(&outcome));
    assert_same_rows(&deployment.rows("read_committed"), &outcome.rollups(&deployment.rules));
}
