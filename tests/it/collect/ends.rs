//! How it ends: in order, or because it cannot begin.
#![expect(clippy::unwrap_used, reason = "a test says where it failed")]

use std::sync::atomic::{AtomicUsize, Ordering};

use crowdfold_testkit::{Kafka, eventually, unique};

use super::client::{Client, JSON};
use super::support::{Collector, deployment, packed};
use crate::worker::support::{Deployment, Worker, now};

/// It ends by itself, with this exit code and these words last.
#[track_caller]
fn ends(way: &Deployment<'_>, code: i32, words: &[&str]) {
    let mut collector = Worker::collect(way, "collector");
    let status = collector.wait();
    let log = collector.log();
    assert_eq!(status.code(), Some(code), "{log}");
    let last = log.lines().last().unwrap();
    assert!(words.iter().all(|word| last.contains(word)) && last.starts_with("crowdfold: "), "{log}");
}

#[test]
fn it_does_not_begin_where_it_cannot_serve() {
    let mut way = deployment(Kafka::shared());
    let topic = way.topic("beacons");
    ends(&way, 1, &[&format!("topic {topic} does not exist"), "crowdfold topics apply"]);
    way = way.with_topics();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    way.set("collect.listen", &format!("{address:?}"));
    ends(&way, 1, &[&format!("collect.listen {address} cannot be listened on")]);
    way.set("collect.listen", "\"127.0.0.1:0\"");
    // the topic has the producers' time, since the configuration said so
    way.set("source.trust_timestamps", "false");
    ends(&way, 3, &[&topic, "lets producers stamp records", "source.trust_timestamps"]);
    way.set("source.trust_timestamps", "true");
    way.set("collect.tls.certificate", "\"/no/such.pem\"");
    way.set("collect.tls.key", "\"/no/such.key\"");
    ends(&way, 2, &["collect.tls.certificate /no/such.pem cannot be read"]);
    let name = unique("not-a-pem");
    let path = way.dir.path().join(name);
    std::fs::write(&path, "nothing").unwrap();
    for key in ["collect.tls.certificate", "collect.tls.key"] {
        way.set(key, &format!("{:?}", path.display().to_string()));
    }
    ends(&way, 2, &["has no certificate as PEM in it"]);
}

#[test]
fn what_is_under_way_is_answered_and_written_before_it_ends() {
    let mut way = deployment(Kafka::shared());
    way.set("collect.rate", "0");
    way.set("collect.linger", "\"200ms\"");
    let way = way.with_topics();
    let collector = Collector::start(&way);
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
        eventually("players report", || (taken.load(Ordering::Relaxed) > 100).then_some(()));
        collector.0.terminate()
    });
    assert!(status.0.success(), "{}: {}", status.0, status.1);
    let written = packed(&way).len();
    assert!(written >= taken.load(Ordering::Relaxed), "{written} written, {taken:?} acknowledged");
}

#[test]
fn partitions_that_are_added_are_used() {
    let way = deployment(Kafka::shared()).with_topics();
    let collector = Collector::start(&way);
    let mut client = collector.connect();
    assert_eq!(client.post("/v1/beacons", JSON, r#"{"session":"s-1","ts":1}"#), 204);
    let (topic, bootstrap) = (way.topic("beacons"), way.kafka.bootstrap());
    let arguments = ["--bootstrap-server", bootstrap, "--alter", "--topic", &topic, "--partitions", "7"];
    let _ = way.kafka.tool("org.apache.kafka.tools.TopicCommand", &arguments);
    // it looks once a minute
    collector.0.await_log("has 7 partitions");
    for number in 0..40 {
        let body = format!(r#"{{"session":"s-{number}","ts":1}}"#);
        assert_eq!(client.post("/v1/beacons", JSON, body), 204);
    }
    assert!(packed(&way).iter().any(|request| request.partition > 3));
}
