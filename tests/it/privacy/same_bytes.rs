//! Two inputs that differ only in who somebody is give the same bytes.
#![expect(clippy::unwrap_used, reason = "a test says where it failed")]

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;

use crowdfold_testkit::oracle::Record;
use crowdfold_testkit::{Kafka, binary, unique};
use serde_json::Value;

use crate::worker::support::{Deployment, Worker, window_ago};

type Log = Vec<Vec<Record>>;

/// The same log with another text for the value of a field, wherever a beacon has it.
fn with(log: &Log, field: &str, mut other: impl FnMut(&str) -> String) -> Log {
    let start = format!("\"{field}\":\"");
    let mut change = |record: &Record| {
        let mut payload = record.payload.clone();
        let found = payload.windows(start.len()).position(|window| window == start.as_bytes());
        let value = found.and_then(|at| {
            let from = at + start.len();
            Some(from..from + payload[from..].iter().position(|byte| *byte == b'"')?)
        });
        if let Some(value) = value {
            let before = String::from_utf8(payload[value.clone()].to_vec()).unwrap();
            payload.splice(value, other(&before).into_bytes());
        }
        Record { timestamp: record.timestamp, payload }
    };
    log.iter().map(|records| records.iter().map(&mut change).collect()).collect()
}

/// Another address of the same family.
fn other_address(address: &str) -> String {
    if address.contains(':') { "2001:db8:ffff:1::7".into() } else { "198.18.7.9".into() }
}

/// The same log after every session was given another name of the same length, in the same partition.
fn renamed(way: &Deployment<'_>, log: &Log) -> Log {
    let mut names = HashMap::new();
    let another = |session: &str| {
        let fresh = || unique("")[1..].repeat(3)[..session.len()].to_owned();
        std::iter::repeat_with(fresh)
            .find(|name| way.partition_of(name) == way.partition_of(session))
            .unwrap()
    };
    with(log, "session", |session| {
        // constants that name nobody stay what they are
        if session.len() < 16 {
            return session.to_owned();
        }
        names.entry(session.to_owned()).or_insert_with(|| another(session)).clone()
    })
}

/// What `fold` writes: rows and ledger.
fn fold(way: &Deployment<'_>, log: &Log) -> (Vec<u8>, Vec<u8>) {
    let path = |name: &str| way.dir.path().join(unique(name));
    let (input, ledger) = (path("input"), path("ledger"));
    let mut records: Vec<_> = log.iter().flatten().collect();
    records.sort_by_key(|record| record.timestamp);
    let lines: Vec<_> = records.iter().flat_map(|record| [&record.payload[..], b"\n"].concat()).collect();
    std::fs::write(&input, lines).unwrap();
    let config = way.config("fold");
    let arguments: [&Path; 6] =
        ["fold".as_ref(), "--config".as_ref(), &config, "--ledger".as_ref(), &ledger, &input];
    let output = Command::new(binary("crowdfold")).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    (output.stdout, std::fs::read(ledger).unwrap())
}

/// All that `run` lets out of a log: what it publishes, what it says of rejections, what it counts.
#[derive(PartialEq)]
struct Out {
    /// By partition, in order. Offsets tell how many transactions there were, which is chance.
    rollups: Vec<(i32, Vec<u8>, Vec<u8>)>,
    rejections: Vec<String>,
    counters: Vec<String>,
}

fn run(way: &Deployment<'_>, log: &Log) -> Out {
    way.produce(log);
    let worker = Worker::start(way, "a");
    let last = log.iter().flatten().filter_map(|record| record.timestamp).max().unwrap();
    way.await_settled(last / way.rules.window * way.rules.window + way.rules.window, 60);
    // counters are written by the second
    crate::worker::support::sleep(1_500);
    let rollups = way.records("rollups", "read_committed");
    let rollups = rollups.into_iter().map(|row| (row.partition, row.key, row.value)).collect();
    let note = |note: crate::worker::support::Seen| {
        let mut json: Value = serde_json::from_slice(&note.value).unwrap();
        // each deployment has a topic of its own
        assert_eq!(json.as_object_mut().unwrap().remove("topic"), Some(way.topic("beacons").into()));
        json.to_string()
    };
    let mut rejections: Vec<_> = way.records("rejections", "read_committed").into_iter().map(note).collect();
    rejections.sort();
    let page = worker.get("/metrics").1;
    let counts = |line: &&str| line.starts_with("crowdfold_") && line.contains("_total");
    let mut counters: Vec<_> = page.lines().filter(counts).map(String::from).collect();
    counters.sort();
    Out { rollups, rejections, counters }
}

/// One partition of partials, so that there is one order in which rows can be published.
fn deployment<'a>() -> Deployment<'a> {
    let mut way = Deployment::new(Kafka::shared());
    way.merge_partitions = 1;
    way.with_topics()
}

#[test]
fn neither_addresses_nor_names_of_sessions_change_a_byte() {
    let ways = [deployment(), deployment(), deployment()];
    let log = ways[0].players(21, 200, window_ago(2_000, 60_000), 30_000);
    let logs = [log.clone(), with(&log, "ip", other_address), renamed(&ways[0], &log)];
    for other in &logs[1..] {
        let same =
            log.iter().flatten().zip(other.iter().flatten()).filter(|(a, b)| a.payload == b.payload).count();
        assert!(same < log.iter().map(Vec::len).sum::<usize>() / 50, "{same} beacons were not changed");
    }

    let folded = fold(&ways[0], &logs[0]);
    assert!(folded.0.len() > 100_000, "{} bytes", folded.0.len());
    for other in &logs[1..] {
        assert!(fold(&ways[0], other) == folded, "fold gives other bytes");
    }

    let outs: Vec<_> = std::thread::scope(|scope| {
        let runs: Vec<_> = ways.iter().zip(&logs).map(|(way, log)| scope.spawn(|| run(way, log))).collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    let Out { rollups, rejections, counters } = &outs[0];
    let sizes = (rollups.len(), rejections.len(), counters.len());
    assert!(sizes.0 > 100 && sizes.1 > 20 && sizes.2 > 15, "{sizes:?}");
    for other in &outs[1..] {
        assert_eq!(other.counters, outs[0].counters);
        assert_eq!(other.rejections, outs[0].rejections);
        assert!(other.rollups == outs[0].rollups, "run gives other bytes");
    }
}
