//! Tests batches with a large unpacked size, by codec. librdkafka limits only zstd, and a topic can limit the others.

use std::time::Duration;

use crowdfold_kafka::{ClientSettings, RDKafkaErrorCode, Source, SourceError};
use crowdfold_testkit::{Kafka, eventually, unique};

use crate::kafka_support::{
    Record, SOON, assigned, pass, produce_with, read_to_end, settings, source_settings,
};

/// The size of a record, and the maximum size that the reader unpacks with zstd, in bytes.
const UNPACKED: usize = 12_000_000;
const BOUND: &str = "2000000";

/// The codecs of Kafka, each with the minimum and the maximum compression factor of a batch of spaces.
const CODECS: [(&str, usize, usize); 4] =
    [("gzip", 900, 1_030), ("snappy", 15, 22), ("lz4", 200, 255), ("zstd", 1_000, 100_000)];

fn bounded(kafka: &Kafka) -> ClientSettings {
    let mut settings = settings(kafka);
    // The second value must not be below the third.
    for (key, value) in [
        ("receive.message.max.bytes", BOUND),
        ("fetch.max.bytes", "1000000"),
        ("message.max.bytes", "1000000"),
    ] {
        settings.properties.insert(key.into(), value.into());
    }
    settings
}

/// Creates a topic with one batch of one record with this codec. Returns its name, and the size of the batch on the
/// disk.
fn topic_with(kafka: &Kafka, codec: &str, topic_compression: &str) -> (String, usize) {
    let name = unique(&format!("{codec}-{topic_compression}"));
    kafka.create_topic(&name, 1, &[("compression.type", topic_compression)]);
    produce_with(
        kafka,
        &name,
        &[Record::new(0, vec![b' '; UNPACKED])],
        &[("compression.codec", codec), ("message.max.bytes", "200000000")],
    );
    let log = kafka.log_dir(1).join(format!("{name}-0/00000000000000000000.log"));
    let log = std::fs::read(log).unwrap();
    // A batch begins with its offset and its length. The length does not include these two fields.
    let length = u32::from_be_bytes(log[8..12].try_into().unwrap()) as usize + 12;
    (name, length)
}

/// Returns the error that stops the reader.
fn stops_at(kafka: &Kafka, topic: &str) -> SourceError {
    let mut source = Source::open(&bounded(kafka), source_settings(topic)).unwrap();
    assigned(&mut source);
    eventually("the error", || {
        source.wait(SOON);
        pass(source.poll(Duration::ZERO));
        let read = source.read(0, 10, |_| panic!("the record is passed on"));
        read.err().filter(|error| !error.is_transient())
    })
}

fn assert_too_large(error: &SourceError, codec: &str) {
    let SourceError::Damaged { offset: 0, code: RDKafkaErrorCode::BadCompression, .. } = error else {
        panic!("{codec}: {error}")
    };
}

#[test]
fn reader_limits_the_unpacked_size_of_zstd_only() {
    let kafka = Kafka::shared();
    for (codec, least, most) in CODECS {
        let (topic, packed) = topic_with(kafka, codec, "producer");
        let factor = UNPACKED / packed;
        assert!((least..=most).contains(&factor), "{codec}: {UNPACKED} bytes are {packed}, 1 : {factor}");
        if codec == "zstd" {
            assert_too_large(&stops_at(kafka, &topic), codec);
        } else {
            let mut source = Source::open(&bounded(kafka), source_settings(&topic)).unwrap();
            assigned(&mut source);
            let values = read_to_end(&mut source, 0);
            assert!(values.len() == 1 && values[0].1.len() == UNPACKED, "{codec}");
        }
    }
}

#[test]
fn topic_with_recompression_limits_every_codec() {
    let kafka = Kafka::shared();
    for (codec, ..) in CODECS {
        let (topic, packed) = topic_with(kafka, codec, "zstd");
        assert!(packed < UNPACKED / 1_000, "{codec} is stored as zstd: {packed} bytes");
        assert_too_large(&stops_at(kafka, &topic), codec);
    }
}
