//! Benchmarks reading records from Kafka, in CPU time of this process. It compares [`crowdfold_kafka::Source`] with the
//! poll function of librdkafka, which other Rust clients use. `Source` reads batches from one partition at a time. The
//! poll function returns single records.
//!
//! Both methods read the same prefilled topic with four partitions, in alternating rounds. The benchmark prints
//! medians. `cargo bench --bench consume -- 4000000` sets the number of records.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark")]

use std::collections::BTreeMap;
use std::time::Duration;

use crowdfold_kafka::{ClientSettings, Event, Source, SourceSettings};
use crowdfold_testkit::{Kafka, Options, unique};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

const PARTITIONS: u32 = 4;
const BYTES: usize = 300;
const ROUNDS: usize = 5;
const CODECS: [&str; 3] = ["lz4", "none", "zstd"];

fn main() {
    let smoke = std::env::args().any(|argument| argument == "--test");
    let asked = std::env::args().filter_map(|argument| argument.parse().ok()).next();
    let (records, rounds, codecs) =
        if smoke { (20_000, 1, &CODECS[..1]) } else { (asked.unwrap_or(2_000_000_u64), ROUNDS, &CODECS[..]) };
    let kafka = Kafka::start(Options::default());
    println!("{records} records of {BYTES} bytes, {PARTITIONS} partitions, medians of {rounds} rounds");
    println!("{:>6}  {:>10} {:>10}  {:>12} {:>12}  ratio", "codec", "batch", "poll", "batch", "poll");
    for codec in codecs {
        let topic = unique(codec);
        kafka.create_topic(&topic, PARTITIONS, &[]);
        fill(&kafka, &topic, codec, records);
        let (mut batch, mut poll) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            batch.push(measured(records, || by_batch(&kafka, &topic, records)));
            poll.push(measured(records, || by_poll(&kafka, &topic, records)));
        }
        let (batch, poll) = (median(batch), median(poll));
        let rate = |nanos: f64| format!("{:.2} M/s", 1_000.0 / nanos);
        let (batch_rate, poll_rate) = (rate(batch), rate(poll));
        println!(
            "{codec:>6}  {batch:>7.0} ns {poll:>7.0} ns  {batch_rate:>12} {poll_rate:>12}  {:.2}",
            poll / batch
        );
    }
}

/// Returns the CPU time per record in nanoseconds. It includes all threads of this process, also the threads of
/// librdkafka.
fn measured(records: u64, run: impl FnOnce() -> u64) -> f64 {
    let before = cpu();
    let bytes = run();
    let spent = cpu() - before;
    assert_eq!(bytes, records * BYTES as u64);
    spent.as_nanos() as f64 / records as f64
}

/// Returns the user and system CPU time of this process. The resolution is 10 ms, which is sufficient because runs
/// take seconds.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn fill(kafka: &Kafka, topic: &str, codec: &str, records: u64) {
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", kafka.bootstrap())
        .set("compression.codec", codec)
        .set("linger.ms", "50")
        .set("batch.num.messages", "1000")
        .create()
        .unwrap();
    for i in 0..records {
        let mut value = format!(r#"{{"session":"{:x}","#, i.wrapping_mul(0x9e37_79b9_7f4a_7c15)).into_bytes();
        while value.len() < BYTES {
            value.extend_from_slice(
                br#""os":"Windows","browser":"Chrome","playing_ms":10000,"bitrate_kbps":4500,"#,
            );
        }
        value.truncate(BYTES);
        let mut record =
            BaseRecord::<(), [u8]>::to(topic).partition((i % u64::from(PARTITIONS)) as i32).payload(&value);
        while let Err((_, back)) = producer.send(record) {
            record = back;
            producer.poll(Duration::from_millis(10));
        }
    }
    producer.flush(Duration::from_secs(120)).unwrap();
}

fn by_batch(kafka: &Kafka, topic: &str, records: u64) -> u64 {
    let client = ClientSettings {
        brokers: kafka.bootstrap().into(),
        client_id: "bench".into(),
        properties: BTreeMap::new(),
    };
    let settings = SourceSettings::new(topic, &unique("group"), &unique("instance"));
    let mut source = Source::open(&client, settings).unwrap();
    while !matches!(source.poll(Duration::from_secs(1)).unwrap(), Some(Event::Assigned(_))) {}
    let (mut count, mut bytes) = (0, 0);
    while count < records {
        source.poll(Duration::ZERO).unwrap();
        let mut drained = true;
        for partition in 0..PARTITIONS {
            let read = source.read(partition, 1_000, |message| bytes += message.payload().len() as u64);
            let read = read.unwrap();
            count += read.count as u64;
            drained &= read.drained;
        }
        if drained && count < records {
            source.wait(Duration::from_millis(100));
        }
    }
    bytes
}

fn by_poll(kafka: &Kafka, topic: &str, records: u64) -> u64 {
    // The settings equal those of the source, so the results differ only because of the method of reading.
    let queue = (SourceSettings::new(topic, "", "").queue_kib / PARTITIONS).to_string();
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", kafka.bootstrap())
        .set("group.id", unique("group"))
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("isolation.level", "read_committed")
        .set("queued.max.messages.kbytes", queue)
        .set("fetch.queue.backoff.ms", "5")
        .create()
        .unwrap();
    let mut all = TopicPartitionList::new();
    for partition in 0..PARTITIONS {
        all.add_partition_offset(topic, partition as i32, Offset::Beginning).unwrap();
    }
    consumer.assign(&all).unwrap();
    let (mut count, mut bytes) = (0, 0);
    while count < records {
        if let Some(message) = consumer.poll(Duration::from_millis(100)) {
            bytes += message.unwrap().payload().unwrap_or_default().len() as u64;
            count += 1;
        }
    }
    bytes
}
