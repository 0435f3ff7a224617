//! How it ends: in order, or because it cannot begin.
#![expect(clippy::unwrap_used, reason = "a test says where it failed")]

use std::sync::atomic::{AtomicUsize, Ordering};

use crowdfold_testkit::{Kafka, eventually, unique};

use super::client::{Client, JSON};
use super::support::{Collector, deploy, packed};
use crate::worker::support::{Deployment, Worker, now};

/// It ends by itself, with this exit code and these words last.
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
fn it_does_not_begin_where_it_cannot_serve() {
    let mut deployment = deploy(Kafka::shared());
    let topic = deployment.topic("beacons");
    ends(&deployment, 1, &[&format!("topic {topic} does not exist"), "crowdfold topics apply"]);
    deployment = deployment.with_topics();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    deployment.set("collect.listen", &format!("{address:?}"));
    ends(&deployment, 1, &[&format!("collect.listen {address} cannot be bound")]);
    deployment.set("collect.listen", "\"127.0.0.1:0\"");
    // the topic has the producers' time, since the configuration said so
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
fn what_is_under_way_is_answered_and_written_before_it_ends() {
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
                    // no answer: it went, and nothing was promised
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
    assert!(written >= taken.load(Ordering::Relaxed), "{written} written, {taken:?} acknowledged");
}

#[test]
fn partitions_that_are_added_are_used() {
    let deployment = deploy(Kafka::shared()).with_topics();
    let collector = Collector::start(&deployment);
    let mut client = collector.connect();
    assert_eq!(client.post("/v1/beacons", JSON, r#"{"session":"s-1","ts":1}"#), 204);
    let (topic, bootstrap) = (deployment.topic("beacons"), deployment.kafka.bootstrap());
    let arguments = ["--bootstrap-server", bootstrap, "--alter", "--topic", &topic, "--partitions", "7"];
    let _ = deployment.kafka.tool("org.apache.kafka.tools.TopicCommand", &arguments);
    // it looks once a minute
    collector.0.await_log("has 7 partitions");
    for number in 0..40 {
        let body = format!(r#"{{"session":"s-{number}","ts":1}}"#);
        assert_eq!(client.post("/v1/beacons", JSON, body), 204);
    }
    assert!(packed(&deployment).iter().any(|request| request.partition > 3));
}
