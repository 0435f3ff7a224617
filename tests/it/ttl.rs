//! Tests of invariant 10: no record is readable or on the disk for longer than its time-to-live. The times are measured
//! on a real broker.
#![expect(clippy::unwrap_used, reason = "a panic shows the location of the failure")]

mod ahead;
mod early;
mod erased;
mod measured;
mod purged;

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use crowdfold_kafka::topics::{Clock, Purpose, Spec};
use crowdfold_testkit::{Kafka, Options, binary};

use crate::worker::support::Deployment;

/// Returns the options of a broker that deletes expired records fast. The broker looks for expired records twice per
/// second, and removes their files a second later.
fn quick() -> Options {
    Options::default()
        .with("log.retention.check.interval.ms", "500")
        .with("log.segment.delete.delay.ms", "1000")
}

/// Returns true if a file of a partition on the broker's disk contains these bytes. Files that are marked for deletion
/// count too.
fn is_on_disk(kafka: &Kafka, topic: &str, partition: u32, bytes: &[u8]) -> bool {
    let files = files(&kafka.log_dir(1).join(format!("{topic}-{partition}")));
    files.iter().any(|file| memchr::memmem::find(file, bytes).is_some())
}

/// Returns the contents of all files in a directory, except those that are deleted while they are read.
fn files(directory: &Path) -> Vec<Vec<u8>> {
    let entries = std::fs::read_dir(directory).unwrap();
    entries.flatten().filter_map(|entry| std::fs::read(entry.path()).ok()).collect()
}

/// Runs the program with these arguments and the configuration of a deployment.
fn command(deployment: &Deployment<'_>, arguments: &[&str]) -> Output {
    let mut command = Command::new(binary("crowdfold"));
    command.args(arguments).arg("--config").arg(deployment.config("tool")).output().unwrap()
}

/// Returns the standard output and stderr of the program.
fn printed(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.clone(), output.stderr.clone()].concat()).into_owned()
}

/// Returns the specification of a topic with four partitions, append time and a time-to-live of an hour.
fn spec(topic: &str) -> Spec {
    Spec {
        topic: topic.into(),
        purpose: Purpose::Beacons,
        partitions: 4,
        replication: 1,
        ttl: Duration::from_secs(3_600),
        least: Duration::ZERO,
        clock: Clock::Append,
        max_skew: Duration::from_secs(60),
        on_disk_slack: Duration::from_secs(300),
        max_message_bytes: 1 << 20,
    }
}
