//! Test of the pages of `metrics.listen` with clients that keep connections open.
#![expect(clippy::unwrap_used, reason = "a panic shows the location of the failure")]

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use crowdfold_testkit::{Kafka, eventually};

use super::support::{Deployment, Worker};

/// Returns the number of open files of a process.
fn files(worker: &Worker) -> usize {
    std::fs::read_dir(format!("/proc/{}/fd", worker.id())).unwrap().count()
}

fn answer(stream: &mut TcpStream) -> String {
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer
}

#[test]
fn number_and_duration_of_incomplete_requests_are_limited() {
    let deployment = Deployment::new(Kafka::shared()).with_topics();
    let worker = Worker::start(&deployment, "a");
    worker.await_ready();
    let before = files(&worker);
    let connect = || {
        let stream = TcpStream::connect(worker.address()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(90))).unwrap();
        stream
    };
    let mut open: Vec<_> = (0..300).map(|_| connect()).collect();
    for stream in &mut open {
        let _ = stream.write_all(b"GET /metrics HTTP/1.1\r\nhost:");
    }
    let refused = eventually("connections beyond the limit are refused", || {
        let mut probe = connect();
        let _ = probe.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n");
        Some(answer(&mut probe)).filter(|answer| answer.starts_with("HTTP/1.1 503"))
    });
    assert!(refused.contains("retry-after: 5"), "{refused}");
    let most = files(&worker);
    assert!(most <= before + 100, "{most} open files, {before} before");
    // The worker closes each connection after ten seconds.
    for stream in &mut open {
        let answer = answer(stream);
        assert!(answer.is_empty() || !answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    eventually("the pages are available again", || (worker.get("/readyz").0 == 200).then_some(()));
    assert_eq!(worker.get("/nothing").0, 404);
    assert!(worker.get("/metrics").1.contains("crowdfold_ledger_balanced"));
    // The head of the first request never ends. The second one has a method that the pages do not support.
    let mut endless = connect();
    let _ = endless.write_all(b"GET /metrics HTTP/1.1\r\nx: ");
    let _ = (0..100).all(|_| endless.write_all(&[b'x'; 1_024]).is_ok());
    assert!(!answer(&mut endless).starts_with("HTTP/1.1 200"));
    let mut post = connect();
    post.write_all(b"POST /metrics HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n").unwrap();
    let refused = answer(&mut post);
    assert!(
        refused.starts_with("HTTP/1.1 405") && refused.to_lowercase().contains("allow: get, head"),
        "{refused}"
    );
}
