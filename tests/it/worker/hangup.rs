//! Test of SIGHUP, which a terminal sends when it is closed.

use crowdfold_testkit::Kafka;

use super::support::{Deployment, Worker};

#[test]
fn sighup_drains_worker_and_collector_as_sigterm_does() {
    let deployment = Deployment::new(Kafka::shared());
    let mut deployment = deployment.with_topics();
    deployment.set("collect.listen", "\"127.0.0.1:0\"");
    let worker = Worker::start(&deployment, "worker");
    let collector = Worker::collect(&deployment, "collector");
    for mut process in [worker, collector] {
        process.await_ready();
        process.signal("HUP");
        let status = process.wait();
        let log = process.log();
        assert_eq!(status.code(), Some(0), "{log}");
        assert!(log.contains("draining") && log.contains("stopped"), "{log}");
    }
}
