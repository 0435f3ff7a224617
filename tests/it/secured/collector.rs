//! Tests the permission that the collector needs.
#![expect(clippy::unwrap_used, reason = "a panic shows the location of the failure")]

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use super::support::{broker, connect_as, grant_as_printed, set};
use crate::worker::support::{Deployment, Worker, now};

#[test]
fn collector_needs_only_permission_to_write_beacons() {
    let mut deployment = Deployment::new(broker());
    deployment.set("collect.listen", "\"127.0.0.1:0\"");
    let mut deployment = deployment.with_topics();
    set(&mut deployment, "principals.collector", "collector");
    set(&mut deployment, "principals.combiner", "combiner");
    grant_as_printed(&deployment, &["collector", "combiner"]);
    // `combiner` may read the topic, but not write to it. The second user has no permissions.
    for user in ["combiner", "nobody"] {
        connect_as(&mut deployment, "SCRAM-SHA-512", user);
        let mut collector = Worker::collect(&deployment, user);
        if user == "combiner" {
            // This user may describe the topic, so the collector starts, and the error occurs at the first record.
            collector.await_ready();
            assert_eq!(post(&collector), 503);
        }
        let status = collector.wait();
        let refused = format!("principal User:{user} may not Write topic {}", deployment.topic("beacons"));
        assert_eq!(status.code(), Some(1), "{}", collector.log());
        assert!(collector.log().lines().last().unwrap().contains(&refused), "{}", collector.log());
    }
    connect_as(&mut deployment, "SCRAM-SHA-512", "collector");
    let collector = Worker::collect(&deployment, "collector");
    collector.await_ready();
    assert_eq!(post(&collector), 204);
    assert_eq!(deployment.records("beacons", "read_uncommitted").len(), 1);
    let (status, log) = collector.terminate();
    assert!(status.success(), "{status}: {log}");
}

fn post(collector: &Worker) -> u16 {
    let mut stream = TcpStream::connect(collector.intake_address()).unwrap();
    let body = format!(r#"{{"session":"s-1","ts":{}}}"#, now());
    let length = body.len();
    write!(
        stream,
        "POST /v1/beacons HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(503)
}
