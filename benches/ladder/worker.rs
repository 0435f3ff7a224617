//! Runs the released program.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crowdfold_testkit::{Kafka, unique};

use crate::{Cost, PARTITIONS};

/// Runs the program until every beacon is released or withheld. `threads` is the value of `worker.threads`. Returns the
/// cost of the program.
pub(crate) fn run(program: &Path, kafka: &Kafka, topic: &str, beacons: u64, threads: &str) -> Cost {
    let prefix = unique("bench");
    let day = [
        ("retention.ms", "17040000"),
        ("segment.ms", "4260000"),
        ("message.timestamp.type", "LogAppendTime"),
    ];
    for (name, partitions) in [("partials", 2), ("rollups", 2), ("rejections", 1)] {
        kafka.create_topic(&format!("{prefix}.{name}"), partitions, &day);
    }
    // a program that does not have the key refuses it, so the key is absent for the default
    let threads = if threads == "auto" { String::new() } else { format!("[worker]\nthreads = {threads}\n") };
    let config = format!(
        "[kafka]\nbrokers = [\"{}\"]\nprefix = \"{prefix}\"\n[source]\ntopic = \"{topic}\"\ntrust_timestamps = true\n\
         idle_timeout = \"1s\"\n[ttl]\nbeacons = \"2h\"\n[topics]\nbeacon_partitions = {PARTITIONS}\npartial_partitions = 2\nreplication = 1\n\
         {threads}[metrics]\nlisten = \"127.0.0.1:0\"\n",
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
    let mut progress = Progress::default();
    loop {
        std::thread::sleep(Duration::from_millis(20));
        if child.0.try_wait().unwrap().is_some() {
            panic!("the worker exited: {:#?}", log.join().unwrap());
        }
        // Counters are rounded down to multiples of k. Therefore the sum of two counters may be too small by up to 2k.
        progress.observe(counter(&address, "read"), beacons);
        let done = ["released", "withheld"].map(|outcome| counter(&address, outcome)).iter().sum::<u64>();
        let aside = ["late", "duplicate", "opted_out", "excluded", "rejected"];
        assert_eq!(aside.map(|outcome| counter(&address, outcome)).iter().sum::<u64>(), 0);
        if done + 100 >= beacons {
            let cost = Cost::of(&child.0.id().to_string(), beacons);
            std::fs::remove_file(&path).unwrap();
            return Cost { per_second: progress.rate(), ..cost };
        }
    }
}

/// The times at which the count of beacons increased. The start of the worker and the end of the input are excluded,
/// because the worker waits for the group and for idle partitions.
#[derive(Default)]
struct Progress {
    first: Option<(u64, Instant)>,
    last: Option<(u64, Instant)>,
}

impl Progress {
    fn observe(&mut self, count: u64, beacons: u64) {
        let previous = self.last.or(self.first).map_or(0, |(count, _)| count);
        if count == previous || count > beacons * 9 / 10 {
            return;
        }
        let now = Some((count, Instant::now()));
        if self.first.is_none() {
            self.first = now;
        } else {
            self.last = now;
        }
    }

    /// Returns the beacons per second between the first and the last observation.
    fn rate(&self) -> Option<f64> {
        let ((before, from), (after, to)) = self.first.zip(self.last)?;
        Some((after - before) as f64 / (to - from).as_secs_f64())
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
