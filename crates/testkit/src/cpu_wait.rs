//! A measure of how busy the machine is for one process.

use std::fs::{read_dir, read_to_string};
use std::time::Duration;

/// Returns how long the threads of a process that are alive have waited for a CPU in total, as Linux measures it. Returns
/// zero where it does not.
///
/// A test of how long a process takes adds this to its bound: close to nothing on an idle machine, and more than the
/// delay on a busy one.
#[must_use]
pub fn cpu_wait(process: u32) -> Duration {
    let Ok(threads) = read_dir(format!("/proc/{process}/task")) else { return Duration::ZERO };
    // time on a CPU, time of waiting for one (both ns), number of turns
    let wait = |schedstat: String| schedstat.split(' ').nth(1)?.parse::<u64>().ok();
    let waits = threads.flatten().filter_map(|thread| read_to_string(thread.path().join("schedstat")).ok());
    Duration::from_nanos(waits.filter_map(wait).sum())
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// More processes than CPUs: one of them waits.
    #[test]
    fn waiting_is_measured_where_processes_compete() {
        let spin = || Command::new("sh").args(["-c", "while :; do :; done"]).spawn().expect("a shell runs");
        let cpus = std::thread::available_parallelism().expect("a number of CPUs").get();
        let mut spinning: Vec<_> = (0..=cpus).map(|_| spin()).collect();
        let waited = || spinning.iter().any(|child| cpu_wait(child.id()) > Duration::ZERO);
        let measured = (0..3_000).any(|_| {
            std::thread::sleep(Duration::from_millis(20));
            waited()
        });
        for child in &mut spinning {
            child.kill().expect("killed");
            child.wait().expect("ended");
        }
        assert!(measured);
    }

    #[test]
    fn process_that_does_not_exist_has_not_waited() {
        assert_eq!(cpu_wait(u32::MAX), Duration::ZERO);
    }
}
