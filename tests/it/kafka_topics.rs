//! Tests that topics are created and changed, that their settings are compared with the configuration, and that the age
//! of their records is measured.
#![expect(clippy::unwrap_used, reason = "a panic shows the location of the failure")]

use std::time::{Duration, SystemTime};

use crowdfold_kafka::topics::{Admin, Change, Clock, Finding, Purpose, Report, Spec, Unbounded};
use crowdfold_kafka::{Cluster, KafkaError};
use crowdfold_model::{Span, Timestamp};
use crowdfold_testkit::{Kafka, Options, eventually, unique};

use crate::kafka_support::{Record, produce, settings};

const HOUR: Span = Span::HOUR;

fn spec(topic: &str) -> Spec {
    Spec {
        topic: topic.into(),
        purpose: Purpose::Beacons,
        partitions: 2,
        replication: 1,
        ttl: HOUR.into(),
        least: Duration::from_secs(33 * 60),
        clock: Clock::Append,
        max_skew: Duration::from_secs(60),
        on_disk_slack: Duration::from_secs(300),
        max_message_bytes: 1 << 20,
    }
}

fn admin(kafka: &Kafka) -> Admin {
    Admin::open(&settings(kafka)).unwrap()
}

#[expect(clippy::disallowed_methods, reason = "the test measures real time")]
fn now() -> Timestamp {
    SystemTime::now().into()
}

fn check(kafka: &Kafka, specs: &[Spec]) -> Report {
    admin(kafka).check(specs, now()).unwrap()
}

/// Creates a topic with these settings, and returns the findings of a check of the topic.
fn found(kafka: &Kafka, settings: &[(&str, &str)]) -> Vec<Finding> {
    let topic = unique("topic");
    kafka.create_topic(&topic, 2, settings);
    check(kafka, &[spec(&topic)]).topics.remove(0).findings
}

fn keys(change: &Change) -> Vec<&str> {
    change.settings.iter().map(|difference| difference.key).collect()
}

#[test]
fn created_topics_have_the_configured_time_to_live() {
    let kafka = Kafka::shared();
    let admin = admin(kafka);
    let create = Clock::Create { ahead: Duration::from_secs(60) };
    let specs = [
        spec(&unique("beacons")),
        Spec {
            purpose: Purpose::Partials,
            partitions: 3,
            ttl: Duration::from_secs(6 * 3_600),
            ..spec(&unique("partials"))
        },
        Spec { clock: create, ..spec(&unique("trusted")) },
    ];
    let plan = admin.plan(&specs, now()).unwrap();
    assert_eq!(
        plan.iter().map(|change| change.create).collect::<Vec<_>>(),
        [Some((2, 1)), Some((3, 1)), Some((2, 1))]
    );
    let nothing_yet = admin.check(&specs, now()).unwrap();
    assert!(
        nothing_yet.topics.iter().all(|topic| topic.findings == [Finding::Missing] && topic.bounds.is_none())
    );

    admin.apply(&plan).unwrap();
    assert!(admin.plan(&specs, now()).unwrap().iter().all(Change::is_nothing));
    let report = admin.check(&specs, now()).unwrap();
    assert!(!report.is_breached(), "{report:?}");
    for (topic, spec) in report.topics.iter().zip(&specs) {
        let bounds = topic.bounds.unwrap();
        let ttl = Span::from(spec.ttl);
        assert!(ttl - Span::from_millis(5) <= bounds.readable && bounds.readable <= ttl, "{bounds:?}");
        assert_eq!(bounds.on_disk, bounds.readable + Span::MINUTE);
        assert_eq!(topic.oldest(), None);
    }
    assert_eq!(Cluster::open(&settings(kafka)).unwrap().topic(&specs[1].topic).unwrap().count(), 3);
}

#[test]
fn applying_a_plan_changes_only_the_settings_that_differ() {
    let kafka = Kafka::shared();
    let admin = admin(kafka);
    let topic = unique("altered");
    let theirs = [("retention.ms", "60000"), ("compression.type", "zstd"), ("flush.messages", "1000")];
    kafka.create_topic(&topic, 4, &theirs);
    let spec = spec(&topic);
    let plan = admin.plan(std::slice::from_ref(&spec), now()).unwrap();
    assert_eq!(plan[0].create, None);
    let shown = plan[0].to_string();
    assert!(shown.contains("retention.ms: 60000 -> 2640000   (keeps records longer than before)"), "{shown}");
    assert!(shown.contains("not changed: the topic has 4 partitions, but 2 are configured"), "{shown}");
    // Creating a plan does not change the topic, so a second plan is equal.
    assert_eq!(admin.plan(std::slice::from_ref(&spec), now()).unwrap(), plan);
    assert!(check(kafka, std::slice::from_ref(&spec)).is_breached());

    admin.apply(&plan).unwrap();
    let done = admin.plan(std::slice::from_ref(&spec), now()).unwrap();
    assert_eq!(keys(&done[0]), [""; 0]);
    let described = kafka.tool(
        "kafka.admin.ConfigCommand",
        &["--bootstrap-server", kafka.bootstrap(), "--describe", "--topic", &topic],
    );
    for kept in ["compression.type=zstd", "flush.messages=1000", "retention.ms=2640000"] {
        assert!(described.contains(kept), "{kept} is not in {described}");
    }
    assert!(!check(kafka, &[spec]).is_breached());
}

#[test]
fn settings_that_keep_records_for_too_long_or_not_long_enough_are_reported() {
    let kafka = Kafka::shared();
    let good =
        [("retention.ms", "2640000"), ("segment.ms", "660000"), ("message.timestamp.type", "LogAppendTime")];
    let but = |key: &'static str, value: &'static str| {
        let kept = good.into_iter().filter(|(other, _)| *other != key);
        found(kafka, &kept.chain([(key, value)]).collect::<Vec<_>>())
    };
    assert_eq!(found(kafka, &good), []);
    assert_eq!(but("retention.ms", "-1"), [Finding::Unbounded(Unbounded::Retention)]);
    assert_eq!(
        but("cleanup.policy", "compact"),
        [Finding::Unbounded(Unbounded::CleanupPolicy("compact".into()))]
    );
    let both = Unbounded::CleanupPolicy("compact,delete".into());
    assert_eq!(but("cleanup.policy", "compact,delete"), [Finding::Unbounded(both)]);
    let beyond = |millis| Finding::Beyond { bound: Span::from_millis(millis), ttl: HOUR };
    assert_eq!(but("retention.ms", "7200000"), [beyond(7_200_000 + 660_000 + 300_000)]);
    // A record is deleted only together with its segment, and a segment may be a week old.
    assert_eq!(but("segment.ms", "604800000"), [beyond(2_640_000 + 604_800_000 + 300_000)]);
    let short = Finding::TooShort { retention: Span::MINUTE * 10, least: Span::MINUTE * 33 };
    assert_eq!(but("retention.ms", "600000"), [short]);
    assert_eq!(but("retention.bytes", "1000000"), [Finding::RetentionBytes("1000000".into())]);
    // By default, Kafka accepts timestamps of producers that are up to an hour in the future.
    let clock = Finding::Clock { wanted: Clock::Append };
    assert_eq!(but("message.timestamp.type", "CreateTime"), [beyond(2 * 3_600_000), clock]);
    // With Kafka's defaults, retention and segments are a week each.
    let findings = found(kafka, &[]);
    assert!(findings.contains(&beyond(2 * 604_800_000 + 300_000 + 3_600_000)), "{findings:?}");
}

#[test]
fn check_returns_each_reason_that_prevents_the_start_of_a_worker() {
    let kafka = Kafka::shared();
    let (endless, missing) = (unique("endless"), unique("missing"));
    kafka.create_topic(&endless, 2, &[("retention.ms", "-1"), ("message.timestamp.type", "LogAppendTime")]);
    let report = check(kafka, &[spec(&endless), spec(&missing)]);
    let refusals: Vec<_> = report.refusals().collect();
    assert!(
        refusals.contains(&(endless.as_str(), &Finding::Unbounded(Unbounded::Retention))),
        "{refusals:?}"
    );
    assert!(refusals.contains(&(missing.as_str(), &Finding::Missing)), "{refusals:?}");
}

#[test]
fn time_to_live_shorter_than_the_brokers_check_interval_is_refused() {
    let kafka = Kafka::shared();
    let good = spec(&unique("good"));
    let short = Spec { ttl: Duration::from_secs(299), least: Duration::ZERO, ..spec(&unique("short")) };
    let error = admin(kafka).plan(&[good, short], now()).unwrap_err();
    assert!(matches!(error, KafkaError::TtlTooShort { check, .. } if check == Span::MINUTE * 5), "{error:?}");
}

#[test]
fn partition_whose_oldest_record_exceeds_the_time_to_live_is_reported() {
    let kafka = Kafka::shared();
    let topic = unique("old");
    let settings = [("retention.ms", "-1"), ("message.timestamp.type", "CreateTime")];
    kafka.create_topic(&topic, 3, &settings);
    let (now, two_hours) = (now(), HOUR * 2);
    let at = |partition, time: Timestamp| {
        let timestamp = Some(time.as_millis() as i64);
        Record { timestamp, ..Record::new(partition, "x") }
    };
    produce(kafka, &topic, &[at(0, now - Span::MINUTE), at(0, now), at(2, now - two_hours), at(2, now)]);
    let report = admin(kafka).check(&[spec(&topic)], now).unwrap().topics.remove(0);
    let ages: Vec<_> = report.oldest.iter().map(|age| age.map(|age| age / (Span::SECOND * 2))).collect();
    assert_eq!(ages, [Some(30), None, Some(two_hours / (Span::SECOND * 2))], "{:?}", report.oldest);
    let overstayed: Vec<_> = report
        .findings
        .iter()
        .filter_map(|finding| match finding {
            Finding::Overstayed { partition, bound, .. } => Some((*partition, *bound)),
            _ => None,
        })
        .collect();
    assert_eq!(overstayed, [(2, HOUR)]);
    kafka.delete_before(&topic, 2, 1);
    let report = check(kafka, &[spec(&topic)]);
    assert!(report.topics[0].oldest[2].unwrap() < HOUR, "the first readable record is the second one");
}

#[test]
fn partition_without_a_leader_is_reported_as_not_measured() {
    let kafka = Kafka::start(Options { brokers: 3, ..Options::default() });
    let topic = unique("unreplicated");
    let tool = "org.apache.kafka.tools.TopicCommand";
    let arguments = [
        "--bootstrap-server",
        kafka.bootstrap(),
        "--create",
        "--topic",
        &topic,
        "--replica-assignment",
        "1,2,3",
    ];
    let _ = kafka.tool(tool, &arguments);
    for partition in 0..3 {
        produce(&kafka, &topic, &[Record::new(partition, "x")]);
    }
    let cluster = Cluster::open(&settings(&kafka)).unwrap();
    let all = [0, 1, 2];
    assert_eq!(cluster.log_ends(&topic, &all).unwrap(), [Some(1), Some(1), Some(1)]);
    kafka.kill(2);
    let ends = eventually("the client knows that a partition has no leader", || {
        let known = cluster.topic(&topic).ok()?.partitions[1].leader.is_none();
        cluster.log_ends(&topic, &all).ok().filter(|_| known)
    });
    assert_eq!(ends, [Some(1), None, Some(1)]);
    let report = admin(&kafka).check(&[Spec { partitions: 3, ..spec(&topic) }], now()).unwrap();
    let unmeasured = Finding::Unmeasured { partitions: vec![1] };
    assert!(report.topics[0].findings.contains(&unmeasured), "{report:?}");
}

#[test]
fn check_of_an_unreachable_cluster_is_an_error() {
    let unreachable =
        crowdfold_kafka::ClientSettings { brokers: "127.0.0.1:1".into(), ..settings(Kafka::shared()) };
    let error = Admin::open(&unreachable).unwrap().check(&[spec("t")], now()).unwrap_err();
    assert!(matches!(error, KafkaError::Unreachable { .. }), "{error:?}");
}
