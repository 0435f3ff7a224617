//! Tests that a worker with canaries in its memory does not write a core dump.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crowdfold_testkit::{Kafka, binary, eventually};

use super::scan::{ADDRESSES, Scan};
use super::{canary_records, files};
use crate::kafka_support::produce;
use crate::worker::support::{Deployment, Worker, signal, sleep, window_ago};

/// Returns a command that runs a program in `scratch_dir`, with the highest limit of core dumps that the host permits.
fn with_cores(program: &Path, scratch_dir: &Path) -> Command {
    let mut shell = Command::new("sh");
    shell
        .args(["-c", r#"ulimit -c "$(ulimit -H -c)"; exec "$0" "$@""#])
        .arg(program)
        .current_dir(scratch_dir);
    shell
}

/// Returns true if this host permits core dumps, and writes them to the working directory of the process.
fn writes_files() -> bool {
    let pattern = fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap_or_default();
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let limit = limits.lines().find_map(|line| line.strip_prefix("Max core file size"));
    let hard = limit.and_then(|line| line.split_whitespace().nth(1)).unwrap_or("0");
    !pattern.trim().is_empty() && !pattern.starts_with(['|', '/']) && hard == "unlimited"
}

#[test]
fn invariant_4_worker_with_canaries_in_its_memory_writes_no_core_dump() {
    let scan = Scan::new();
    let scratch_dir = tempfile::TempDir::new().unwrap();
    let left = || {
        let mut left: Vec<PathBuf> = Vec::new();
        files(scratch_dir.path(), &mut left);
        left
    };
    // For comparison, another program with a canary in its memory writes a core dump, and the scan must find the canary
    // in it.
    let mut other = with_cores(Path::new("sleep"), scratch_dir.path());
    let mut other = other.arg("600").env("SOMEBODY", ADDRESSES[0]).stderr(Stdio::null()).spawn().unwrap();
    eventually("the shell has started the other program", || {
        fs::read(format!("/proc/{}/cmdline", other.id())).ok().filter(|line| line.starts_with(b"sleep"))
    });
    signal(&other, "ABRT");
    let ended = other.wait().unwrap();
    if writes_files() {
        assert!(ended.core_dumped(), "{ended}");
        let [core] = &left()[..] else { panic!("{:?}", left()) };
        assert!(scan.find(&fs::read(core).unwrap()).is_some());
        fs::remove_file(core).unwrap();
    } else {
        eprintln!("this host does not write cores to files: {ended}, core dumped: {}", ended.core_dumped());
    }

    let deployment = Deployment::new(Kafka::shared()).with_topics();
    let start = window_ago(2_000, 60_000);
    produce(deployment.kafka, &deployment.topic("beacons"), &canary_records(&deployment, start));
    // SIGSEGV and SIGBUS are sent twice, because the handler of the Rust runtime ignores the first one if no memory
    // access caused it.
    for (name, times) in [("ABRT", 1), ("SEGV", 2), ("BUS", 2)] {
        let mut worker =
            Worker::start_by(with_cores(&binary("crowdfold"), scratch_dir.path()), &deployment, name);
        worker.await_log("assigned stage=\"combine\"");
        if name == "ABRT" {
            deployment.await_committed(start + 20_000);
        }
        for _ in 0..times {
            if worker.is_running() {
                worker.signal(name);
            }
            sleep(200);
        }
        let ended = worker.wait();
        assert!(ended.signal().is_some(), "SIG{name} did not end the worker: {ended}");
        assert!(!ended.core_dumped(), "SIG{name} caused a core dump");
        assert_eq!(left(), Vec::<PathBuf>::new(), "{name}");
    }
}
