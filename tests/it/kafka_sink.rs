//! Tests of the transactional sink. It writes records exactly once or not at all, and reports which of the two
//! happened.
#![expect(clippy::unwrap_used, reason = "a panic shows the location of the failure")]

mod copier;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crowdfold_kafka::{
    ClientSettings, Event, KafkaError, Offset, Outgoing, RollupTopics, Sink, SinkSettings, SinkTopics,
    Source, SourceSettings, TransactError,
};
use crowdfold_model::{Cell, Dimension, Reason, Span, Table, Timestamp, Window};
use crowdfold_release::{Policy, PolicySettings, RejectionNote, Rollup, release};
use crowdfold_testkit::{Kafka, Options, eventually, unique};

use crate::kafka_support::{Record, SOON, assigned, produce, read_all, settings, source_settings, topic};

fn partials_to(topic: &str) -> SinkTopics {
    SinkTopics { partials: Some(topic.into()), ..SinkTopics::default() }
}

fn partial(value: &str) -> Outgoing<'_> {
    Outgoing::Partial { partition: 0, key: b"tenant", value: value.as_bytes() }
}

fn values(kafka: &Kafka, topic: &str, isolation: &str) -> Vec<String> {
    let text = |(_, _, _, value)| String::from_utf8(value).unwrap();
    read_all(kafka, topic, isolation).into_iter().map(text).collect()
}

/// A source that reads the only partition of an empty topic, and an output topic.
struct Scenario {
    source: Source,
    from: String,
    to: String,
}

impl Scenario {
    fn new(kafka: &Kafka) -> Self {
        let (from, to) = (topic(kafka, "from", 1), topic(kafka, "to", 1));
        // The session timeout is long, because one test suspends the broker, and the broker receives no heartbeats
        // during that time.
        let member = SourceSettings { session_timeout: Duration::from_secs(60), ..source_settings(&from) };
        let mut source = Source::open(&settings(kafka), member).unwrap();
        assigned(&mut source);
        Self { source, from, to }
    }

    fn transact(
        &self,
        sink: &mut Sink,
        outgoing: &[Outgoing<'_>],
        metadata: &str,
    ) -> Result<(), TransactError> {
        let offsets = [Offset { partition: 0, offset: 0, metadata: metadata.into() }];
        sink.transact(outgoing, &offsets, &self.from, self.source.group_metadata().unwrap())
    }

    fn committed(&self) -> Option<String> {
        self.source.committed().unwrap()[0].as_ref().map(|held| held.metadata.clone())
    }
}

#[test]
fn records_and_offset_metadata_are_committed_together_or_not_at_all() {
    let kafka = Kafka::shared();
    let scenario = Scenario::new(kafka);
    let mut sink =
        Sink::open(&settings(kafka), SinkSettings::new(&unique("id"), partials_to(&scenario.to))).unwrap();
    let metadata: String = (0..4_095).map(|i| char::from(b' ' + (i % 95) as u8)).collect();
    scenario.transact(&mut sink, &[partial("a"), partial("b")], &metadata).unwrap();
    assert_eq!(values(kafka, &scenario.to, "read_committed"), ["a", "b"]);
    assert_eq!(scenario.committed(), Some(metadata.clone()));

    for refused in ["ü".to_owned(), format!("{metadata}+")] {
        let error = scenario.transact(&mut sink, &[partial("c")], &refused).unwrap_err();
        assert!(
            matches!(&error, TransactError::Fatal(why) if why.contains("metadata of partition 0")),
            "{error}"
        );
    }
    scenario.transact(&mut sink, &[partial("d")], "next").unwrap();
    assert_eq!(values(kafka, &scenario.to, "read_uncommitted"), ["a", "b", "d"]);
    assert_eq!(scenario.committed().as_deref(), Some("next"));
}

#[test]
fn second_producer_with_the_same_transactional_id_fences_the_first() {
    let kafka = Kafka::shared();
    let scenario = Scenario::new(kafka);
    let id = SinkSettings::new(&unique("id"), partials_to(&scenario.to));
    let mut zombie = Sink::open(&settings(kafka), id.clone()).unwrap();
    scenario.transact(&mut zombie, &[partial("a")], "a").unwrap();
    let mut successor = Sink::open(&settings(kafka), id).unwrap();
    let fenced = scenario.transact(&mut zombie, &[partial("zombie")], "zombie").unwrap_err();
    assert!(matches!(fenced, TransactError::Fenced(_)), "{fenced:?}");
    scenario.transact(&mut successor, &[partial("b")], "b").unwrap();
    assert_eq!(values(kafka, &scenario.to, "read_committed"), ["a", "b"]);
    assert_eq!(scenario.committed().as_deref(), Some("b"));
    // When the first producer is opened again, it fences the second one.
    assert!(matches!(scenario.transact(&mut zombie, &[], "c"), Err(TransactError::Unknown(_))));
    zombie.reopen().unwrap();
    scenario.transact(&mut zombie, &[partial("c")], "c").unwrap();
    assert!(matches!(scenario.transact(&mut successor, &[], "d"), Err(TransactError::Fenced(_))));
}

#[test]
fn transaction_with_a_refused_record_is_not_committed_and_its_error_names_the_topic() {
    let kafka = Kafka::shared();
    let mut scenario = Scenario::new(kafka);
    scenario.to = unique("small");
    kafka.create_topic(&scenario.to, 1, &[("max.message.bytes", "2000")]);
    let mut sink =
        Sink::open(&settings(kafka), SinkSettings::new(&unique("id"), partials_to(&scenario.to))).unwrap();
    // The value is random, because a compressible value would be small enough to be accepted.
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        char::from(b'!' + (state >> 58) as u8)
    };
    let large: String = (0..4_000).map(|_| next()).collect();
    let error = scenario.transact(&mut sink, &[partial("a"), partial(&large)], "large").unwrap_err();
    let named = format!("topic {}", scenario.to);
    assert!(matches!(&error, TransactError::Fatal(why) if why.contains(&named)), "{error:?}");
    sink.reopen().unwrap();
    scenario.transact(&mut sink, &[partial("b")], "b").unwrap();
    assert_eq!(values(kafka, &scenario.to, "read_committed"), ["b"]);
    assert_eq!(scenario.committed().as_deref(), Some("b"));
}

#[test]
fn missing_topic_is_an_error_and_is_not_created() {
    let kafka = Kafka::start(Options::default().with("auto.create.topics.enable", "true"));
    let missing = unique("missing");
    let open = Sink::open(&settings(&kafka), SinkSettings::new(&unique("id"), partials_to(&missing)));
    assert_eq!(open.err(), Some(KafkaError::NoTopic { topic: missing.clone() }));
    assert!(!kafka.log_dir(1).join(format!("{missing}-0")).exists());
    // This sink is opened without topics.
    let scenario = Scenario::new(&kafka);
    let mut sink =
        Sink::open(&settings(&kafka), SinkSettings::new(&unique("id"), SinkTopics::default())).unwrap();
    let error = scenario.transact(&mut sink, &[partial("a")], "a").unwrap_err();
    assert_eq!(error, TransactError::Fatal("this sink has no topic for partials".into()));
}

#[test]
fn more_records_than_the_queue_can_hold_are_written_in_order() {
    let kafka = Kafka::shared();
    let scenario = Scenario::new(kafka);
    let narrow = ClientSettings {
        properties: [("queue.buffering.max.messages".to_owned(), "100".to_owned())].into(),
        ..settings(kafka)
    };
    let mut sink = Sink::open(&narrow, SinkSettings::new(&unique("id"), partials_to(&scenario.to))).unwrap();
    let many: Vec<_> = (0..3_000).map(|i| i.to_string()).collect();
    let outgoing: Vec<_> = many.iter().map(|value| partial(value)).collect();
    scenario.transact(&mut sink, &outgoing, "many").unwrap();
    assert_eq!(values(kafka, &scenario.to, "read_committed"), many);
}

/// Returns two rows of each of three windows, for the tenants `a` and `b`.
fn rollups() -> Vec<Rollup> {
    let settings = PolicySettings { breakdowns: vec![vec![Dimension::Os]], ..PolicySettings::default() };
    let policy = Policy::threshold(settings).unwrap();
    let cell = |sessions| Cell { sessions, ..Cell::default() };
    let mut rollups = Vec::new();
    for (tenant, minute) in [("a", 0), ("a", 1), ("a", 2), ("b", 0), ("b", 1), ("b", 2)] {
        let mut table = Table::new();
        table.insert(Box::new(["Windows".into()]), cell(900));
        table.insert(Box::new(["Tizen".into()]), cell(70));
        let window = Window::at(Timestamp::EPOCH + Span::MINUTE * minute, Span::MINUTE);
        rollups.extend(release(tenant, window, vec![table], &policy, None).rollups);
    }
    assert_eq!(rollups.len(), 12);
    rollups
}

/// Returns the hash that Kafka's default partitioner in Java uses, written from the description of the protocol.
fn murmur2(bytes: &[u8]) -> u32 {
    const M: u32 = 0x5bd1_e995;
    let mut h = 0x9747_b28c ^ bytes.len() as u32;
    let mut words = bytes.chunks_exact(4);
    for word in &mut words {
        let mut k = u32::from_le_bytes(word.try_into().unwrap()).wrapping_mul(M);
        k = (k ^ (k >> 24)).wrapping_mul(M);
        h = h.wrapping_mul(M) ^ k;
    }
    let rest = words.remainder();
    if !rest.is_empty() {
        for (i, byte) in rest.iter().enumerate() {
            h ^= u32::from(*byte) << (8 * i);
        }
        h = h.wrapping_mul(M);
    }
    h = (h ^ (h >> 13)).wrapping_mul(M);
    h ^ (h >> 15)
}

#[test]
fn rows_are_in_the_partition_of_their_key_and_in_the_topic_of_their_tenant() {
    // The values are from Kafka's own tests.
    assert_eq!(murmur2(b"21") as i32, -973_932_308);
    assert_eq!(murmur2(b"a-little-bit-long-string") as i32, -985_981_536);

    let kafka = Kafka::shared();
    let scenario = Scenario::new(kafka);
    let one = topic(kafka, "rollups", 5);
    let each = unique("rollups");
    for tenant in ["a", "b"] {
        kafka.create_topic(&format!("{each}.{tenant}"), 1, &[]);
    }
    let rejections = topic(kafka, "rejections", 2);
    let open = |rollups| {
        let topics = SinkTopics {
            rollups: Some(rollups),
            rejections: Some(rejections.clone()),
            ..SinkTopics::default()
        };
        Sink::open(&settings(kafka), SinkSettings::new(&unique("id"), topics)).unwrap()
    };
    let rollups = rollups();
    let mut outgoing: Vec<_> = rollups.iter().map(Outgoing::Rollup).collect();
    let note = RejectionNote::new(Reason::Malformed, "beacons", 3, 17, Timestamp::from_millis(123_456));
    outgoing.push(Outgoing::Rejection(&note));
    scenario.transact(&mut open(RollupTopics::One(one.clone())), &outgoing, "one").unwrap();
    let tenants = vec!["a".to_owned(), "b".to_owned()];
    let mut sink = open(RollupTopics::PerTenant { base: each.clone(), tenants });
    scenario.transact(&mut sink, &outgoing, "each").unwrap();

    let mut by_key: BTreeMap<Vec<u8>, Vec<Vec<u8>>> = BTreeMap::new();
    for (partition, _, key, value) in read_all(kafka, &one, "read_committed") {
        assert_eq!(partition as u32, (murmur2(&key) & 0x7fff_ffff) % 5, "{}", String::from_utf8_lossy(&key));
        by_key.entry(key).or_default().push(value);
    }
    let mut expected: BTreeMap<Vec<u8>, Vec<Vec<u8>>> = BTreeMap::new();
    for rollup in &rollups {
        expected.entry(rollup.key().into_bytes()).or_default().push(rollup.json());
    }
    assert_eq!(by_key, expected);
    for tenant in ["a", "b"] {
        let seen = read_all(kafka, &format!("{each}.{tenant}"), "read_committed");
        assert_eq!(seen.len(), 6);
        assert!(seen.iter().all(|(_, _, key, _)| key.starts_with(format!("{tenant}/").as_bytes())));
    }
    let notes = read_all(kafka, &rejections, "read_committed");
    assert!(
        notes.len() == 2 && notes.iter().all(|(_, _, key, value)| key.is_empty() && *value == note.json())
    );
}

/// The broker is suspended, so the call of librdkafka blocks. The committed offset later shows whether the transaction
/// was committed.
#[test]
fn blocked_transaction_times_out_and_the_committed_offset_shows_whether_it_was_committed() {
    let kafka = Kafka::start(Options::default());
    let scenario = Scenario::new(&kafka);
    let long = SinkSettings::new(&unique("id"), partials_to(&scenario.to));
    let short = SinkSettings { time_limit: Duration::from_secs(2), ..long };
    let mut sink =
        Sink::open(&settings(&kafka), SinkSettings { time_limit: Duration::from_secs(60), ..short.clone() })
            .unwrap();
    scenario.transact(&mut sink, &[partial("a")], "a").unwrap();
    drop(sink);
    let mut sink =
        eventually("a sink with a short timeout", || Sink::open(&settings(&kafka), short.clone()).ok());
    kafka.pause(1);
    let error = scenario.transact(&mut sink, &[partial("b")], "b").unwrap_err();
    assert!(matches!(&error, TransactError::Unknown(why) if why.contains("within 2 s")), "{error:?}");
    kafka.resume(1);
    eventually("the coordinator answers", || sink.reopen().ok());
    // If the coordinator is slower than the time limit, the transaction is tried again.
    eventually("b is committed", || {
        let held = eventually("the offsets", || scenario.source.committed().ok());
        let committed = &held[0].as_ref().unwrap().metadata;
        if committed == "b" {
            return Some(());
        }
        assert_eq!(committed, "a");
        match scenario.transact(&mut sink, &[partial("b")], "b") {
            Err(TransactError::Unknown(_)) => eventually("a new producer", || sink.reopen().ok()),
            sent => sent.unwrap(),
        }
        None
    });
    assert_eq!(values(&kafka, &scenario.to, "read_committed"), ["a", "b"]);
}

/// `crowdfold demo` uses this mock cluster. The mock cluster does not store the offsets that transactions commit, so
/// this test does not read committed offsets.
#[test]
fn mock_cluster_of_librdkafka_can_be_read_and_written() {
    let cluster = rdkafka::mocking::MockCluster::new(1).unwrap();
    for name in ["from", "to"] {
        cluster.create_topic(name, 2, 1).unwrap();
    }
    let client = ClientSettings {
        brokers: cluster.bootstrap_servers(),
        client_id: "demo".into(),
        properties: BTreeMap::new(),
    };
    let mut sink = Sink::open(&client, SinkSettings::new("first", partials_to("from"))).unwrap();
    let mut source = Source::open(&client, source_settings("from")).unwrap();
    let given = assigned(&mut source);
    assert_eq!((given.of, given.partitions.len()), (2, 2));
    let group = Arc::clone(source.group_metadata().unwrap());
    let values: Vec<_> = (0..100).map(|i| format!("beacon {i}")).collect();
    let outgoing: Vec<_> = values.iter().map(|value| partial(value)).collect();
    sink.transact(&outgoing, &[], "from", &group).unwrap();
    let mut seen = Vec::new();
    eventually("all records are read", || {
        let read = source.read(0, 1_000, |m| seen.push(String::from_utf8(m.payload().to_vec()).unwrap()));
        if read.unwrap().drained {
            source.wait(SOON);
        }
        crate::kafka_support::pass(source.poll(Duration::ZERO));
        (seen.len() == values.len()).then_some(())
    });
    assert_eq!(seen, values);
    let offset = [Offset { partition: 0, offset: 100, metadata: "m".into() }];
    let mut sink = Sink::open(&client, SinkSettings::new("second", partials_to("to"))).unwrap();
    sink.transact(&outgoing, &offset, "from", &group).unwrap();
    assert_eq!(source.cluster().log_ends("from", &[1]).unwrap(), [Some(0)]);
}
