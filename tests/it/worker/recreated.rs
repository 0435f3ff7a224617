//! Test of a topic of beacons that is deleted and created again while a worker runs.

use crowdfold_testkit::eventually;

use super::offsets::{assert_goes_on, forget, published};
use super::support::{Worker, field};

/// If the worker reports an offset that is not in the log more often than this, the offset does not become valid.
const MOST_REJOINS: usize = 10;

/// The brokers also delete the committed offsets of a deleted topic. Therefore the worker reads the new topic from its
/// start, with a floor after the current time.
#[test]
fn worker_counts_the_records_of_a_recreated_topic_at_the_latest_after_a_restart() {
    let (deployment, mut worker, published) = published();
    deployment.kafka.delete_topic(&deployment.topic("beacons"));
    // The broker deletes a topic in the background, and refuses its name until it is deleted.
    eventually("the topic is created again", || deployment.apply_topics().status.success().then_some(()));
    // The worker joins its group again, or exits with a message from docs/operations.md. If it committed an offset of the
    // old topic after the brokers had deleted its offsets, the remedy in docs/operations.md is applied.
    let floors: Vec<u64> = eventually("the worker reads the new topic", || {
        if !worker.is_running() {
            let (status, log_text) = (worker.wait(), worker.log());
            assert!(status.code() == Some(1) && log_text.contains("the broker reports error"), "{log_text}");
            worker = Worker::start(&deployment, "a");
        }
        if worker.log().matches("is not in the log").count() > MOST_REJOINS {
            worker.signal("TERM");
            assert!(worker.wait().success(), "{}", worker.log());
            forget(&deployment, "combine");
            worker = Worker::start(&deployment, "a");
        }
        let floor = |metadata: &str| field(metadata, "f").filter(|floor| *floor > 0);
        deployment.committed("combine").iter().map(|held| floor(&held.as_ref()?.1)).collect()
    });
    worker.await_log("offsets were lost; windows that end before ");

    assert_goes_on(&deployment, *floors.iter().max().unwrap(), &published);
}
