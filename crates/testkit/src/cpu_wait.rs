//! Measures the time for which a process waits for a CPU.

use std::fs::{read_dir, read_to_string};
use std::time::Duration;

/// Returns the total time for which the threads of a process have waited for a CPU, as Linux measures it. Threads that
/// have ended are not included. On other systems, returns zero.
///
/// A test that limits the duration of a process adds this time to the limit. On an idle machine, the time is close to
/// zero. On a busy machine, it is at least as long as the delay of the process, because it is the sum over all threads.
#[must_use]
pub fn cpu_wait(process: u32) -> Duration {
    let Ok(threads) = read_dir(format!("/proc/{process}/task")) else { return Duration::ZERO };
    // The file contains three numbers: the time on a CPU and the time of waiting for a CPU, both in nanoseconds, and
    // the number of time slices.
    let wait = |schedstat: String| schedstat.split(' ').nth(1)?.parse::<u64>().ok();
    let waits = threads.flatten().filter_map(|thread| read_to_string(thread.path().join("schedstat")).ok());
    Duration::from_nanos(waits.filter_map(wait).sum())
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// This test starts more busy processes than there are CPUs, so at least one of them waits.
    #[test]
    fn waiting_time_of_a_process_that_competes_for_a_cpu_is_not_zero() {
        let spin = || Command::new("sh").args(["-c", "while :; do :; done"]).spawn().expect("a shell");
        let cpus = std::thread::available_parallelism().expect("the number of CPUs").get();
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
    fn waiting_time_of_a_missing_process_is_zero() {
        assert_eq!(cpu_wait(u32::MAX), Duration::ZERO);
    }
}
