//! Tests that the collector exits on SIGTERM or if it cannot start, and that it writes to added partitions.
#![expect(clippy::unwrap_used, reason = "a panic shows the location of the failure")]

use std::sync::atomic::{AtomicUsize, Ordering};

use crowdfold_testkit::{Kafka, eventually, unique};

use super::client::{Client, JSON};
use super::support::{Collector, deploy, packed};
use crate::worker::support::{Deployment, Worker, now};

/// Asserts that a collector exits with this code, and that the last line of its log contains these words.
#[track_caller]
fn ends(deployment: &Deployment<'_>, code: i32, words: &[&str]) {
    let mut collector = Worker::collect(deployment, "collector");
    let status = collector.wait();
    let log = collector.log();
    assert_eq!(status.code(), Some(code), "{log}");
    let last = log.lines().last().unwrap();
    assert!(words.iter().all(|word| last.contains(word)) && last.starts_with("crowdfold: "), "{log}");
}

#[test]
fn collector_exits_at_the_start_if_its_topic_address_or_certificate_is_unusable() {
    let mut deployment = deploy(Kafka::shared());
    let topic = deployment.topic("beacons");
    ends(&deployment, 1, &[&format!("topic {topic} does not exist"), "crowdfold topics apply"]);
    deployment = deployment.with_topics();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    deployment.set("collect.listen", &format!("{address:?}"));
    ends(&deployment, 1, &[&format!("collect.listen {address} cannot be bound")]);
    deployment.set("collect.listen", "\"127.0.0.1:0\"");
    // Producers set the timestamps of this topic, because the configuration required it when the topic was created.
    deployment.set("source.trust_timestamps", "false");
    ends(&deployment, 3, &[&topic, "lets producers set timestamps", "source.trust_timestamps"]);
    deployment.set("source.trust_timestamps", "true");
    deployment.set("collect.tls.certificate", "\"/no/such.pem\"");
    deployment.set("collect.tls.key", "\"/no/such.key\"");
    ends(&deployment, 2, &["collect.tls.certificate /no/such.pem cannot be read"]);
    let name = unique("not-a-pem");
    let path = deployment.dir.path().join(name);
    std::fs::write(&path, "nothing").unwrap();
    for key in ["collect.tls.certificate", "collect.tls.key"] {
        deployment.set(key, &format!("{:?}", path.display().to_string()));
    }
    ends(&deployment, 2, &["contains no certificate in PEM format"]);
}

#[test]
fn acknowledged_beacons_are_written_before_the_collector_exits_on_sigterm() {
    let mut deployment = deploy(Kafka::shared());
    deployment.set("collect.max_requests_per_connection_second", "0");
    deployment.set("collect.linger", "\"200ms\"");
    let deployment = deployment.with_topics();
    let collector = Collector::start(&deployment);
    let address = collector.0.intake_address();
    let taken = AtomicUsize::new(0);
    let status = std::thread::scope(|scope| {
        for number in 0..20 {
            let (taken, address) = (&taken, &address);
            scope.spawn(move || {
                let mut client = Client::connect(address);
                loop {
                    let body = format!(r#"{{"session":"s-{number}","ts":{}}}"#, now());
                    client.send("POST", "/v1/beacons", JSON, body.as_bytes());
                    // The connection ended without a response, so the collector has not acknowledged the last beacon.
                    let Some(answer) = client.answer() else { return };
                    assert_eq!(answer.status, 204);
                    taken.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        eventually("receiving beacons", || (taken.load(Ordering::Relaxed) > 100).then_some(()));
        collector.0.terminate()
    });
    assert!(status.0.success(), "{}: {}", status.0, status.1);
    let written = packed(&deployment).len();
    assert!(
        written >= taken.load(Ordering::Relaxed),
        "{written} beacons were written, but {taken:?} were acknowledged"
    );
}

#[test]
fn collector_writes_to_partitions_that_were_added_while_it_runs() {
    let deployment = deploy(Kafka::shared()).with_topics();
    let collector = Collector::start(&deployment);
    let mut client = collector.connect();
    assert_eq!(client.post("/v1/beacons", JSON, r#"{"session":"s-1","ts":1}"#), 204);
    let (topic, bootstrap) = (deployment.topic("beacons"), deployment.kafka.bootstrap());
    let arguments = ["--bootstrap-server", bootstrap, "--alter", "--topic", &topic, "--partitions", "7"];
    let _ = deployment.kafka.tool("org.apache.kafka.tools.TopicCommand", &arguments);
    // The collector reads the number of partitions once a minute.
    collector.0.await_log("has 7 partitions");
    for number in 0..40 {
        let body = format!(r#"{{"session":"s-{number}","ts":1}}"#);
        assert_eq!(client.post("/v1/beacons", JSON, body), 204);
    }
    assert!(packed(&deployment).iter().any(|request| request.partition > 3));
}
