//! Compares the whole worker with bare consumption in CPU-seconds of the process. Both read the same prefilled topic in
//! alternating rounds.
//!
//! The worker is the released program. It consumes, admits, combines, merges, folds and publishes exactly once. Bare
//! consumption is the poll function of librdkafka in a separate process, which reads only the lengths of records.
//! Beacons are JSON objects of about 300 bytes, one per record, with lz4, 40,000 live sessions and five breakdowns. The
//! CPU time of the worker includes its start. `cargo bench --bench worker -- 8000000` sets another number of beacons.
#![expect(clippy::unwrap_used, clippy::print_stdout, clippy::disallowed_methods, reason = "a benchmark")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crowdfold_loadgen::{Mix, Players, PlayersConfig};
use crowdfold_model::murmur2;
use crowdfold_testkit::{Kafka, Options, binary, unique};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

const PARTITIONS: u32 = 4;

fn main() {
    let arguments: Vec<_> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "--bare") {
        return bare(&arguments[at + 1], &arguments[at + 2], arguments[at + 3].parse().unwrap());
    }
    let smoke = arguments.iter().any(|argument| argument == "--test");
    let asked = arguments.iter().filter_map(|argument| argument.parse().ok()).next();
    let (beacons, rounds) = if smoke { (20_000, 1) } else { (asked.unwrap_or(2_000_000), 5) };

    let program = binary("crowdfold");
    let kafka = Kafka::start(Options::default());
    let topic = unique("beacons");
    kafka.create_topic(
        &topic,
        PARTITIONS,
        &[("message.timestamp.after.max.ms", "60000"), ("retention.ms", "2640000"), ("segment.ms", "660000")],
    );
    let bytes = fill(&kafka, &topic, beacons);
    println!(
        "{beacons} beacons of {} bytes, {PARTITIONS} partitions, lz4, {rounds} rounds in turn",
        bytes / beacons
    );
    let (mut worker, mut poll) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        worker.push(beacons as f64 / run_worker(&program, &kafka, &topic, beacons).as_secs_f64());
        poll.push(beacons as f64 / run_bare(&kafka, &topic, beacons).as_secs_f64());
    }
    let show = |name: &str, rates: &[f64]| {
        let (low, high) =
            rates.iter().fold((f64::MAX, 0.0_f64), |(low, high), r| (low.min(*r), high.max(*r)));
        println!(
            "{name:>22}: {:>9.0} beacons per CPU-second (median; {low:.0} to {high:.0})",
            median(rates.to_vec())
        );
    };
    show("worker", &worker);
    show("bare poll", &poll);
    let ratios = worker.iter().zip(&poll).map(|(worker, poll)| worker / poll).collect();
    println!("{:>22}: {:>9.2} (median of the rounds)", "worker / bare poll", median(ratios));
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Returns the user and system CPU time of all threads of a process, in ticks of 10 ms. Runs take seconds.
fn cpu(pid: &str) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}

/// Writes beacons of the last twenty minutes, with the keys and partitions of producers. Returns the size of their
/// values in bytes.
fn fill(kafka: &Kafka, topic: &str, beacons: u64) -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64;
    let sessions = 40_000;
    let config = PlayersConfig {
        sessions,
        start_ms: now - 20 * 60_000,
        // All beacons are within fifteen minutes.
        heartbeat_ms: (u64::from(sessions) * 15 * 60_000 / beacons.max(1)).clamp(1_000, 30_000) as u32,
        mix: Mix::lean(),
        ..PlayersConfig::default()
    };
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", kafka.bootstrap())
        .set("compression.codec", "lz4")
        .set("linger.ms", "50")
        .set("batch.num.messages", "1000")
        .create()
        .unwrap();
    let mut bytes = 0;
    for report in Players::new(config).unwrap().take(beacons as usize) {
        let session = report.session().unwrap_or_default();
        bytes += report.payload.len() as u64;
        let partition = (murmur2(session.as_bytes()) & 0x7fff_ffff) % PARTITIONS;
        let mut record = BaseRecord::<[u8], [u8]>::to(topic)
            .partition(partition as i32)
            .key(session.as_bytes())
            .timestamp(report.sent_ms as i64)
            .payload(&report.payload);
        while let Err((_, back)) = producer.send(record) {
            record = back;
            producer.poll(Duration::from_millis(10));
        }
    }
    producer.flush(Duration::from_secs(120)).unwrap();
    bytes
}

/// Returns the CPU time of the program until every beacon is released or withheld.
fn run_worker(program: &Path, kafka: &Kafka, topic: &str, beacons: u64) -> Duration {
    let prefix = unique("bench");
    let day = [
        ("retention.ms", "17040000"),
        ("segment.ms", "4260000"),
        ("message.timestamp.type", "LogAppendTime"),
    ];
    for (name, partitions) in [("partials", 2), ("rollups", 2), ("rejections", 1)] {
        kafka.create_topic(&format!("{prefix}.{name}"), partitions, &day);
    }
    let config = format!(
        "[kafka]\nbrokers = [\"{}\"]\nprefix = \"{prefix}\"\n[source]\ntopic = \"{topic}\"\ntrust_timestamps = true\n\
         idle_timeout = \"1s\"\n[ttl]\nbeacons = \"2h\"\n[topics]\nbeacon_partitions = {PARTITIONS}\npartial_partitions = 2\nreplication = 1\n\
         [metrics]\nlisten = \"127.0.0.1:0\"\n",
        kafka.bootstrap()
    );
    let path = std::env::temp_dir().join(&prefix);
    std::fs::write(&path, config).unwrap();
    let mut child = Ended(
        Command::new(program).args(["run", "--config"]).arg(&path).stderr(Stdio::piped()).spawn().unwrap(),
    );
    let mut lines = BufReader::new(child.0.stderr.take().unwrap()).lines().map_while(Result::ok);
    let address = lines.by_ref().find_map(|line| Some(line.split_once("http://")?.1.to_owned())).unwrap();
    let log = std::thread::spawn(move || lines.collect::<Vec<_>>());
    loop {
        std::thread::sleep(Duration::from_millis(200));
        if child.0.try_wait().unwrap().is_some() {
            panic!("the worker exited: {:#?}", log.join().unwrap());
        }
        // Counters are rounded down to multiples of k.
        let done = ["released", "withheld"].map(|outcome| counter(&address, outcome)).iter().sum::<u64>();
        let aside = ["late", "duplicate", "opted_out", "excluded", "rejected"];
        assert_eq!(aside.map(|outcome| counter(&address, outcome)).iter().sum::<u64>(), 0);
        if done + 100 >= beacons {
            let spent = cpu(&child.0.id().to_string());
            std::fs::remove_file(&path).unwrap();
            return spent;
        }
    }
}

/// A child process that is killed when it is dropped.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn counter(address: &str, outcome: &str) -> u64 {
    let mut page = String::new();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").unwrap();
    stream.read_to_string(&mut page).unwrap();
    let name = format!("crowdfold_beacons_total{{outcome=\"{outcome}\"}} ");
    page.lines().find_map(|line| line.strip_prefix(&name)?.parse().ok()).unwrap_or(0)
}

/// Returns the CPU time of a separate process that polls all records and reads their lengths.
fn run_bare(kafka: &Kafka, topic: &str, beacons: u64) -> Duration {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--bare", kafka.bootstrap(), topic, &beacons.to_string()])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    Duration::from_millis(text.trim().parse().unwrap())
}

fn bare(brokers: &str, topic: &str, beacons: u64) {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", unique("bare"))
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("fetch.queue.backoff.ms", "5")
        .create()
        .unwrap();
    let mut all = TopicPartitionList::new();
    for partition in 0..PARTITIONS {
        all.add_partition_offset(topic, partition as i32, Offset::Beginning).unwrap();
    }
    consumer.assign(&all).unwrap();
    let (mut count, mut bytes) = (0, 0);
    while count < beacons {
        if let Some(message) = consumer.poll(Duration::from_millis(100)) {
            bytes += message.unwrap().payload().unwrap_or_default().len();
            count += 1;
        }
    }
    assert!(bytes > 0);
    println!("{}", cpu("self").as_millis());
}
