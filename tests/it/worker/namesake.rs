//! Test of two workers with the same `kafka.instance`.

use crowdfold_testkit::{Kafka, eventually};

use super::support::{Deployment, Worker, assert_same_rows, window_ago};

#[test]
fn workers_with_the_same_instance_name_report_both_hosts_and_publish_every_row_once() {
    let deployment = Deployment::new(Kafka::shared()).with_topics();
    let log = deployment.players(23, 100, window_ago(2_000, 90_000), 60_000);
    let outcome = deployment.evaluate(&log);
    deployment.produce(&log);
    let mut workers = [Worker::start(&deployment, "same"), Worker::start(&deployment, "same")];
    let ended =
        eventually("one of the two exits", || workers.iter_mut().position(|worker| !worker.is_running()));
    let status = workers[ended].wait();
    let log_text = workers[ended].log();
    assert_eq!(status.code(), Some(1), "{log_text}");
    let error = log_text
        .lines()
        .find(|line| line.contains("was fenced three times"))
        .unwrap_or_else(|| panic!("{log_text}"));
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    assert!(
        error.contains("kafka.instance \"same\"") && error.contains(&format!("on host {}", host.trim())),
        "{error}"
    );
    assert!(error.contains("127.0.0.1") && error.contains("-same)"), "{error}");
    // The other worker may have been fenced and have exited too.
    drop(workers);
    let _worker = Worker::start(&deployment, "same");
    deployment.await_committed(deployment.last_end(&outcome));
    assert_same_rows(&deployment.rows("read_committed"), &outcome.rollups(&deployment.rules));
}
