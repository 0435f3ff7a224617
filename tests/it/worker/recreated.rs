//! Test of a topic of beacons that is deleted and created again while a worker runs.

use crowdfold_testkit::eventually;
use rdkafka::consumer::{CommitMode, Consumer};
use rdkafka::{Offset, TopicPartitionList};

use super::offsets::{assert_continues, published};
use super::support::{Deployment, Worker, field};

/// Waits until every partition has an offset with a floor after the time of the old beacons. Returns the latest floor.
/// Meanwhile the worker joins its group again, or exits with a message from docs/operations.md and is started again.
fn await_new_floor(deployment: &Deployment<'_>, worker: &mut Worker) -> u64 {
    let floors: Vec<u64> = eventually("the worker reads the new topic", || {
        if !worker.is_running() {
            let (status, log_text) = (worker.wait(), worker.log());
            assert!(status.code() == Some(1) && log_text.contains("the broker reports error"), "{log_text}");
            *worker = Worker::start(deployment, "a");
        }
        let floor = |metadata: &str| field(metadata, "f").filter(|floor| *floor > 0);
        deployment.committed("combine").iter().map(|held| floor(&held.as_ref()?.1)).collect()
    });
    worker.await_log("offsets were lost; windows that end before ");
    floors.into_iter().max().unwrap()
}

/// The brokers also delete the committed offsets of a deleted topic. Therefore the worker reads the new topic from its
/// start, with a floor after the current time.
#[test]
fn worker_counts_the_records_of_a_recreated_topic_at_the_latest_after_a_restart() {
    let (deployment, mut worker, published) = published();
    deployment.kafka.delete_topic(&deployment.topic("beacons"));
    // The broker deletes a topic in the background, and refuses its name until it is deleted.
    eventually("the topic is created again", || deployment.apply_topics().status.success().then_some(()));
    let floor = await_new_floor(&deployment, &mut worker);
    assert_continues(&deployment, floor, &published);
}

/// A worker may commit an offset of the old topic after the brokers have deleted its offsets. The test commits such an
/// offset itself.
#[test]
fn offset_that_the_log_does_not_contain_counts_as_lost_and_the_worker_continues() {
    let (deployment, mut worker, published) = published();
    assert!(worker.terminate().0.success());
    let mut list = TopicPartitionList::new();
    for (partition, held) in deployment.committed("combine").into_iter().enumerate() {
        let (offset, metadata) = held.unwrap();
        let mut element = list.add_partition(&deployment.topic("beacons"), partition as i32);
        element.set_offset(Offset::Offset(offset + 1_000_000)).unwrap();
        element.set_metadata(metadata);
    }
    eventually("the commit is accepted", || {
        deployment.member("combine").commit(&list, CommitMode::Sync).ok()
    });
    worker = Worker::start(&deployment, "a");
    let floor = await_new_floor(&deployment, &mut worker);
    assert!(worker.log().contains("is not in the log"), "{}", worker.log());
    assert_continues(&deployment, floor, &published);
}
