//! Test that the resident memory of a worker does not grow under a steady load.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crowdfold_testkit::{Kafka, binary};

use super::support::{Deployment, Worker, sleep};

/// The duration of the load, in seconds. `CROWDFOLD_STEADY` overrides it (see `make soak`).
const SECONDS: u64 = 40;

/// The number of beacons per second, which is also the number of concurrent sessions. When a session ends after some
/// minutes, another one begins.
const RATE: u64 = 2_000;

/// The time between two samples.
const INTERVAL: Duration = Duration::from_secs(2);

/// The growth that does not count as a leak, because allocators keep some freed memory. It is a number of MiB plus a
/// share of the median.
const SLACK: (f64, f64) = (2.0, 0.05);

#[test]
fn memory_of_a_worker_does_not_grow_under_a_steady_load() {
    let seconds = asked().unwrap_or(SECONDS);
    let deployment = Deployment::new(Kafka::shared()).with_topics();
    let mut command = Command::new(binary("crowdfold"));
    // By default, glibc gives threads separate arenas. Each arena keeps the memory of its own peak, so the resident
    // memory grows for minutes although the number of allocated bytes stays the same.
    command.env("MALLOC_ARENA_MAX", "1");
    let mut worker = Worker::start_by(command, &deployment, "a");
    worker.await_ready();
    let mut load = Command::new(binary("crowdfold"))
        .arg("generate")
        .args(["--brokers", Kafka::shared().bootstrap(), "--for", &format!("{seconds}s"), "--seed", "11"])
        .args(["--sessions", &RATE.to_string(), "--rate", &RATE.to_string()])
        .arg("--config")
        .arg(deployment.config("load"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let samples = sample(&worker, seconds);
    let status = load.wait().unwrap();
    assert!(status.success(), "the load ended with {status}");
    assert!(worker.is_running(), "{}", worker.log());
    assert_eq!(worker.metric("crowdfold_ledger_balanced{stage=\"combine\"}"), Some(1));
    let counted = worker.metric("crowdfold_beacons_total{outcome=\"read\"}").unwrap_or(0);
    // The last windows may still be open.
    assert!(counted * 10 >= RATE * seconds * 7, "only {counted} beacons were counted");
    let trend = Trend::of(&samples);
    eprintln!("{seconds} s at {RATE} beacons/s: {trend}");
    assert!(trend.is_flat(), "memory grows: {trend}");
}

#[expect(
    clippy::disallowed_methods,
    reason = "the duration of a test is not part of the program's configuration"
)]
fn asked() -> Option<u64> {
    std::env::var("CROWDFOLD_STEADY").ok()?.parse().ok()
}

/// Measures the memory during the load. Returns pairs of the seconds since the start and the resident MiB.
#[expect(clippy::disallowed_methods, reason = "the load is in real time")]
fn sample(worker: &Worker, seconds: u64) -> Vec<(f64, f64)> {
    let start = Instant::now();
    let mut samples = Vec::new();
    while start.elapsed() < Duration::from_secs(seconds) {
        sleep(INTERVAL.as_millis() as u64);
        let (at, memory) = (start.elapsed().as_secs_f64(), resident(worker.id()));
        if samples.len() % 30 == 0 {
            eprintln!("{at:5.0} s: {memory:.1} MiB");
        }
        samples.push((at, memory));
    }
    samples
}

/// Returns the resident memory of a process in MiB.
fn resident(process: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
}

/// The memory in the last two thirds of the load. Buffers and tables reach their final size in the first third.
struct Trend {
    median: f64,
    most: f64,
    /// The slope in MiB per second, by least squares.
    slope: f64,
    seconds: f64,
}

impl Trend {
    fn of(samples: &[(f64, f64)]) -> Self {
        let samples = &samples[samples.len() / 3..];
        let count = samples.len() as f64;
        let mean = |of: fn(&(f64, f64)) -> f64| samples.iter().map(of).sum::<f64>() / count;
        let (time, memory) = (mean(|sample| sample.0), mean(|sample| sample.1));
        let covariance: f64 = samples.iter().map(|(at, size)| (at - time) * (size - memory)).sum();
        let variance: f64 = samples.iter().map(|(at, _)| (at - time).powi(2)).sum();
        let mut sizes: Vec<_> = samples.iter().map(|sample| sample.1).collect();
        sizes.sort_by(f64::total_cmp);
        Self {
            median: sizes[sizes.len() / 2],
            most: *sizes.last().unwrap(),
            slope: covariance / variance,
            seconds: samples.last().unwrap().0 - samples[0].0,
        }
    }

    /// Returns the growth over the measured time in MiB, by the slope.
    fn growth(&self) -> f64 {
        self.slope * self.seconds
    }

    fn is_flat(&self) -> bool {
        self.growth() <= SLACK.0 + SLACK.1 * self.median
    }
}

impl std::fmt::Display for Trend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { median, most, slope, seconds } = self;
        write!(
            f,
            "median {median:.1} MiB, max {most:.1} MiB, slope {:+.2} MiB a minute, {:+.1} MiB over the last {seconds:.0} s",
            slope * 60.0,
            self.growth()
        )
    }
}

#[test]
fn trend_reports_growth_and_ignores_fluctuation() {
    let samples = |growth: f64, noise: f64| -> Vec<(f64, f64)> {
        let noise = |step: u32| if step.is_multiple_of(2) { noise } else { -noise };
        (0..900)
            .map(|step| (f64::from(step) * 2.0, 60.0 + growth * f64::from(step) / 900.0 + noise(step)))
            .collect()
    };
    assert!(Trend::of(&samples(0.0, 0.0)).is_flat());
    assert!(Trend::of(&samples(0.0, 20.0)).is_flat());
    assert!(Trend::of(&samples(-30.0, 1.0)).is_flat());
    assert!(!Trend::of(&samples(15.0, 1.0)).is_flat());
    // Memory that is allocated in the first third is not growth.
    let mut start = samples(0.0, 1.0);
    start[..290].iter_mut().for_each(|sample| sample.1 /= 3.0);
    assert!(Trend::of(&start).is_flat());
}
