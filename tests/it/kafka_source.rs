//! Tests of the source: batches, ends of partitions, damaged and deleted records, and unreachable brokers.
#![expect(clippy::unwrap_used, reason = "a panic shows the location of the failure")]

mod group;

use crowdfold_model::Timestamp;
use std::time::{Duration, Instant};

use crowdfold_kafka::{
    AssignedPartition, ClientSettings, Cluster, Committed, Event, KafkaError, Offset, Sink, SinkSettings,
    SinkTopics, Source, SourceError, SourceSettings, Stamp,
};
use crowdfold_testkit::{Kafka, Options, eventually, unique};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use crate::kafka_support::{
    Record, SOON, assigned, event, pass, produce, produce_with, read_all, read_to_end, settings,
    source_settings, topic,
};

fn open(kafka: &Kafka, of: &SourceSettings) -> Source {
    Source::open(&settings(kafka), of.clone()).unwrap()
}

fn sink(kafka: &Kafka) -> Sink {
    Sink::open(&settings(kafka), SinkSettings::new(&unique("transactions"), SinkTopics::default())).unwrap()
}

fn commit(sink: &mut Sink, source: &Source, topic: &str, offsets: &[(u32, i64, &str)]) {
    let offset = |(partition, offset, metadata): &(u32, i64, &str)| Offset {
        partition: *partition,
        offset: *offset,
        metadata: (*metadata).into(),
    };
    let offsets: Vec<_> = offsets.iter().map(offset).collect();
    sink.transact(&[], &offsets, topic, source.group_metadata().unwrap()).unwrap();
}

#[test]
fn source_reads_the_same_records_as_the_consumer_of_rust_rdkafka() {
    let kafka = Kafka::shared();
    let topic = topic(kafka, "batches", 3);
    let records: Vec<_> = (0..5_000_u32)
        .map(|i| Record {
            key: (i % 3 != 0).then(|| format!("key-{i}").into_bytes()),
            ..Record::new(i % 3, format!("value-{i}"))
        })
        .collect();
    produce(kafka, &topic, &records);
    let mut source = open(kafka, &source_settings(&topic));
    let assigned_partitions = assigned(&mut source);
    assert_eq!((assigned_partitions.of, assigned_partitions.partitions.len()), (3, 3));
    let mut seen = Vec::new();
    eventually("everything read", || {
        let mut drained = true;
        for partition in 0..3 {
            let read = source.read(partition, 100, |m| {
                let key = m.key().unwrap_or_default().to_vec();
                seen.push((partition as i32, m.offset(), key, m.payload().to_vec()));
            });
            drained &= read.unwrap().drained;
        }
        if drained {
            source.wait(SOON);
        }
        pass(source.poll(Duration::ZERO));
        (seen.len() == records.len()).then_some(())
    });
    seen.sort();
    assert_eq!(seen, read_all(kafka, &topic, "read_committed"));
}

/// Hostile or faulty producers can write such records.
#[test]
fn records_without_a_value_and_with_unusual_headers_are_passed_on_unchanged() {
    let kafka = Kafka::shared();
    let topic = unique("odd");
    // Retention is unlimited, so the records, whose timestamps are in 1970, do not expire during the test.
    kafka.create_topic(&topic, 1, &[("message.timestamp.type", "CreateTime"), ("retention.ms", "-1")]);
    let json = || Some(b"application/json".to_vec());
    let odd = |headers: &[(&str, Option<Vec<u8>>)], value: Option<Vec<u8>>| Record {
        value,
        headers: headers.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect(),
        timestamp: Some(1),
        ..Record::default()
    };
    let records = [
        odd(&[], None),
        odd(&[], Some(Vec::new())),
        odd(&[], Some(vec![0xff; 900_000])),
        odd(&[("other", json())], Some(vec![0])),
        odd(&[("Content-Type", json()), ("content-type", None)], Some(vec![0])),
        odd(&[("content-type", Some(vec![0xff, 0])), ("CONTENT-TYPE", json())], Some(vec![0])),
    ];
    produce(kafka, &topic, &records);
    let mut source = open(kafka, &source_settings(&topic));
    assigned(&mut source);
    let mut seen = Vec::new();
    eventually("all records are read", || {
        let read = source.read(0, 1_000, |m| {
            assert_eq!(m.timestamp(), Stamp::Create(Timestamp::from_millis(1)));
            assert_eq!(m.key(), None);
            seen.push((m.payload().len(), m.content_type().map(<[u8]>::to_vec)));
        });
        source.wait(SOON);
        read.unwrap().end
    });
    let expected = [(0, None), (0, None), (900_000, None), (1, None), (1, None), (1, json())];
    assert_eq!(seen, expected);
}

#[test]
fn source_returns_the_append_time_and_leaks_no_records_if_the_callback_panics() {
    let kafka = Kafka::shared();
    let topic = unique("append");
    kafka.create_topic(&topic, 1, &[("message.timestamp.type", "LogAppendTime")]);
    produce(kafka, &topic, &[Record { timestamp: Some(1), ..Record::new(0, "a") }, Record::new(0, "b")]);
    let mut source = open(kafka, &source_settings(&topic));
    assigned(&mut source);
    let mut seen = 0;
    eventually("the callback panics", || {
        let read = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            source.read(0, 1_000, |m| {
                seen += 1;
                assert!(matches!(m.timestamp(), Stamp::Append(time) if time.as_millis() > 1_700_000_000_000));
                std::panic::resume_unwind(Box::new("a fault of the caller"));
            })
        }));
        read.is_err().then_some(())
    });
    // The rest of the batch was freed. Otherwise closing the source would block, because librdkafka waits until every
    // record is freed.
    assert_eq!(seen, 1);
}

#[test]
fn deleted_records_after_the_committed_offset_are_an_error_unless_loss_is_accepted() {
    let kafka = Kafka::shared();
    let topic = topic(kafka, "gap", 1);
    let records: Vec<_> = (0..10).map(|i| Record::new(0, i.to_string())).collect();
    produce(kafka, &topic, &records);
    let member = source_settings(&topic);
    let mut source = open(kafka, &member);
    assigned(&mut source);
    commit(&mut sink(kafka), &source, &topic, &[(0, 2, "")]);
    drop(source);
    kafka.delete_before(&topic, 0, 7);

    let mut strict = open(kafka, &member);
    let error =
        eventually("the gap is reported", || strict.poll(SOON).err().filter(|error| !error.is_transient()));
    let gap = SourceError::Gap { topic: topic.clone(), partition: 0, committed: 2, log_start: 7, gone: 5 };
    assert_eq!(error, gap);
    drop(strict);
    let mut lenient = open(kafka, &SourceSettings { accept_loss: true, ..member });
    let assigned_partitions = assigned(&mut lenient);
    let expected = AssignedPartition { partition: 0, start_offset: 7, log_start: 7, gap: Some(5) };
    assert_eq!(assigned_partitions.partitions, [expected]);
    assert_eq!(read_to_end(&mut lenient, 0)[0], (7, b"7".to_vec()));
}

#[test]
fn deletion_of_records_that_are_not_read_yet_is_an_error() {
    let kafka = Kafka::shared();
    let topic = topic(kafka, "deleted", 1);
    let records: Vec<_> = (0..10).map(|i| Record::new(0, i.to_string())).collect();
    produce(kafka, &topic, &records);
    let mut source = open(kafka, &source_settings(&topic));
    let Event::Assigned(_) = event(&mut source) else { panic!("not assigned") };
    kafka.delete_before(&topic, 0, 7);
    let error = eventually("an error is returned", || {
        pass(source.poll(SOON));
        source.read(0, 10, |m| panic!("offset {} was read, but it is deleted", m.offset())).err()
    });
    assert_eq!(error, SourceError::OutOfRange { topic, partition: 0, offset: 0 });
}

#[test]
fn records_behind_an_open_transaction_are_read_only_after_the_transaction_ends() {
    let kafka = Kafka::shared();
    let topic = topic(kafka, "ends", 1);
    let id = unique("open");
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", kafka.bootstrap())
        .set("transactional.id", &id)
        .create()
        .unwrap();
    producer.init_transactions(Duration::from_secs(120)).unwrap();
    produce(kafka, &topic, &[Record::new(0, "a"), Record::new(0, "b")]);
    producer.begin_transaction().unwrap();
    producer.send(BaseRecord::<(), str>::to(&topic).partition(0).payload("open")).unwrap();
    producer.flush(Duration::from_secs(120)).unwrap();
    produce(kafka, &topic, &[Record::new(0, "c")]);

    let mut source = open(kafka, &source_settings(&topic));
    assigned(&mut source);
    assert_eq!(read_to_end(&mut source, 0).len(), 2);
    assert_eq!(source.position(0), Some(2));
    assert_eq!(source.cluster().log_ends(&topic, &[0, 5]).unwrap(), [Some(4), None]);
    producer.abort_transaction(Duration::from_secs(120)).unwrap();
    let rest = eventually("the records behind the transaction", || {
        let rest = read_to_end(&mut source, 0);
        (!rest.is_empty()).then_some(rest)
    });
    assert_eq!(rest, [(3, b"c".to_vec())]);
    // The control record of the abort has its own offset, so the end of the partition is one offset higher.
    eventually("the end behind the control record", || {
        source.wait(SOON);
        source.read(0, 10, |_| panic!("nothing more")).unwrap().end.filter(|end| *end == 5)
    });
    assert_eq!(source.position(0), Some(5));
    assert_eq!(source.cluster().log_ends(&topic, &[0]).unwrap(), [Some(5)]);
}

#[test]
fn partition_that_is_not_read_does_not_block_others() {
    let kafka = Kafka::shared();
    let topic = topic(kafka, "paused", 2);
    let mut records = vec![Record::new(0, vec![7; 10_000]); 1_000];
    records.extend(vec![Record::new(1, "small"); 100]);
    produce(kafka, &topic, &records);
    let mut source = open(kafka, &SourceSettings { queue_kib: 2_048, ..source_settings(&topic) });
    assigned(&mut source);
    assert_eq!(read_to_end(&mut source, 1).len(), 100);
    produce(kafka, &topic, &[Record::new(1, "more")]);
    assert_eq!(
        eventually("more", || Some(read_to_end(&mut source, 1)).filter(|read| !read.is_empty())).len(),
        1
    );
    assert_eq!(read_to_end(&mut source, 0).len(), 1_000);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "tests wait in real time")]
fn wait_returns_early_when_a_record_arrives() {
    let kafka = Kafka::shared();
    let topic = topic(kafka, "bell", 2);
    let mut source = open(kafka, &source_settings(&topic));
    assigned(&mut source);
    read_to_end(&mut source, 0);
    read_to_end(&mut source, 1);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(300));
            produce(kafka, &topic, &[Record::new(1, "at last")]);
        });
        let start = Instant::now();
        let mut seen = 0;
        while seen == 0 {
            source.wait(Duration::from_secs(600));
            for partition in 0..2 {
                seen += source.read(partition, 10, |_| {}).unwrap().count;
            }
        }
        // If the record did not end the wait, the wait would take 600 s.
        assert!(start.elapsed() < Duration::from_secs(300), "the wait did not end early");
    });
}

#[test]
fn unreachable_broker_and_missing_topic_are_different_errors() {
    let unreachable = ClientSettings { brokers: "127.0.0.1:1".into(), ..settings(Kafka::shared()) };
    let error = Source::open(&unreachable, source_settings("t")).err().unwrap();
    let KafkaError::Unreachable { brokers, reason } = &error else { panic!("{error:?}") };
    assert_eq!(brokers, "127.0.0.1:1");
    assert!(reason.contains("Connection refused"), "{reason}");

    let topic = unique("missing");
    let error = Source::open(&settings(Kafka::shared()), source_settings(&topic)).err().unwrap();
    assert_eq!(error, KafkaError::NoTopic { topic });
    assert_eq!(Cluster::open(&settings(Kafka::shared())).unwrap().brokers().unwrap(), [1]);
}

#[test]
fn source_continues_after_its_broker_was_killed_and_restarted() {
    let kafka = Kafka::start(Options::default());
    let topic = topic(&kafka, "restart", 2);
    let records: Vec<_> = (0..200).map(|i| Record::new(i % 2, i.to_string())).collect();
    produce(&kafka, &topic, &records);
    let member = source_settings(&topic);
    let mut source = Some(open(&kafka, &member));
    assigned(source.as_mut().unwrap());
    let mut seen: Vec<_> = (0..2).map(|p| read_to_end(source.as_mut().unwrap(), p)).collect();
    kafka.kill(1);
    for _ in 0..5 {
        let poll = source.as_mut().unwrap().poll(SOON);
        poll.map_or_else(|error| assert!(error.is_transient(), "{error}"), drop);
    }
    kafka.restart(1);
    produce(&kafka, &topic, &records);
    eventually("the rest", || {
        let here = source.get_or_insert_with(|| open(&kafka, &member));
        match here.poll(SOON) {
            // The coordinator may have removed the member from the group. No offset was committed, so reading then
            // starts from the beginning.
            Ok(Some(Event::Assigned(_))) => seen = vec![Vec::new(), Vec::new()],
            Ok(_) => {}
            Err(error) => assert!(error.is_transient(), "{error}"),
        }
        let mut lost = false;
        for partition in 0..2 {
            let values = &mut seen[partition as usize];
            let read = here.read(partition, 1_000, |m| values.push((m.offset(), m.payload().to_vec())));
            match read {
                // A restarted leader may not know the offset yet. In this case, the group must be rejoined.
                Err(SourceError::OutOfRange { .. }) => lost = true,
                read => read.map_or_else(|error| assert!(error.is_transient(), "{error}"), drop),
            }
        }
        if lost {
            source = None;
        }
        (seen[0].len() >= 200 && seen[1].len() >= 200).then_some(())
    });
    for (partition, values) in seen.iter().enumerate() {
        let offsets: Vec<_> = values.iter().map(|(offset, _)| *offset).collect();
        assert_eq!(offsets, (0..200).collect::<Vec<_>>(), "partition {partition}");
    }
}

/// The batch is damaged on the disk. With lz4, the damage is detected when the batch is decompressed.
#[test]
fn damaged_batch_is_an_error_with_its_offset() {
    let kafka = Kafka::start(Options::default());
    let topic = topic(&kafka, "damaged", 1);
    produce(&kafka, &topic, &[Record::new(0, "good")]);
    // With the long `linger.ms`, only the flush sends the records, so they are in one batch.
    let bad: Vec<_> = (0..100).map(|i| Record::new(0, format!("{i}").repeat(50))).collect();
    produce_with(&kafka, &topic, &bad, &[("compression.codec", "lz4"), ("linger.ms", "60000")]);
    kafka.stop(1);
    let log = kafka.log_dir(1).join(format!("{topic}-0/00000000000000000000.log"));
    let mut bytes = std::fs::read(&log).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 64].fill(0xff);
    std::fs::write(&log, bytes).unwrap();
    kafka.restart(1);
    let mut source = open(&kafka, &source_settings(&topic));
    assigned(&mut source);
    let mut seen = Vec::new();
    let error = eventually("an error is returned", || {
        source.wait(SOON);
        pass(source.poll(Duration::ZERO));
        let read = source.read(0, 10, |m| seen.push(m.offset()));
        read.err().filter(|error| !error.is_transient())
    });
    assert!(matches!(error, SourceError::Damaged { partition: 0, offset: 1, .. }), "{error:?}");
    assert_eq!(seen, [0]);
}
