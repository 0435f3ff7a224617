//! Tests with batches that are small when compressed and large when decompressed. librdkafka limits the decompressed
//! size only for zstd. A topic with `compression.type = zstd` limits it for every codec.

use std::time::Duration;

use crowdfold_kafka::{ClientSettings, RDKafkaErrorCode, Source, SourceError};
use crowdfold_testkit::{Kafka, eventually, unique};

use crate::kafka_support::{
    Record, SOON, assigned, pass, produce_with, read_to_end, settings, source_settings,
};

/// The decompressed size of a batch, in bytes.
const DECOMPRESSED: usize = 12_000_000;
/// The maximum size, in bytes, to which the reader decompresses a batch with zstd.
const BOUND: &str = "2000000";

/// The codecs of Kafka, each with the expected minimum and maximum compression factor of a batch of spaces.
const CODECS: [(&str, usize, usize); 4] =
    [("gzip", 900, 1_030), ("snappy", 15, 22), ("lz4", 200, 255), ("zstd", 1_000, 100_000)];

fn bounded(kafka: &Kafka) -> ClientSettings {
    let mut settings = settings(kafka);
    // librdkafka requires that `fetch.max.bytes` is at least `message.max.bytes`.
    for (key, value) in [
        ("receive.message.max.bytes", BOUND),
        ("fetch.max.bytes", "1000000"),
        ("message.max.bytes", "1000000"),
    ] {
        settings.properties.insert(key.into(), value.into());
    }
    settings
}

/// Creates a topic, and writes one record with this codec. Returns the name of the topic, and the compressed size of
/// the batch on the disk.
fn topic_with(kafka: &Kafka, codec: &str, topic_compression: &str) -> (String, usize) {
    let name = unique(&format!("{codec}-{topic_compression}"));
    kafka.create_topic(&name, 1, &[("compression.type", topic_compression)]);
    produce_with(
        kafka,
        &name,
        &[Record::new(0, vec![b' '; DECOMPRESSED])],
        &[("compression.codec", codec), ("message.max.bytes", "200000000")],
    );
    let log = kafka.log_dir(1).join(format!("{name}-0/00000000000000000000.log"));
    let log = std::fs::read(log).unwrap();
    // A batch begins with its offset (8 bytes) and its length (4 bytes), which the length does not include.
    let length = u32::from_be_bytes(log[8..12].try_into().unwrap()) as usize + 12;
    (name, length)
}

/// Reads a topic until an error that is not transient occurs. Returns the error.
fn stops_at(kafka: &Kafka, topic: &str) -> SourceError {
    let mut source = Source::open(&bounded(kafka), source_settings(topic)).unwrap();
    assigned(&mut source);
    eventually("the error", || {
        source.wait(SOON);
        pass(source.poll(Duration::ZERO));
        let read = source.read(0, 10, |_| panic!("the record must not be passed on"));
        read.err().filter(|error| !error.is_transient())
    })
}

fn assert_too_large(error: &SourceError, codec: &str) {
    let SourceError::Damaged { offset: 0, code: RDKafkaErrorCode::BadCompression, .. } = error else {
        panic!("{codec}: {error}")
    };
}

#[test]
fn reader_limits_the_decompressed_size_of_zstd_only() {
    let kafka = Kafka::shared();
    for (codec, least, most) in CODECS {
        let (topic, compressed) = topic_with(kafka, codec, "producer");
        let factor = DECOMPRESSED / compressed;
        assert!(
            (least..=most).contains(&factor),
            "{codec}: {DECOMPRESSED} bytes are compressed to {compressed}, a factor of {factor}"
        );
        if codec == "zstd" {
            assert_too_large(&stops_at(kafka, &topic), codec);
        } else {
            let mut source = Source::open(&bounded(kafka), source_settings(&topic)).unwrap();
            assigned(&mut source);
            let values = read_to_end(&mut source, 0);
            assert!(values.len() == 1 && values[0].1.len() == DECOMPRESSED, "{codec}");
        }
    }
}

#[test]
fn topic_that_recompresses_with_zstd_limits_the_decompressed_size_of_every_codec() {
    let kafka = Kafka::shared();
    for (codec, ..) in CODECS {
        let (topic, compressed) = topic_with(kafka, codec, "zstd");
        assert!(
            compressed < DECOMPRESSED / 1_000,
            "{codec} is not recompressed with zstd: {compressed} bytes"
        );
        assert_too_large(&stops_at(kafka, &topic), codec);
    }
}
