//! Test of two workers that share the partitions.

use crowdfold_testkit::{Kafka, eventually};

use super::support::{Deployment, Worker, assert_same_rows, now, sleep, window_ago};

/// Returns the number of beacon partitions in the last assignment of a worker.
#[test]
fn rollups_stay_exact_while_partitions_move_between_workers() {
    let mut deployment = Deployment::new(Kafka::shared());
    // The timeout is long, so that a busy machine does not close windows before their beacons arrive.
    deployment.set("source.idle_timeout", "\"8s\"");
    let deployment = deployment.with_topics();
    let mut log = deployment.players(3, 200, window_ago(2_000, 340_000), 300_000);
    let outcome = deployment.evaluate(&log);
    deployment.produce(&log);

    // The second worker starts while the first worker is processing records. This causes a rebalance.
    let a = Worker::start(&deployment, "a");
    a.await_log("assigned stage=\"combine\"");
    let b = Worker::start(&deployment, "b");
    eventually("both workers have partitions", || (a.partitions() == 2 && b.partitions() == 2).then_some(()));
    a.kill();
    // The broker waits for the timeouts of the session and of the open transaction. This takes half a minute.
    eventually("the partitions of the killed worker move to the other one", || {
        (b.partitions() == 4).then_some(())
    });
    deployment.await_committed(deployment.last_end(&outcome));
    assert_same_rows(&deployment.rows("read_committed"), &outcome.rollups(&deployment.rules));

    // One of two workers receives SIGTERM. It exits immediately with exit code 0, and the other worker continues.
    let a = Worker::start(&deployment, "a");
    eventually("both workers have partitions again", || {
        (a.partitions() == 2 && b.partitions() == 2).then_some(())
    });
    // The idle timeout has already closed earlier windows. Therefore the beacons of later windows are sent at their own
    // times.
    let start = now() + 3_000;
    let more = deployment.players(4, 200, start, 8_000);
    let outcome = deployment.evaluate(&more);
    let (status, log_text) = std::thread::scope(|scope| {
        scope.spawn(|| deployment.produce_live(&more));
        sleep((start + 3_000).saturating_sub(now()));
        a.terminate()
    });
    assert!(status.success(), "{status}:\n{log_text}");
    assert!(log_text.contains("draining") && log_text.contains("stopped"), "{log_text}");
    deployment.await_committed(deployment.last_end(&outcome));
    for (partition, records) in more.into_iter().enumerate() {
        log[partition].extend(records);
    }
    assert_same_rows(
        &deployment.rows("read_committed"),
        &deployment.evaluate(&log).rollups(&deployment.rules),
    );
}
