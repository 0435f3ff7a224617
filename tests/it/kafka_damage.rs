//! Tests with batches that cannot be read, and with topics that are deleted and created again while they are read.

use std::collections::BTreeMap;
use std::time::Duration;

use crowdfold_kafka::{Event, OnDamaged, RDKafkaErrorCode, Skipped, Source, SourceError, SourceSettings};
use crowdfold_testkit::{Kafka, Options, eventually};

use crate::kafka_support::{
    Record, SOON, assigned, pass, produce, produce_with, settings, source_settings, topic,
};

/// Writes a batch of a few KB whose decompressed size exceeds the limit of librdkafka.
pub(crate) fn bomb(kafka: &Kafka, topic: &str, partition: u32) {
    let bomb = Record::new(partition, vec![b' '; 110_000_000]);
    produce_with(
        kafka,
        topic,
        &[bomb],
        &[
            ("compression.codec", "zstd"),
            ("message.max.bytes", "200000000"),
            ("queue.buffering.max.kbytes", "400000"),
        ],
    );
}

fn skipping(topic: &str) -> SourceSettings {
    SourceSettings { on_damaged: OnDamaged::Skip, ..source_settings(topic) }
}

/// Reads all partitions to their ends. Returns the offsets of the records by partition, and the ranges that were
/// skipped.
fn read_all(source: &mut Source, partitions: u32) -> (BTreeMap<u32, Vec<i64>>, Vec<Skipped>) {
    let (mut shown, mut skipped) = (BTreeMap::<u32, Vec<i64>>::new(), Vec::new());
    eventually("the end of every partition", || {
        match source.poll(Duration::ZERO) {
            Ok(None) => {}
            Ok(Some(Event::Skipped(this))) => skipped.push(this),
            Ok(Some(event)) => panic!("{event:?}"),
            Err(error) => assert!(error.is_transient(), "{error}"),
        }
        let mut ended = 0;
        for partition in 0..partitions {
            let offsets = shown.entry(partition).or_default();
            // Each call reads only a few records. Therefore other fetched records are still waiting while the source
            // searches for the end of a damaged batch.
            match source.read(partition, 7, |message| offsets.push(message.offset())) {
                Ok(read) => ended += u32::from(read.end.is_some() && read.drained),
                Err(error) => assert!(error.is_transient(), "{error}"),
            }
        }
        if ended < partitions {
            source.wait(Duration::from_millis(5));
        }
        (ended == partitions).then_some(())
    });
    (shown, skipped)
}

#[test]
fn batch_that_is_too_large_when_decompressed_is_an_error_that_names_both_fixes() {
    let kafka = Kafka::shared();
    let topic = topic(kafka, "bomb-stop", 1);
    produce(kafka, &topic, &[Record::new(0, "good")]);
    bomb(kafka, &topic, 0);
    let mut source = Source::open(&settings(kafka), source_settings(&topic)).unwrap();
    assigned(&mut source);
    let mut shown = Vec::new();
    let error = eventually("the error", || {
        source.wait(SOON);
        pass(source.poll(Duration::ZERO));
        let read = source.read(0, 10, |message| shown.push(message.offset()));
        read.err().filter(|error| !error.is_transient())
    });
    assert_eq!(shown, [0]);
    let code = RDKafkaErrorCode::BadCompression;
    let expected = SourceError::Damaged {
        topic: topic.clone(),
        partition: 0,
        offset: 1,
        code,
        on_damaged: OnDamaged::Stop,
    };
    assert_eq!(error, expected);
    let text = error.to_string();
    assert!(
        text.contains(&format!("topic {topic}, partition 0, offset 1: the batch cannot be read")),
        "{text}"
    );
}

#[test]
fn source_skips_too_large_batches_and_reads_all_other_records_once() {
    let kafka = Kafka::shared();
    let topic = topic(kafka, "bomb-skip", 2);
    let good = |partition, from: u32, count: u32| -> Vec<Record> {
        (from..from + count).map(|i| Record::new(partition, format!("{i}"))).collect()
    };
    // There are too large batches at the beginning, in the middle, twice in a row, and at the end.
    bomb(kafka, &topic, 0);
    produce(kafka, &topic, &good(0, 0, 50));
    bomb(kafka, &topic, 0);
    produce(kafka, &topic, &good(0, 50, 50));
    bomb(kafka, &topic, 0);
    bomb(kafka, &topic, 0);
    produce(kafka, &topic, &good(0, 100, 1));
    bomb(kafka, &topic, 0);
    produce(kafka, &topic, &good(1, 0, 500));
    let mut source = Source::open(&settings(kafka), skipping(&topic)).unwrap();
    assigned(&mut source);
    let (shown, skipped) = read_all(&mut source, 2);
    let skip = |from, to| Skipped { partition: 0, from, to };
    assert_eq!(skipped, [skip(0, 1), skip(51, 52), skip(102, 104), skip(105, 106)]);
    let expected: Vec<i64> = (1..51).chain(52..102).chain([104]).collect();
    assert_eq!(shown[&0], expected);
    assert_eq!(shown[&1], (0..500).collect::<Vec<_>>());
    assert_eq!(source.position(0), Some(106));
}

/// The batch is damaged on the disk. With lz4, the damage is detected when the batch is decompressed.
#[test]
fn damaged_batch_of_a_hundred_records_is_skipped_completely() {
    let kafka = Kafka::start(Options::default());
    let topic = topic(&kafka, "damaged-skip", 1);
    produce(&kafka, &topic, &[Record::new(0, "good")]);
    let bad: Vec<_> = (0..100).map(|i| Record::new(0, format!("{i}").repeat(50))).collect();
    produce_with(&kafka, &topic, &bad, &[("compression.codec", "lz4"), ("linger.ms", "500")]);
    kafka.stop(1);
    let log = kafka.log_dir(1).join(format!("{topic}-0/00000000000000000000.log"));
    let mut bytes = std::fs::read(&log).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 64].fill(0xff);
    std::fs::write(&log, bytes).unwrap();
    kafka.restart(1);
    produce(&kafka, &topic, &[Record::new(0, "also good")]);
    let mut source = Source::open(&settings(&kafka), skipping(&topic)).unwrap();
    assigned(&mut source);
    let (shown, skipped) = read_all(&mut source, 1);
    assert_eq!(skipped, [Skipped { partition: 0, from: 1, to: 101 }]);
    assert_eq!(shown[&0], [0, 101]);
}

/// After a topic is deleted, brokers answer a fetch with error 103, which librdkafka 2.12 does not know. If the source
/// returns an error, the test opens the source again.
#[test]
fn records_of_a_recreated_topic_are_read_at_the_latest_after_rejoining_the_group() {
    let kafka = Kafka::shared();
    let topic = topic(kafka, "anew", 1);
    let member = source_settings(&topic);
    produce(kafka, &topic, &vec![Record::new(0, "old"); 20]);
    let mut source = Source::open(&settings(kafka), member.clone()).unwrap();
    assigned(&mut source);
    let mut old = 0;
    eventually("the old records are read", || {
        pass(source.poll(SOON));
        old += source.read(0, 100, |message| assert_eq!(message.payload(), b"old")).unwrap().count;
        (old == 20).then_some(())
    });
    // Each new topic has fewer records than the previous one, so the reader's position is beyond the end of the new
    // topic.
    for records in [10, 3, 1] {
        kafka.delete_topic(&topic);
        let new = format!("one of {records}");
        eventually("a topic with the same name can be created", || {
            // The broker deletes a topic in the background, and refuses its name until it is deleted.
            let create = std::panic::AssertUnwindSafe(|| kafka.create_topic(&topic, 1, &[]));
            std::panic::catch_unwind(create).ok()
        });
        produce(kafka, &topic, &vec![Record::new(0, &new); records]);
        let mut seen = Vec::new();
        eventually("a new record is read", || {
            let lost = match source.poll(SOON) {
                Ok(_) => false,
                Err(error) => {
                    assert!(!error.to_string().is_empty());
                    !error.is_transient()
                }
            };
            let read = source.read(0, 100, |message| seen.push(message.payload().to_vec()));
            if lost || read.is_err_and(|error| !error.is_transient()) {
                // The worker also rejoins the group after such an error.
                if let Ok(again) = Source::open(&settings(kafka), member.clone()) {
                    source = again;
                }
            }
            seen.iter().any(|value| value == new.as_bytes()).then_some(())
        });
    }
}
