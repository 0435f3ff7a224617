//! A plain Rust program for comparison, as an engineer would write it without this project. It uses a `StreamConsumer`,
//! serde_json, and a `HashMap` of sessions by window. It publishes at least once. It has no sessions across windows, no
//! opt-outs, no validation of strings, no noise and no percentiles.

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Duration;

use crowdfold_testkit::unique;
use rdkafka::ClientConfig;
use rdkafka::consumer::{CommitMode, Consumer, StreamConsumer};
use rdkafka::message::{BorrowedMessage, Message};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{Offset, TopicPartitionList};
use serde::{Deserialize, Serialize};

use crate::{Cost, PARTITIONS};

const WINDOW: u64 = 60_000;
const LATENESS: u64 = 30_000;
const K: u64 = 50;

/// The dimensions of each breakdown, as indexes into [`Summary::dimensions`].
const BREAKDOWNS: [&[usize]; 5] = [&[0, 1], &[2, 3, 4], &[5, 6], &[7, 8, 9], &[10, 11]];

const NAMES: [&str; 12] = [
    "country",
    "asn",
    "device",
    "os",
    "browser",
    "player",
    "player_version",
    "stream",
    "format",
    "content",
    "cdn",
    "connection",
];

#[derive(Deserialize)]
struct Beacon<'a> {
    ts: u64,
    #[serde(borrow)]
    session: Cow<'a, str>,
    #[serde(borrow, default)]
    event: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    country: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    asn: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    device: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    os: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    browser: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    player: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    player_version: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    stream: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    format: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    content: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    cdn: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    connection: Option<Cow<'a, str>>,
    #[serde(default)]
    playing_ms: u64,
    #[serde(default)]
    stalled_ms: u64,
    #[serde(default)]
    stalls: u64,
    #[serde(default)]
    bitrate_kbps: Option<u64>,
    #[serde(default)]
    startup_ms: Option<u64>,
}

/// The summary of one session in one window.
#[derive(Default)]
struct Summary {
    dimensions: [Option<String>; NAMES.len()],
    last: u64,
    beacons: u64,
    plays: u64,
    playing_ms: u64,
    stalled_ms: u64,
    stalls: u64,
    bitrate_kbps: (u64, u64),
    startup_ms: (u64, u64),
}

#[derive(Default, Serialize)]
struct Cell {
    sessions: u64,
    beacons: u64,
    plays: u64,
    playing_ms: u64,
    stalled_ms: u64,
    stalls: u64,
    bitrate_kbps: (u64, u64),
    startup_ms: (u64, u64),
}

#[derive(Serialize)]
struct Row<'a> {
    window: u64,
    dimensions: HashMap<&'static str, &'a str>,
    #[serde(flatten)]
    cell: Cell,
}

/// The open windows of one partition.
#[derive(Default)]
struct Partition {
    /// The summaries by the start of the window and by session.
    windows: HashMap<u64, HashMap<String, Summary>>,
    /// The offset of the first beacon of each open window.
    first: HashMap<u64, i64>,
    newest: u64,
    next_offset: i64,
}

/// Returns the name of the topic with the published rows.
pub(crate) fn output(topic: &str) -> String {
    format!("{topic}.plain")
}

/// Consumes this number of beacons, and publishes the rows of all windows.
pub(crate) fn run(brokers: &str, topic: &str, beacons: u64) -> Cost {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(consume(brokers, topic, beacons));
    Cost::of("self", beacons)
}

async fn consume(brokers: &str, topic: &str, beacons: u64) {
    let consumer: StreamConsumer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", unique("plain"))
        .set("enable.auto.commit", "false")
        .set("auto.offset.reset", "earliest")
        .set("fetch.queue.backoff.ms", "5")
        .create()
        .unwrap();
    consumer.subscribe(&[topic]).unwrap();
    let producer: BaseProducer =
        ClientConfig::new().set("bootstrap.servers", brokers).set("linger.ms", "50").create().unwrap();
    let output = output(topic);
    let mut partitions: Vec<_> = (0..PARTITIONS).map(|_| Partition::default()).collect();
    let mut watermark = 0;
    for nth in 0..beacons {
        let message = consumer.recv().await.unwrap();
        partitions[message.partition() as usize].add(&message);
        if nth % 1_000 == 0 {
            let reached = partitions.iter().map(|partition| partition.newest).min().unwrap();
            if reached.saturating_sub(LATENESS) / WINDOW > watermark / WINDOW {
                watermark = reached.saturating_sub(LATENESS);
                close(&consumer, &producer, (topic, &output), &mut partitions, watermark);
            }
        }
    }
    close(&consumer, &producer, (topic, &output), &mut partitions, u64::MAX);
}

impl Partition {
    fn add(&mut self, message: &BorrowedMessage<'_>) {
        self.next_offset = message.offset() + 1;
        let Ok(beacon) = serde_json::from_slice::<Beacon<'_>>(message.payload().unwrap_or_default()) else {
            return;
        };
        let record = message.timestamp().to_millis().unwrap_or_default() as u64;
        self.newest = self.newest.max(record);
        let time = beacon.ts.min(record);
        let start = time - time % WINDOW;
        self.first.entry(start).or_insert(message.offset());
        let sessions = self.windows.entry(start).or_default();
        if !sessions.contains_key(&*beacon.session) {
            sessions.insert(beacon.session.to_string(), Summary::default());
        }
        let summary = sessions.get_mut(&*beacon.session).unwrap();
        if summary.last == beacon.ts {
            return;
        }
        summary.add(&beacon);
    }
}

impl Summary {
    fn add(&mut self, beacon: &Beacon<'_>) {
        let values = [
            &beacon.country,
            &beacon.asn,
            &beacon.device,
            &beacon.os,
            &beacon.browser,
            &beacon.player,
            &beacon.player_version,
            &beacon.stream,
            &beacon.format,
            &beacon.content,
            &beacon.cdn,
            &beacon.connection,
        ];
        for (known, value) in self.dimensions.iter_mut().zip(values) {
            if let (None, Some(value)) = (&known, value) {
                *known = Some(value.to_string());
            }
        }
        self.last = beacon.ts;
        self.beacons += 1;
        self.plays += u64::from(beacon.event.as_deref() == Some("play"));
        self.playing_ms += beacon.playing_ms;
        self.stalled_ms += beacon.stalled_ms;
        self.stalls += beacon.stalls;
        for (sum, value) in
            [(&mut self.bitrate_kbps, beacon.bitrate_kbps), (&mut self.startup_ms, beacon.startup_ms)]
        {
            if let Some(value) = value {
                *sum = (sum.0 + value, sum.1 + 1);
            }
        }
    }

    fn add_to(&self, cell: &mut Cell) {
        cell.sessions += 1;
        cell.beacons += self.beacons;
        cell.plays += self.plays;
        cell.playing_ms += self.playing_ms;
        cell.stalled_ms += self.stalled_ms;
        cell.stalls += self.stalls;
        for (sum, (total, count)) in
            [(&mut cell.bitrate_kbps, self.bitrate_kbps), (&mut cell.startup_ms, self.startup_ms)]
        {
            if let Some(mean) = total.checked_div(count) {
                *sum = (sum.0 + mean, sum.1 + 1);
            }
        }
    }
}

/// Publishes the rows of every window that ends at or before `until`, and then commits the offsets.
fn close(
    consumer: &StreamConsumer,
    producer: &BaseProducer,
    (topic, output): (&str, &str),
    partitions: &mut [Partition],
    until: u64,
) {
    let is_closed = |start: &u64| start.saturating_add(WINDOW) <= until;
    let mut closed: HashMap<u64, Vec<HashMap<String, Summary>>> = HashMap::new();
    for partition in partitions.iter_mut() {
        partition.first.retain(|start, _| !is_closed(start));
        for (start, sessions) in partition.windows.extract_if(|start, _| is_closed(start)) {
            closed.entry(start).or_default().push(sessions);
        }
    }
    for (window, partials) in closed {
        for breakdown in BREAKDOWNS {
            let mut cells: HashMap<Vec<&str>, Cell> = HashMap::new();
            for summary in partials.iter().flat_map(HashMap::values) {
                let value = |at: &usize| summary.dimensions[*at].as_deref().unwrap_or("unknown");
                summary.add_to(cells.entry(breakdown.iter().map(value).collect()).or_default());
            }
            for (values, cell) in cells.into_iter().filter(|(_, cell)| cell.sessions >= K) {
                let names = breakdown.iter().map(|at| NAMES[*at]);
                let row = Row { window, dimensions: names.zip(values).collect(), cell };
                publish(producer, output, &serde_json::to_vec(&row).unwrap());
            }
        }
    }
    producer.flush(Duration::from_secs(60)).unwrap();
    let mut offsets = TopicPartitionList::new();
    for (number, partition) in (0..).zip(partitions) {
        let safe = partition.first.values().copied().min().unwrap_or(partition.next_offset);
        offsets.add_partition_offset(topic, number, Offset::Offset(safe)).unwrap();
    }
    consumer.commit(&offsets, CommitMode::Sync).unwrap();
}

fn publish(producer: &BaseProducer, topic: &str, row: &[u8]) {
    let mut record = BaseRecord::<(), [u8]>::to(topic).payload(row);
    while let Err((_, back)) = producer.send(record) {
        record = back;
        producer.poll(Duration::from_millis(10));
    }
}
