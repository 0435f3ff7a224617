//! Gives each test its own topics, its own configuration, and access to the program and its output.
#![expect(clippy::unwrap_used, reason = "a panic shows the location of the failure")]

mod process;
mod records;
mod rows;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crowdfold_loadgen::{Faults, Mix, Players, PlayersConfig};
use crowdfold_model::murmur2;
use crowdfold_random::Random;
use crowdfold_testkit::oracle::{self, Outcome};
use crowdfold_testkit::{Kafka, binary, eventually, unique};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use tempfile::TempDir;

use crate::kafka_support::{Record, produce, producer, send};

pub(crate) use process::{Worker, armed_binary, get, signal};
pub(crate) use records::Seen;
pub(crate) use rows::{Row, assert_same_rows, assert_side_by_side, tables};

pub(crate) const TENANTS: [&str; 3] = ["acme", "blip", "tiny"];

/// The topics and settings of one test.
pub(crate) struct Deployment<'a> {
    pub(crate) kafka: &'a Kafka,
    pub(crate) prefix: String,
    /// The number of partitions of the beacons.
    pub(crate) partitions: u32,
    /// The number of partitions of the partials.
    pub(crate) partial_partitions: u32,
    /// The configuration in the form of the oracle.
    pub(crate) rules: oracle::Settings,
    /// Further keys of the configuration, with values as TOML.
    pub(crate) keys: BTreeMap<&'static str, String>,
    pub(crate) dir: TempDir,
}

impl<'a> Deployment<'a> {
    /// Creates a deployment with windows of two seconds, k = 10, and producers' timestamps. Topics are not created yet.
    pub(crate) fn new(kafka: &'a Kafka) -> Self {
        let breakdowns: [&[&str]; 3] =
            [&["device", "os", "browser"], &["stream", "format", "content"], &["cdn"]];
        Self {
            kafka,
            prefix: unique("w"),
            partitions: 4,
            partial_partitions: 2,
            rules: oracle::Settings {
                tenants: TENANTS.map(Into::into).to_vec(),
                default_tenant: TENANTS[0].into(),
                window: 2_000,
                lateness: 1_000,
                idle: 3_000,
                max_skew: 1_000,
                k: 10,
                breakdowns: breakdowns.map(|names| names.iter().map(ToString::to_string).collect()).to_vec(),
                ..oracle::Settings::default()
            },
            keys: BTreeMap::from([
                ("source.trust_timestamps", "true".into()),
                // The group waits for a dead member for this time, which is short in tests.
                ("kafka.properties.\"session.timeout.ms\"", "3000".into()),
                ("kafka.properties.\"heartbeat.interval.ms\"", "500".into()),
            ]),
            dir: TempDir::new().unwrap(),
        }
    }

    /// Sets a key of the configuration to a value, as TOML.
    pub(crate) fn set(&mut self, key: &'static str, value: &str) {
        self.keys.insert(key, value.into());
    }

    pub(crate) fn topic(&self, name: &str) -> String {
        format!("{}.{name}", self.prefix)
    }

    pub(crate) fn group(&self, stage: &str) -> String {
        format!("{}-{stage}", self.prefix)
    }

    /// Creates the topics as users do.
    pub(crate) fn with_topics(self) -> Self {
        let output = self.apply_topics();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        self
    }

    /// Runs `crowdfold topics apply`.
    pub(crate) fn apply_topics(&self) -> Output {
        let mut command = Command::new(binary("crowdfold"));
        command.args(["topics", "apply", "--config"]).arg(self.config("topics")).output().unwrap()
    }

    /// Writes the configuration of one worker.
    pub(crate) fn config(&self, instance: &str) -> PathBuf {
        let rules = &self.rules;
        let tables = |breakdowns: &[Vec<String>]| {
            let tables: Vec<_> = breakdowns.iter().map(|names| quoted(names)).collect();
            format!("[{}]", tables.join(", "))
        };
        let mut keys = BTreeMap::from([
            ("kafka.brokers", quoted(&self.kafka.bootstrap().split(',').map(Into::into).collect::<Vec<_>>())),
            ("kafka.prefix", format!("{:?}", self.prefix)),
            ("kafka.instance", format!("{instance:?}")),
            ("source.idle_timeout", "\"1s\"".into()),
            ("windows.length", format!("\"{}ms\"", rules.window)),
            ("windows.lateness", format!("\"{}ms\"", rules.lateness)),
            ("windows.max_skew", format!("\"{}ms\"", rules.max_skew)),
            ("sessions.idle_timeout", format!("\"{}ms\"", rules.idle)),
            ("tenants.names", quoted(&rules.tenants)),
            ("tenants.default", format!("{:?}", rules.default_tenant)),
            ("release.k", rules.k.to_string()),
            ("release.allow_small_k", "true".into()),
            ("release.breakdowns", tables(&rules.breakdowns)),
            ("release.detail_breakdown", detail(rules.detail, &rules.breakdowns)),
            ("topics.beacon_partitions", self.partitions.to_string()),
            ("topics.partial_partitions", self.partial_partitions.to_string()),
            ("topics.rollup_partitions", "2".into()),
            ("topics.replication", "1".into()),
            ("metrics.listen", "\"127.0.0.1:0\"".into()),
        ]);
        keys.extend(self.keys.iter().map(|(key, value)| (*key, value.clone())));
        let mut text: String = keys.iter().map(|(key, value)| format!("{key} = {value}\n")).collect();
        for (tenant, own) in &rules.own {
            let (k, breakdowns) = (own.k, tables(&own.breakdowns));
            text += &format!("[release.tenants.{tenant}]\nk = {k}\nbreakdowns = {breakdowns}\n");
            text += &format!("detail_breakdown = {}\n", detail(own.detail, &own.breakdowns));
        }
        let path = self.dir.path().join(format!("{instance}.toml"));
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Returns the partition of a session's beacons.
    pub(crate) fn partition_of(&self, session: &str) -> u32 {
        (murmur2(session.as_bytes()) & 0x7fff_ffff) % self.partitions
    }

    /// Returns the records of synthetic players by partition. The players begin at `start` and play for `length`
    /// milliseconds. The records contain all kinds of faults.
    pub(crate) fn players(
        &self,
        seed: u64,
        sessions: u32,
        start: u64,
        length: u64,
    ) -> Vec<Vec<oracle::Record>> {
        self.players_with(seed, sessions, start, length, Faults { late_by_ms: 5_000, ..Faults::some() })
    }

    /// Returns the records of synthetic players with these faults.
    pub(crate) fn players_with(
        &self,
        seed: u64,
        sessions: u32,
        start: u64,
        length: u64,
        faults: Faults,
    ) -> Vec<Vec<oracle::Record>> {
        let config = PlayersConfig {
            sessions,
            seed,
            start_ms: start,
            heartbeat_ms: 1_000,
            tenants: self.rules.tenants.clone(),
            // The oracle does not parse user agents.
            mix: Mix { user_agents: 0, ..Mix::default() },
            faults,
            ..PlayersConfig::default()
        };
        let mut log = vec![Vec::new(); self.partitions as usize];
        for report in Players::new(config).unwrap().take_while(|report| report.sent_ms < start + length) {
            // A beacon without a session may be in any partition.
            let partition =
                report.session().map_or(report.sent_ms as u32 % self.partitions, |s| self.partition_of(s));
            log[partition as usize]
                .push(oracle::Record { timestamp: Some(report.sent_ms), payload: report.payload });
        }
        log
    }

    /// Sends a log immediately. Each record has its own timestamp.
    pub(crate) fn produce(&self, log: &[Vec<oracle::Record>]) {
        produce(self.kafka, &self.topic("beacons"), &by_time(log));
    }

    /// Sends each record of a log at its timestamp. One producer sends all records. With several producers, one of them
    /// could be delayed beyond `source.idle_timeout`, and windows would close too early.
    pub(crate) fn produce_live(&self, log: &[Vec<oracle::Record>]) {
        let producer = producer(self.kafka, &[]);
        let records = by_time(log);
        let mut rest = records.as_slice();
        while !rest.is_empty() {
            let due = rest.partition_point(|record| record.timestamp <= Some(now() as i64));
            send(&producer, &self.topic("beacons"), &rest[..due]);
            rest = &rest[due..];
            sleep(100);
        }
    }

    /// Sends records without a value.
    pub(crate) fn tombstone(&self, partition: u32, copies: usize, timestamp: u64) {
        let tombstone = Record {
            partition,
            key: Some(b"key".to_vec()),
            timestamp: Some(timestamp as i64),
            ..Record::default()
        };
        produce(self.kafka, &self.topic("beacons"), &vec![tombstone; copies]);
    }

    /// Evaluates a log with the oracle.
    pub(crate) fn evaluate(&self, log: &[Vec<oracle::Record>]) -> Outcome {
        oracle::evaluate(log, &self.rules)
    }

    /// Returns the committed offsets of a stage's group by partition.
    pub(crate) fn committed(&self, stage: &str) -> Vec<Option<(i64, String)>> {
        let (topic, partitions) = match stage {
            "combine" => (self.topic("beacons"), self.partitions),
            _ => (self.topic("partials"), self.partial_partitions),
        };
        let mut list = TopicPartitionList::new();
        for partition in 0..partitions {
            list.add_partition(&topic, partition as i32);
        }
        // A broker that has just started may not know its groups yet.
        let offsets = eventually("the group's offsets are known", || {
            let offsets = self.member(stage).committed_offsets(list.clone(), Duration::from_secs(10));
            offsets.inspect_err(|error| eprintln!("the offsets of {}: {error}", self.group(stage))).ok()
        });
        offsets
            .elements()
            .iter()
            .map(|element| match element.offset() {
                Offset::Offset(offset) => Some((offset, element.metadata().to_owned())),
                _ => None,
            })
            .collect()
    }

    /// Creates a consumer of another program. It uses the group of a stage, but is not a member of the group.
    pub(crate) fn member(&self, stage: &str) -> BaseConsumer {
        ClientConfig::new()
            .set("bootstrap.servers", self.kafka.bootstrap())
            .set("group.id", self.group(stage))
            .set("enable.auto.commit", "false")
            .set("isolation.level", "read_committed")
            .create()
            .unwrap()
    }

    /// Returns true if all windows that end at or before `until` are committed in every partition of the partials.
    pub(crate) fn is_committed(&self, until: u64) -> bool {
        let closed = |held: &Option<(i64, String)>| field(&held.as_ref()?.1, "c");
        self.committed("merge").iter().all(|held| closed(held).is_some_and(|closed| closed >= until))
    }

    /// Waits until all windows that end at or before `until` are committed.
    pub(crate) fn await_committed(&self, until: u64) {
        eventually(&format!("windows until {until} are committed"), || {
            self.is_committed(until).then_some(())
        });
    }

    /// Returns the end of the window with the last beacon.
    pub(crate) fn last_end(&self, outcome: &Outcome) -> u64 {
        outcome.cells.keys().map(|key| key.start).max().unwrap() + self.rules.window
    }
}

/// Formats a list of words as TOML.
fn quoted(words: &[String]) -> String {
    format!("[{}]", words.iter().map(|w| format!("{w:?}")).collect::<Vec<_>>().join(", "))
}

/// Formats the detail table as TOML.
fn detail(detail: oracle::Detail, breakdowns: &[Vec<String>]) -> String {
    match detail {
        oracle::Detail::Last => "\"last\"".into(),
        oracle::Detail::None => "\"none\"".into(),
        oracle::Detail::Index(index) => quoted(&breakdowns[index]),
    }
}

/// Returns the records of a log in the order of their timestamps.
pub(crate) fn by_time(log: &[Vec<oracle::Record>]) -> Vec<Record> {
    let of = |(records, partition)| {
        let records: &Vec<oracle::Record> = records;
        records.iter().map(move |record| Record {
            timestamp: record.timestamp.map(|at| at as i64),
            ..Record::new(partition, &record.payload)
        })
    };
    let mut records: Vec<_> = log.iter().zip(0..).flat_map(of).collect();
    records.sort_by_key(|record| record.timestamp);
    records
}

/// Returns the number in a field of the metadata of an offset.
pub(crate) fn field(metadata: &str, name: &str) -> Option<u64> {
    metadata.split(' ').find_map(|word| word.strip_prefix(name)?.strip_prefix('=')?.parse().ok())
}

#[expect(clippy::disallowed_methods, reason = "beacons of a running worker need the current time")]
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64
}

/// Returns the start of the window that contains the time `ago` milliseconds ago.
pub(crate) fn window_ago(length: u64, ago: u64) -> u64 {
    (now() - ago) / length * length
}

pub(crate) fn sleep(milliseconds: u64) {
    std::thread::sleep(Duration::from_millis(milliseconds));
}

/// Creates a generator of random numbers, and prints its seed, so that a failed test can be repeated with it.
/// `CROWDFOLD_SEED` sets the seed.
#[expect(
    clippy::disallowed_methods,
    reason = "the input of a test is not part of the program's configuration"
)]
pub(crate) fn seeded_random(what: &str) -> Random {
    let asked = std::env::var("CROWDFOLD_SEED").ok().and_then(|seed| seed.parse().ok());
    let drawn = || u64::from_str_radix(unique("").trim_start_matches('-'), 16).unwrap();
    let seed = asked.unwrap_or_else(drawn);
    eprintln!("{what}: seed {seed}");
    Random::new(seed)
}
