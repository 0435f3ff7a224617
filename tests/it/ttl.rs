//! Invariant 10: nothing outlives its bound, measured on a real broker: for readers and on its disk.
#![expect(clippy::unwrap_used, reason = "a test says where it failed")]

mod early;
mod erased;
mod measured;

use std::path::Path;

use crowdfold_testkit::{Kafka, Options};

/// A broker that looks twice a second for what is too old, and keeps files for a second more.
fn quick() -> Options {
    Options::default()
        .with("log.retention.check.interval.ms", "500")
        .with("log.segment.delete.delay.ms", "1000")
}

/// Whether a broker's files of a partition hold these bytes, those that wait to be deleted too.
fn is_on_disk(kafka: &Kafka, topic: &str, partition: u32, bytes: &[u8]) -> bool {
    let files = files(&kafka.log_dir(1).join(format!("{topic}-{partition}")));
    files.iter().any(|file| memchr::memmem::find(file, bytes).is_some())
}

/// What is in the files of a directory. One that goes meanwhile is gone.
fn files(directory: &Path) -> Vec<Vec<u8>> {
    let entries = std::fs::read_dir(directory).unwrap();
    entries.flatten().filter_map(|entry| std::fs::read(entry.path()).ok()).collect()
}
