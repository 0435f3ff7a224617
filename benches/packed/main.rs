//! Compares the CPU time of the worker for packed records with its CPU time for plain JSON beacons.
//!
//! | topic | records |
//! |---|---|
//! | plain JSON | one JSON beacon each, as in the benchmark `ladder` |
//! | packed JSON | the same beacons as the collector packs them, with one beacon in each request |
//! | packed CMCD | requests with ten CMCD events each, as the collector packs them |
//!
//! The worker is the released program with one thread. It reads each topic from a real Kafka, in alternating rounds. The CPU time
//! includes the start of the process. `cargo bench --bench packed -- 2000000` sets another number of beacons.
#![expect(clippy::unwrap_used, clippy::print_stdout, clippy::disallowed_methods, reason = "a benchmark")]

mod fill;
#[path = "../ladder/topic.rs"]
mod topic;
#[path = "../ladder/worker.rs"]
mod worker;

use std::time::Duration;

use crowdfold_testkit::{Kafka, Options, binary};

const PARTITIONS: u32 = 4;

/// The cost of one run of the worker.
struct Cost {
    beacons: u64,
    cpu: Duration,
    /// The beacons per second of elapsed time, or `None` if the run was too short.
    per_second: Option<f64>,
}

impl Cost {
    /// Returns the cost of a process up to now. The resolution of the CPU time is 10 ms.
    fn of(process: &str, beacons: u64) -> Self {
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        Self { beacons, cpu: Duration::from_millis(ticks * 10), per_second: None }
    }

    fn nanoseconds(&self) -> f64 {
        self.cpu.as_nanos() as f64 / self.beacons as f64
    }
}

fn main() {
    let arguments: Vec<_> = std::env::args().collect();
    let smoke = arguments.iter().any(|argument| argument == "--test");
    let asked = arguments.iter().filter_map(|argument| argument.parse().ok()).next();
    let (beacons, rounds) = if smoke { (20_000, 1) } else { (asked.unwrap_or(2_000_000), 5) };
    let program = binary("crowdfold");
    let kafka = Kafka::start(Options::default());
    let topics = [
        ("plain JSON", topic::filled(&kafka, beacons)),
        ("packed JSON", fill::json(&kafka, beacons)),
        ("packed CMCD", fill::cmcd(&kafka, beacons)),
    ];
    let mut costs = topics.each_ref().map(|_| Vec::new());
    for _ in 0..rounds {
        for ((_, topic), costs) in topics.iter().zip(&mut costs) {
            costs.push(worker::run(&program, &kafka, &topic.name, beacons, "1"));
        }
    }
    println!("{beacons} beacons, {PARTITIONS} partitions, lz4, {rounds} alternating rounds");
    println!(
        "{:>12}  {:>8}  {:>24}  {:>10}  {:>10}",
        "", "bytes", "CPU time per beacon", "of plain", "per second"
    );
    for ((name, topic), each) in topics.iter().zip(&costs) {
        let times: Vec<_> = each.iter().map(Cost::nanoseconds).collect();
        let ratios = each.iter().zip(&costs[0]).map(|(it, plain)| it.nanoseconds() / plain.nanoseconds());
        let ratio = median(ratios.collect());
        let (low, high) =
            times.iter().fold((f64::MAX, 0.0_f64), |(low, high), t| (low.min(*t), high.max(*t)));
        let rates: Vec<_> = each.iter().filter_map(|cost| cost.per_second).collect();
        let rate = if rates.is_empty() { "-".into() } else { format!("{:.0}", median(rates)) };
        println!(
            "{name:>12}  {:>8}  {:>6.0} ns ({low:.0} to {high:.0})  {ratio:>10.2}  {rate:>10}",
            topic.bytes / beacons,
            median(times)
        );
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
