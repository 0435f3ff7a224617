//! Compares the CPU time of the complete worker with the CPU time of its parts and of a plain Rust program.
//!
//! All steps process the same beacons of one topic on a real Kafka, in alternating rounds. Each step runs in its own
//! process:
//!
//! | step | work |
//! |---|---|
//! | poll | `poll` of librdkafka; only the lengths of the records are read |
//! | batch | batches from the queue of each partition; only the lengths of the records are read |
//! | admit | the same records from memory, from bytes to observations |
//! | admit + combine | the same records from memory, from bytes to closed windows |
//! | worker, 1 thread | the released program with `worker.threads = 1`: consume, admit, combine, merge, fold and publish exactly once |
//! | worker | the same with the default number of threads |
//! | plain Rust | `StreamConsumer`, serde_json and `HashMap`; publishes at least once |
//!
//! Beacons are JSON objects of about 340 bytes, one per record, compressed with lz4. There are 40,000 live sessions and
//! five breakdowns. The CPU time includes the start of the process, except in the two steps from memory. `cargo bench
//! --bench ladder -- 8000000` sets another number of beacons, and `--program PATH` another program as the worker, for
//! example an older version. `--steps worker` performs only the steps whose name contains a word.
#![expect(clippy::unwrap_used, clippy::print_stdout, clippy::disallowed_methods, reason = "a benchmark")]

mod memory;
mod plain;
mod read;
mod topic;
mod worker;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crowdfold_testkit::{Kafka, Options, binary};

const PARTITIONS: u32 = 4;

/// A function that performs a step. It processes this number of beacons from a topic on these brokers.
type Step = fn(&str, &str, u64) -> Cost;

/// The steps that this program performs itself, each in its own process.
const STEPS: [(&str, Step); 5] = [
    ("poll", read::poll),
    ("batch", read::batch),
    ("admit", memory::admit),
    ("admit + combine", memory::combine),
    ("plain Rust", plain::run),
];

const WORKER: &str = "worker";

/// The worker with `worker.threads = 1`.
const ONE_THREAD: &str = "worker, 1 thread";

/// The cost of one step in one round.
struct Cost {
    beacons: u64,
    cpu: Duration,
    /// The maximum resident memory of the process in MiB.
    peak_mib: u64,
    /// The beacons per second of elapsed time while there is input, for the worker.
    per_second: Option<f64>,
}

impl Cost {
    /// Returns the cost of a process up to now.
    fn of(process: &str, beacons: u64) -> Self {
        Self { beacons, cpu: cpu(process), peak_mib: peak_mib(process), per_second: None }
    }

    fn rate(&self) -> f64 {
        self.beacons as f64 / self.cpu.as_secs_f64()
    }
}

fn main() {
    let arguments: Vec<_> = std::env::args().collect();
    let after = |name: &str| arguments.iter().position(|argument| argument == name).map(|at| at + 1);
    if let Some(at) = after("--step") {
        let [step, brokers, topic, beacons] = &arguments[at..at + 4] else { unreachable!() };
        let (_, run) = STEPS.iter().find(|(name, _)| name == step).unwrap();
        let cost = run(brokers, topic, beacons.parse().unwrap());
        println!("{} {} {}", cost.beacons, cost.cpu.as_millis(), cost.peak_mib);
        return;
    }
    let smoke = arguments.iter().any(|argument| argument == "--test");
    let asked = arguments.iter().filter_map(|argument| argument.parse().ok()).next();
    let (beacons, rounds) = if smoke { (20_000, 1) } else { (asked.unwrap_or(2_000_000), 5) };
    let program = after("--program").map_or_else(|| binary("crowdfold"), |at| PathBuf::from(&arguments[at]));

    let kafka = Kafka::start(Options::default());
    let topic = topic::filled(&kafka, beacons);
    kafka.create_topic(&plain::output(&topic.name), 2, &[]);
    println!(
        "{beacons} beacons of {} bytes, {PARTITIONS} partitions, lz4, {rounds} alternating rounds",
        topic.bytes / beacons
    );
    let mut steps: Vec<(&str, Vec<Cost>)> = STEPS.map(|(name, _)| (name, Vec::new())).into();
    steps.extend([ONE_THREAD, WORKER].map(|name| (name, Vec::new())));
    if let Some(at) = after("--steps") {
        steps.retain(|(name, _)| name.contains(&arguments[at]) || *name == WORKER);
    }
    for _ in 0..rounds {
        for (name, costs) in &mut steps {
            costs.push(match *name {
                ONE_THREAD => worker::run(&program, &kafka, &topic.name, beacons, "1"),
                WORKER => worker::run(&program, &kafka, &topic.name, beacons, "auto"),
                name => in_own_process(name, &kafka, &topic.name, beacons),
            });
        }
    }
    print(&steps);
}

/// Starts this program again to perform one step.
fn in_own_process(step: &str, kafka: &Kafka, topic: &str, beacons: u64) -> Cost {
    let this: &Path = &std::env::current_exe().unwrap();
    let arguments = ["--step", step, kafka.bootstrap(), topic, &beacons.to_string()];
    let output = Command::new(this).args(arguments).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let numbers: Vec<u64> = text.split_whitespace().map_while(|number| number.parse().ok()).collect();
    let [beacons, cpu, peak_mib] = numbers[..] else {
        panic!("{step} failed: {}", String::from_utf8_lossy(&output.stderr))
    };
    Cost { beacons, cpu: Duration::from_millis(cpu.max(1)), peak_mib, per_second: None }
}

fn print(steps: &[(&str, Vec<Cost>)]) {
    println!(
        "{:>16}  {:>38}  {:>8}  {:>12}  {:>18}",
        "", "beacons per CPU-second", "peak", "worker / it", "beacons per second"
    );
    let worker = &steps.iter().find(|(name, _)| *name == WORKER).unwrap().1;
    for (name, costs) in steps {
        let rates: Vec<_> = costs.iter().map(Cost::rate).collect();
        let (low, high) =
            rates.iter().fold((f64::MAX, 0.0_f64), |(low, high), r| (low.min(*r), high.max(*r)));
        let ratios = worker.iter().zip(&rates).map(|(worker, rate)| worker.rate() / rate).collect();
        let peak_mib = costs.iter().map(|cost| cost.peak_mib).max().unwrap();
        let elapsed: Vec<_> = costs.iter().filter_map(|cost| cost.per_second).collect();
        let elapsed = if elapsed.is_empty() { String::new() } else { format!("{:.0}", median(elapsed)) };
        println!(
            "{name:>16}  {:>9.0} (median; {low:>9.0} to {high:>9.0})  {peak_mib:>4} MiB  {:>12.2}  {elapsed:>18}",
            median(rates),
            median(ratios)
        );
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Returns the user and system CPU time of all threads of a process. The resolution is 10 ms, which is sufficient
/// because a run takes seconds.
fn cpu(process: &str) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}

fn peak_mib(process: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    peak.split_whitespace().next().unwrap().parse::<u64>().unwrap() / 1_024
}
