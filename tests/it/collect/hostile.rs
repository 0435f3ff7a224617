//! Tests with hostile requests. The collector must answer and count each of them. No request may raise the memory above
//! the limit, and no content of a request may appear in the log.
#![expect(clippy::unwrap_used, reason = "a panic shows the location of the failure")]

use std::io::Write as _;
use std::net::Shutdown;

use crowdfold_testkit::{Kafka, eventually};
use flate2::Compression;
use flate2::write::GzEncoder;

use super::client::{Client, EVENTS, JSON};
use super::support::{Collector, deploy, packed};
use crate::worker::support::{Deployment, now, sleep};

/// A string that the requests contain, and that the log must not contain.
const SECRET: &str = "canary-7f3a9c";

fn beacon() -> String {
    format!(r#"{{"session":"{SECRET}","ts":{},"user_agent":"{SECRET}"}}"#, now())
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut writer = GzEncoder::new(Vec::new(), Compression::best());
    writer.write_all(plain).unwrap();
    writer.finish().unwrap()
}

/// Creates the topics, and sets a small memory limit. Sets `collect.read_timeout` to `slow`, which is long in tests of
/// other limits, because the machine may be busy.
fn limited<'a>(mut deployment: Deployment<'a>, slow: &str) -> Deployment<'a> {
    deployment.set("collect.read_timeout", &format!("{slow:?}"));
    deployment.set("collect.max_memory_bytes", "4194304");
    deployment.with_topics()
}

fn end(collector: Collector) {
    assert_eq!(collector.connect().post("/v1/beacons", JSON, beacon()), 204, "the collector is alive");
    let (status, log) = collector.0.terminate();
    assert!(status.success(), "{status}: {log}");
    let forbidden = ["canary", "203.0.113", "x-header", "HTTP/1", "panicked", "internal error"];
    assert!(forbidden.iter().all(|word| !log.contains(word)), "{log}");
}

#[test]
fn hostile_bodies_are_refused_and_do_not_exceed_the_memory_limit() {
    let deployment = limited(deploy(Kafka::shared()), "60s");
    let collector = Collector::start(&deployment);
    let before = collector.memory();
    let mut client = collector.connect();
    let zipped = [("content-type", "application/json"), ("content-encoding", "gzip")];
    assert_eq!(client.post("/v1/beacons", &zipped, gzip(beacon().as_bytes())), 204);
    let bomb = gzip(&vec![b' '; 60_000_000]);
    assert!(bomb.len() < 65_536);
    for _ in 0..20 {
        assert_eq!(client.post("/v1/beacons", &zipped, &bomb), 413);
    }
    assert_eq!(client.post("/v1/beacons", &zipped, beacon()), 400);
    let encoded = |coding| [("content-type", "application/json"), ("content-encoding", coding)];
    assert_eq!(client.post("/v1/beacons", &encoded("br"), beacon()), 415);
    assert_eq!(client.post("/v1/beacons", &encoded("gzip, gzip"), beacon()), 415);
    for kind in
        ["application/octet-stream", "application/cmcd", "image/png", "application/vnd.crowdfold.beacon"]
    {
        assert_eq!(client.post("/v1/beacons", &[("content-type", kind)], beacon()), 415, "{kind}");
    }
    // These bodies are not UTF-8, not JSON, or nested too deeply.
    let mut broken = beacon().into_bytes();
    broken[15] = 0xff;
    let deep = "[".repeat(60_000);
    for body in [&broken[..], b"\0", b"null", b"{", deep.as_bytes(), SECRET.as_bytes()] {
        assert_eq!(client.post("/v1/beacons", JSON, body), 400);
    }
    assert_eq!(client.post("/v1/cmcd/acme", EVENTS, [0xff; 100]), 400);
    // Beacons with wrong times are accepted, because the worker rejects them.
    let times = format!(r#"[{{"session":"{SECRET}","ts":1}},{{"session":"{SECRET}","ts":4102444800000}}]"#);
    assert_eq!(client.post("/v1/beacons", JSON, times), 204);
    // The declared length exceeds the limit, and the client sends only the beginning of the body.
    let mut liar = collector.connect();
    assert!(liar.write("POST /v1/beacons HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999\r\n\r\n{"));
    assert_eq!(liar.answer().unwrap().status, 413);
    // The client waits for `100 Continue`. The collector sends this response only if the body would be acceptable.
    let head = |length| {
        format!(
            "POST /v1/beacons HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: {length}\r\n\r\n"
        )
    };
    let mut waiting = collector.connect();
    waiting.write(head(99_999_999));
    assert_eq!(waiting.answer().unwrap().status, 413);
    let mut waiting = collector.connect();
    waiting.write(head(65_537));
    assert_eq!(waiting.answer().unwrap().status, 413);
    let mut waiting = collector.connect();
    waiting.write(head(2));
    assert_eq!(waiting.answer().unwrap().status, 100);
    waiting.write("{}");
    assert_eq!(waiting.answer().unwrap().status, 400);
    // The body is chunked, so its length is not declared.
    let mut chunked = collector.connect();
    chunked.write("POST /v1/beacons HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n");
    let chunk = format!("4000\r\n{}\r\n", " ".repeat(0x4000));
    let _ = (0..6).all(|_| chunked.write(&chunk));
    assert_eq!(chunked.answer().unwrap().status, 413);
    // The declared length is too short. The collector reads the rest of the body as another request, which is invalid.
    let mut liar = collector.connect();
    liar.write(format!("POST /v1/beacons HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\n{}", beacon()));
    assert_eq!(liar.answer().unwrap().status, 400);
    assert!(liar.answer().is_none_or(|answer| answer.status == 400) && liar.answer().is_none());
    collector.await_count("requests_total{status=\"413\"}", 24);
    collector.await_count("requests_total{status=\"415\"}", 6);
    collector.await_count("bytes_held", 0);
    let grown = collector.memory().saturating_sub(before);
    assert!(grown < 64 << 20, "the resident memory grew by {grown} bytes");
    assert_eq!(packed(&deployment).len(), 3);
    end(collector);
}

#[test]
fn slow_and_incomplete_connections_are_closed() {
    let deployment = limited(deploy(Kafka::shared()), "2s");
    let collector = Collector::start(&deployment);
    // Four clients send nothing, half of the headers, headers byte by byte, and half of a body, in this order.
    let mut silent = collector.connect();
    let mut half = collector.connect();
    half.write(format!("POST /v1/beacons HTTP/1.1\r\nhost: x\r\nx-header: {SECRET}"));
    let mut drop_by_drop = collector.connect();
    drop_by_drop.write("GET /v1/cmcd HTTP/1.1\r\nx-header: ");
    let mut bodiless = collector.connect();
    bodiless
        .write("POST /v1/beacons HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{\"session\":\"canary");
    assert!((0..1_000).any(|_| {
        sleep(200);
        !drop_by_drop.write("x")
    }));
    assert!(silent.answer().is_none() && half.answer().is_none());
    assert_eq!(bodiless.answer().unwrap().status, 408);
    // A client sends a complete request, and then half of the next one.
    let mut lazy = collector.connect();
    assert_eq!(lazy.post("/v1/beacons", JSON, beacon()), 204);
    // Another connection begins a request now. When it is closed, the read timeout has passed.
    let mut witness = collector.connect();
    witness.write("POST /v1");
    assert!(witness.answer().is_none());
    assert_eq!(
        lazy.post("/v1/beacons", JSON, beacon()),
        204,
        "a keep-alive connection may be idle for longer than the read timeout"
    );
    lazy.write("POST /v1");
    assert!(lazy.answer().is_none());
    collector.await_count("connections_ended_total{how=\"slow\"}", 5);
    // If a client closes its sending side after a complete request, it receives the response. If a client does so in
    // the middle of a request, the collector closes the connection.
    let mut half = collector.connect();
    half.send("POST", "/v1/beacons", JSON, beacon().as_bytes());
    half.stream().shutdown(Shutdown::Write).unwrap();
    assert_eq!(half.answer().unwrap().status, 204);
    let mut broken = collector.connect();
    broken.write("POST /v1/beacons HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{\"session\":\"canary");
    broken.stream().shutdown(Shutdown::Write).unwrap();
    assert!(broken.answer().is_none_or(|answer| answer.status == 400));
    let gone = collector.connect();
    drop(gone);
    collector.await_count("connections", 0);
    end(collector);
}

#[test]
fn endless_headers_excessive_requests_and_excessive_connections_are_refused() {
    let mut deployment = deploy(Kafka::shared());
    deployment.set("collect.max_requests_per_connection_second", "2");
    deployment.set("collect.max_connections", "3");
    let deployment = limited(deployment, "60s");
    let collector = Collector::start(&deployment);
    let before = collector.memory();
    let many: String = (0..200).map(|nth| format!("x-header-{nth}: {SECRET}\r\n")).collect();
    let long = format!("x-header: {}\r\n", SECRET.repeat(100_000));
    for header in [many, long] {
        let mut flood = collector.connect();
        let _ = flood.write(format!("GET /v1/cmcd HTTP/1.1\r\nhost: x\r\n{header}\r\n"));
        assert!(flood.answer().is_none_or(|answer| answer.status == 431));
    }
    let mut garbage = collector.connect();
    garbage.write(format!("{SECRET}\r\n\r\n"));
    assert!(garbage.answer().is_none_or(|answer| answer.status == 400));
    collector.await_count("connections_ended_total{how=\"unreadable\"}", 3);
    drop(garbage);
    collector.await_count("connections", 0);
    // The limit is two requests per second on each connection. A hundred further requests are sent at once. They need
    // no broker, so even a slow machine processes them fast enough that most exceed the limit.
    let mut eager = collector.connect();
    for _ in 0..2 {
        assert_eq!(eager.post("/v1/beacons", JSON, beacon()), 204);
    }
    eager.write("GET /nowhere HTTP/1.1\r\nhost: x\r\n\r\n".repeat(100));
    let answers: Vec<_> = (0..100).map(|_| eager.answer().unwrap()).collect();
    let (refused, others): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 429);
    assert!(!refused.is_empty() && others.iter().all(|answer| answer.status == 404));
    assert!(refused.iter().all(|answer| answer.header("retry-after") == Some("1")));
    let mut other = collector.connect();
    assert_eq!(other.post("/v1/beacons", JSON, beacon()), 204);
    // The limit is three connections.
    let third = collector.connect();
    let mut fourth = collector.connect();
    let answer = fourth.answer().unwrap();
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("5")));
    assert!(fourth.answer().is_none());
    drop((eager, other, third));
    collector.await_count("connections", 0);
    collector.await_count("connections_ended_total{how=\"refused\"}", 1);
    let grown = collector.memory().saturating_sub(before);
    assert!(grown < 64 << 20, "the resident memory grew by {grown} bytes");
    end(collector);
}

#[test]
fn requests_above_the_memory_limit_are_refused_and_accepted_requests_are_written() {
    let mut deployment = deploy(Kafka::shared());
    deployment.set("collect.max_memory_bytes", "1048576");
    deployment.set("collect.read_timeout", "\"5m\"");
    let deployment = deployment.with_topics();
    let collector = Collector::start(&deployment);
    let before = collector.memory();
    // Sixty clients send a request without the last byte of its body.
    let body = format!("{}{}", beacon(), " ".repeat(60_000));
    let mut waiting: Vec<Client> = (0..60)
        .map(|_| {
            let mut client = collector.connect();
            let length = body.len() + 1;
            client.write(format!(
                "POST /v1/beacons HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n{body}"
            ));
            client
        })
        .collect();
    let held = || collector.0.metric("crowdfold_collect_bytes_held").unwrap();
    eventually("the buffered bytes are near the limit", || (held() > 900_000).then_some(()));
    sleep(1_500);
    assert!(held() <= 1_048_576, "{}", held());
    let statuses: Vec<_> = waiting
        .iter_mut()
        .map(|client| {
            client.write(" ");
            client.answer().map_or(0, |answer| answer.status)
        })
        .collect();
    let count = |status| statuses.iter().filter(|seen| **seen == status).count();
    let (taken, busy) = (count(204), count(503));
    assert!(taken >= 10 && busy >= 30, "{statuses:?}");
    assert_eq!(packed(&deployment).len(), taken);
    collector.await_count("bytes_held", 0);
    let grown = collector.memory().saturating_sub(before);
    assert!(grown < 64 << 20, "the resident memory grew by {grown} bytes");
    end(collector);
}
