//! Tests that the worker publishes the same rows for log lines in a topic as `fold` prints for the same lines in a
//! file.

use crowdfold_testkit::Kafka;
use crowdfold_testkit::oracle::Record;
use serde_json::Value;

use super::lines::Cdn;
use super::{fold, rows};
use crate::worker::support::{Deployment, Worker, assert_same_rows, window_ago};

/// The delay between a request and the record with its log line, in milliseconds.
const DELAY: u64 = 1_700;

#[test]
fn worker_counts_log_lines_in_the_windows_of_their_requests() {
    let mut deployment = Deployment::new(Kafka::shared());
    for (key, value) in [
        ("source.format", "\"capture\""),
        ("source.log.time", "\"timestamp\""),
        ("source.log.address", "\"c-ip\""),
        ("source.log.user_agent", "\"cs-user-agent\""),
        ("source.log.query", "\"cs-uri-query\""),
        ("source.log.cmcd_sid", "\"cmcd-session-id\""),
        ("source.log.cmcd_br", "\"cmcd-encoded-bitrate\""),
        ("source.log.cmcd_mtp", "\"cmcd-measured-throughput\""),
        ("source.log.cmcd_cid", "\"cmcd-content-id\""),
        ("source.log.cmcd_sf", "\"cmcd-streaming-format\""),
        ("source.log.cmcd_st", "\"cmcd-stream-type\""),
    ] {
        deployment.set(key, value);
    }
    deployment.rules.lateness = 5_000;
    let deployment = deployment.with_topics();

    let start = window_ago(2_000, 60_000);
    let mut lines = Vec::new();
    for nth in 0..40 {
        let session = format!("s-{nth}");
        for at in 0..4 {
            let at = start + nth * 97 + at * 1_900;
            lines.push((
                at,
                deployment.partition_of(&session),
                Cdn::CloudFront.line(&session, at, nth % 2 == 1),
            ));
        }
    }
    lines.sort();
    let mut log = vec![Vec::new(); deployment.partitions as usize];
    for (at, partition, line) in &lines {
        let payload = line.clone().into_bytes();
        log[*partition as usize].push(Record { timestamp: Some(at + DELAY), payload });
    }
    deployment.produce(&log);

    let lines: Vec<_> = lines.into_iter().map(|(_, _, line)| line).collect();
    let (output, ledger) = fold(&deployment.config("fold"), &lines);
    assert_eq!(ledger["beacons"]["released"], 160, "{ledger}");
    let mut expected: Vec<Value> = rows(&output);
    // `assert_same_rows` expects rows without histograms, so the histograms are removed here.
    for distribution in ["bandwidth_kbps", "startup_ms"] {
        let fields = expected.iter_mut().filter_map(|row| row[distribution].as_object_mut());
        fields.for_each(|fields| drop(fields.remove("histogram")));
    }
    let last = expected.iter().map(|row| row["window"]["end"].as_u64().unwrap()).max().unwrap();

    let worker = Worker::start(&deployment, "a");
    deployment.await_committed(last);
    assert_same_rows(&deployment.rows("read_committed"), &expected);
    let (status, log_text) = worker.terminate();
    assert!(status.success(), "{status}: {log_text}");
}
