//! Collects the complete output of a run of the worker: topics, metrics and log.

use crowdfold_model::Timestamp;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use crowdfold_engine::wire::{self, Partial};
use crowdfold_testkit::{binary, eventually, unique};

use super::change::Log;
use crate::worker::support::{Deployment, Seen, Worker, sleep};

/// Runs `crowdfold fold` on a log. Returns the rows and the ledger.
pub(super) fn fold(deployment: &Deployment<'_>, log: &Log) -> (Vec<u8>, Vec<u8>) {
    let path = |name: &str| deployment.dir.path().join(unique(name));
    let (input, ledger) = (path("input"), path("ledger"));
    let mut records: Vec<_> = log.iter().flatten().collect();
    records.sort_by_key(|record| record.timestamp);
    let lines: Vec<_> = records.iter().flat_map(|record| [&record.payload[..], b"\n"].concat()).collect();
    std::fs::write(&input, lines).unwrap();
    let config = deployment.config("fold");
    let arguments: [&Path; 6] =
        ["fold".as_ref(), "--config".as_ref(), &config, "--ledger".as_ref(), &ledger, &input];
    let output = Command::new(binary("crowdfold")).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    (output.stdout, std::fs::read(ledger).unwrap())
}

/// The partition, key, value and headers of a record. Names of topics are removed, because they differ between
/// deployments.
type Bytes = (i32, Vec<u8>, Vec<u8>, Vec<(String, Vec<u8>)>);

/// The output of the worker for a log.
pub(super) struct Out {
    /// The rollups, in the order of the topic. Offsets are not compared, because they depend on the number of
    /// transactions, which is random.
    rollups: Vec<Bytes>,
    /// The rejections, sorted. Their order is random, because partitions of beacons are read in parallel.
    rejections: Vec<Bytes>,
    partials: Vec<Bytes>,
    /// The lines of `/metrics`. Values of metrics about times are removed.
    metrics: BTreeSet<String>,
    /// The different lines of the log, without their timestamps.
    log: BTreeSet<String>,
}

impl Out {
    pub(super) fn assert_same(&self, other: &Self) {
        assert_eq!(self.metrics, other.metrics);
        assert_eq!(self.log, other.log);
        let topics = |out: &Self| {
            let topics = [&out.rollups, &out.rejections, &out.partials];
            topics.map(|records| records.len())
        };
        assert_eq!(topics(self), topics(other), "records");
        assert!(self.rejections == other.rejections, "the rejections differ");
        assert!(self.partials == other.partials, "the partials differ");
        assert!(self.rollups == other.rollups, "the rollups differ");
    }

    pub(super) fn rollups_hold(&self, text: &str) -> bool {
        self.rollups.iter().any(|(_, _, value, _)| memchr::memmem::find(value, text.as_bytes()).is_some())
    }
}

/// Runs a worker until it has published all windows of a log, and returns its output.
pub(super) fn run(deployment: &Deployment<'_>, log: &Log) -> Out {
    deployment.produce(log);
    let worker = Worker::start(deployment, "a");
    let last = log.iter().flatten().filter_map(|record| record.timestamp).max().unwrap();
    let window = deployment.rules.window;
    deployment.await_committed(last / window * window + window);
    worker.await_ready();
    // The counters are updated every second. They are final when they have not changed for several updates.
    let (mut page, mut unchanged) = (String::new(), 0);
    eventually("the counters are final", || {
        sleep(1_200);
        let before = std::mem::replace(&mut page, worker.get("/metrics").1);
        unchanged =
            if metrics(deployment, &before) == metrics(deployment, &page) { unchanged + 1 } else { 0 };
        (unchanged == 3).then_some(())
    });
    let mut out = Out {
        rollups: records(deployment, "rollups"),
        rejections: records(deployment, "rejections"),
        partials: partials(deployment, log),
        metrics: metrics(deployment, &page),
        log: BTreeSet::new(),
    };
    // The partition of a rejection is random, so it is not compared.
    out.rejections.iter_mut().for_each(|(partition, ..)| *partition = 0);
    out.rejections.sort();
    out.partials.sort();
    let (status, log_text) = worker.terminate();
    assert!(status.success(), "{log_text}");
    out.log = lines(deployment, &log_text);
    let sizes = (out.rollups.len(), out.rejections.len(), out.partials.len());
    assert!(sizes.0 > 100 && sizes.1 > 20 && sizes.2 > 100, "{sizes:?}");
    assert!(out.metrics.len() > 40 && out.log.len() > 3, "{:?} {:?}", out.metrics, out.log);
    out
}

fn records(deployment: &Deployment<'_>, topic: &str) -> Vec<Bytes> {
    let bytes = |seen: Seen| {
        let value = String::from_utf8(seen.value).unwrap().replace(&deployment.prefix, "PREFIX").into_bytes();
        (seen.partition, seen.key, value, seen.headers)
    };
    deployment.records(topic, "read_committed").into_iter().map(bytes).collect()
}

/// Returns the partials, except close markers of windows that closed because a partition was idle. These close markers
/// depend on the clock.
fn partials(deployment: &Deployment<'_>, log: &Log) -> Vec<Bytes> {
    let by_record = |partition: u32| {
        let last = log[partition as usize].iter().filter_map(|record| record.timestamp).max().unwrap();
        let (lateness, window) = (deployment.rules.lateness, deployment.rules.window);
        Timestamp::from_millis((last - lateness) / window * window)
    };
    let ours = |seen: &Seen| match wire::read(&seen.value).unwrap() {
        Partial::Chunk(_) => true,
        Partial::CloseMarker(marker) => marker.to <= by_record(marker.partition),
    };
    let partials = deployment.records("partials", "read_committed").into_iter().filter(ours);
    partials.map(|seen| (seen.partition, seen.key, seen.value, seen.headers)).collect()
}

fn metrics(deployment: &Deployment<'_>, page: &str) -> BTreeSet<String> {
    let line = |line: &str| {
        let of_time = line.contains("_seconds");
        let kept = if of_time { line.rsplit_once(' ')?.0 } else { line };
        Some(kept.replace(&deployment.prefix, "PREFIX"))
    };
    page.lines().filter(|line| !line.starts_with('#')).filter_map(line).collect()
}

/// Returns the lines of the log, except lines of librdkafka and lines about retried transactions. These lines depend on
/// the load of the machine.
fn lines(deployment: &Deployment<'_>, log: &str) -> BTreeSet<String> {
    let chance = ["librdkafka", "retrying in", "retrying it", "rejoining the group", "is unknown"];
    let kept = log.lines().filter(|line| chance.iter().all(|word| !line.contains(word)));
    let mut lines = BTreeSet::new();
    for line in kept {
        let (_, log_text) = line.split_once(' ').unwrap();
        let log_text = log_text.replace(&deployment.prefix, "PREFIX");
        // The port is removed, because the operating system selects it.
        let log_text =
            log_text.split_once("127.0.0.1:").map_or(log_text.as_str(), |(before, _)| before).to_owned();
        lines.insert(log_text);
    }
    lines
}

/// The comparison must fail if outputs are different.
#[test]
fn different_outputs_are_detected() {
    let out = |value: &str, line: &str| Out {
        rollups: vec![(0, b"key".to_vec(), value.into(), Vec::new())],
        rejections: Vec::new(),
        partials: Vec::new(),
        metrics: BTreeSet::new(),
        log: BTreeSet::from([line.to_owned()]),
    };
    let differ = |one: Out, other: Out| std::panic::catch_unwind(|| one.assert_same(&other)).is_err();
    assert!(!differ(out("a", "x"), out("a", "x")));
    assert!(differ(out("a", "x"), out("b", "x")) && differ(out("a", "x"), out("a", "y")));
}
