//! Tests of the number of threads that process the partitions of a worker.

use crowdfold_testkit::{Kafka, eventually};

use super::support::{Deployment, Worker, assert_same_rows, window_ago};

/// Waits until a fault point has killed the worker.
fn await_killed(mut worker: Worker) {
    eventually("the fault point is reached", || (!worker.is_running()).then_some(()));
    assert!(worker.log().contains("was reached"), "{}", worker.log());
}

/// The fault point `4.shared` is reached only by a thread that helps the thread of the stage.
#[test]
fn rollups_of_four_threads_equal_the_oracle_after_the_worker_was_killed_in_each_of_them() {
    let mut deployment = Deployment::new(Kafka::shared());
    deployment.partitions = 8;
    deployment.partial_partitions = 4;
    deployment.set("worker.threads", "4");
    let deployment = deployment.with_topics();
    let log = deployment.players(61, 400, window_ago(2_000, 340_000), 300_000);
    let outcome = deployment.evaluate(&log);
    deployment.produce(&log);

    for fault in ["combine.4.shared:1:kill", "combine.4.shared:5:kill", "combine.4.record:20000:kill"] {
        await_killed(Worker::start_armed(&deployment, "a", fault));
    }
    assert!(!deployment.is_committed(deployment.last_end(&outcome)), "the worker was too fast");
    let _worker = Worker::start(&deployment, "a");
    deployment.await_committed(deployment.last_end(&outcome));
    assert_same_rows(&deployment.rows("read_committed"), &outcome.rollups(&deployment.rules));
}

#[test]
fn worker_with_one_thread_starts_no_other_and_its_rollups_equal_the_oracle() {
    let mut deployment = Deployment::new(Kafka::shared());
    deployment.set("worker.threads", "1");
    let deployment = deployment.with_topics();
    let log = deployment.players(62, 300, window_ago(2_000, 180_000), 150_000);
    let outcome = deployment.evaluate(&log);
    deployment.produce(&log);

    // The fault would kill the worker if one of its stages started another thread.
    let mut worker = Worker::start_armed(&deployment, "a", "combine.4.shared:1:kill,merge.4.shared:1:kill");
    deployment.await_committed(deployment.last_end(&outcome));
    assert!(worker.is_running(), "{}", worker.log());
    assert_same_rows(&deployment.rows("read_committed"), &outcome.rollups(&deployment.rules));
}
