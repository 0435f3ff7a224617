//! Tests with records dated in the future. The segment of such a record expires only long after that date. A topic with
//! such a record has no bounded time-to-live, and must be reported.

use crowdfold_kafka::Cluster;
use crowdfold_kafka::topics::{Admin, Finding};
use crowdfold_model::Timestamp;
use crowdfold_testkit::{Kafka, Options, unique};
use serde_json::Value;

use super::{command, printed, quick, spec};
use crate::kafka_support::{Record, produce, settings};
use crate::worker::support::{Deployment, Worker, now};

/// The first millisecond of the year 2036.
pub(super) const IN_2036: u64 = 2_082_758_400_000;
/// A setting with which the broker accepts timestamps in the future. It was the default before Kafka 3.6.
pub(super) const ANY_TIME: (&str, &str) = ("message.timestamp.after.max.ms", "9223372036854775807");

pub(super) fn dated(partition: u32, time: u64, value: &str) -> Record {
    Record { timestamp: Some(time as i64), ..Record::new(partition, value) }
}

/// Creates a deployment whose configuration requires append time. Another program has already created its topic of
/// beacons, so that producers set the timestamps in this topic.
pub(super) fn turned(kafka: &Kafka) -> Deployment<'_> {
    let mut deployment = Deployment::new(kafka);
    deployment.set("source.trust_timestamps", "false");
    kafka.create_topic(&deployment.topic("beacons"), deployment.partitions, &[ANY_TIME]);
    deployment
}

#[test]
fn check_apply_and_audit_report_a_record_dated_in_the_future_and_run_refuses_to_start() {
    let deployment = turned(Kafka::shared());
    let beacons = deployment.topic("beacons");
    produce(
        deployment.kafka,
        &beacons,
        &[dated(2, IN_2036, "ahead"), dated(2, now(), "now"), dated(0, now(), "x")],
    );
    let named = "partition 2 contains a record dated 2036-01-01T00:00:00Z, whose segment cannot expire before \
                 2036-01-01T00:4";

    // `topics apply` corrects the settings, but the topic still has no bounded time-to-live.
    let applied = command(&deployment, &["topics", "apply"]);
    assert_eq!(applied.status.code(), Some(3), "{}", printed(&applied));
    for words in [
        "message.timestamp.type: CreateTime -> LogAppendTime",
        &format!("  the topic keeps records for too long because {named}"),
        "wait until then, use a new topic, or purge the topic with `crowdfold topics apply --purge-ahead`",
        "4 of 4 topics changed",
        "crowdfold: 1 of 4 topics have no bounded time-to-live",
    ] {
        assert!(printed(&applied).contains(words), "{words:?} is not in\n{}", printed(&applied));
    }
    for arguments in [&["topics", "apply"][..], &["topics", "apply", "--dry-run"]] {
        let again = command(&deployment, arguments);
        assert_eq!(again.status.code(), Some(3), "{}", printed(&again));
        assert!(printed(&again).contains(&format!("topic {beacons}: no change of settings needed")));
        assert!(
            !printed(&again).contains(&format!("topic {beacons}: no change needed")),
            "{}",
            printed(&again)
        );
    }

    let checked = command(&deployment, &["topics", "check"]);
    assert_eq!(checked.status.code(), Some(3), "{}", printed(&checked));
    let finding = format!("topic {beacons} keeps records for too long because {named}");
    assert!(printed(&checked).contains(&finding), "{}", printed(&checked));
    // There is only one finding of this kind.
    assert_eq!(printed(&checked).matches("contains a record dated").count(), 1, "{}", printed(&checked));
    assert!(
        printed(&checked).contains("crowdfold: 1 of 4 topics do not match the configuration"),
        "{}",
        printed(&checked)
    );

    let audited = command(&deployment, &["audit", "--format", "json"]);
    assert_eq!(audited.status.code(), Some(3), "{}", printed(&audited));
    let report: Value = serde_json::from_slice(&audited.stdout).unwrap();
    let breaches: Vec<_> =
        report["findings"].as_array().unwrap().iter().filter(|found| found["breach"] == true).collect();
    let [found] = breaches[..] else { panic!("{report:#}") };
    assert_eq!((&found["finding"], &found["topic"]), (&"dated-ahead".into(), &beacons.as_str().into()));
    assert_eq!(found["partition"], 2);

    let mut worker = Worker::start(&deployment, "a");
    assert_eq!(worker.wait().code(), Some(3), "{}", worker.log());
    assert!(worker.log().contains(&finding), "{}", worker.log());
}

/// By default, Kafka accepts timestamps that are up to an hour in the future, which is more than `windows.max_skew`.
#[test]
fn only_records_dated_ahead_by_more_than_the_permitted_skew_are_reported() {
    let kafka = Kafka::shared();
    let topic = unique("skew");
    let bounded = [("retention.ms", "2640000"), ("segment.ms", "660000")];
    kafka.create_topic(&topic, 4, &[bounded[0], bounded[1], ("message.timestamp.type", "CreateTime")]);
    let admin = Admin::open(&settings(kafka)).unwrap();
    let spec = spec(&topic);
    let ahead = || {
        let report = admin.check(std::slice::from_ref(&spec), Timestamp::from_millis(now())).unwrap();
        let ahead = |finding: &Finding| match finding {
            Finding::Ahead { partition, .. } => Some(*partition),
            _ => None,
        };
        assert!(!report.topics[0].findings.iter().any(|found| matches!(found, Finding::TooOld { .. })));
        report.topics[0].findings.iter().filter_map(ahead).collect::<Vec<_>>()
    };
    // An empty topic has no such record.
    assert_eq!(ahead(), [0; 0]);
    produce(kafka, &topic, &[dated(0, now() + 30_000, "x"), dated(1, 1_000, "old"), dated(1, now(), "x")]);
    assert_eq!(ahead(), [0; 0]);
    produce(kafka, &topic, &[dated(3, now() + 30 * 60_000, "x"), dated(3, now(), "x")]);
    assert_eq!(ahead(), [3]);
    // The record is deleted and no longer readable, but its segment still exists.
    kafka.delete_before(&topic, 3, 2);
    let cluster = Cluster::open(&settings(kafka)).unwrap();
    assert_eq!(cluster.log_starts(&topic, &[3]).unwrap(), [Some(2)]);
    assert_eq!(ahead(), [3]);
}

#[test]
fn file_deletion_delay_longer_than_allowed_is_reported_and_apply_lowers_it() {
    // This broker keeps deleted files for an hour.
    let kafka = Kafka::start(quick().with("log.segment.delete.delay.ms", "3600000"));
    let mut deployment = Deployment::new(&kafka);
    kafka.create_topic(&deployment.topic("beacons"), deployment.partitions, &[]);
    let checked = command(&deployment, &["topics", "check"]);
    let finding = "can stay on disk for 2h, longer than its time-to-live 1h + the slack 5m; lower \
                   file.delete.delay.ms or run `crowdfold topics apply`, or raise ttl.on_disk_slack";
    // In the topic of beacons, the retention is too long for readers too. Only that finding is reported.
    assert!(!printed(&checked).contains("can stay on disk"), "{}", printed(&checked));
    deployment.set("ttl.on_disk_slack", "\"1h\"");
    let applied = command(&deployment, &["topics", "apply"]);
    assert!(applied.status.success() && !printed(&applied).contains("file.delete"), "{}", printed(&applied));
    let checked = command(&deployment, &["topics", "check"]);
    assert!(checked.status.success(), "{}", printed(&checked));

    deployment.keys.remove("ttl.on_disk_slack");
    let checked = command(&deployment, &["topics", "check"]);
    assert_eq!(checked.status.code(), Some(3), "{}", printed(&checked));
    assert!(printed(&checked).contains(finding), "{}", printed(&checked));
    assert!(
        printed(&checked).contains("crowdfold: 4 of 4 topics do not match the configuration"),
        "{}",
        printed(&checked)
    );
    let mut worker = Worker::start(&deployment, "a");
    assert_eq!(worker.wait().code(), Some(3), "{}", worker.log());
    assert!(worker.log().contains(finding), "{}", worker.log());
    let audited = command(&deployment, &["audit"]);
    assert_eq!(audited.status.code(), Some(3), "{}", printed(&audited));
    assert_eq!(printed(&audited).matches("\nbeyond-ttl-on-disk").count(), 4, "{}", printed(&audited));

    let applied = command(&deployment, &["topics", "apply"]);
    assert!(printed(&applied).contains("file.delete.delay.ms: 3600000 -> 300000"), "{}", printed(&applied));
    for arguments in [["topics", "check"], ["topics", "apply"]] {
        let output = command(&deployment, &arguments);
        assert!(output.status.success(), "{}", printed(&output));
    }
}

#[test]
fn record_dated_in_the_future_is_reported_even_if_another_partition_has_no_leader() {
    let kafka = Kafka::start(Options { brokers: 3, ..Options::default() });
    let topic = unique("unled");
    kafka.create_topic_on(&topic, &[1, 2, 3]);
    produce(&kafka, &topic, &[dated(0, now() + 30 * 60_000, "x"), dated(1, now() + 30 * 60_000, "x")]);
    let admin = Admin::open(&settings(&kafka)).unwrap();
    let cluster = Cluster::open(&settings(&kafka)).unwrap();
    kafka.kill(2);
    crowdfold_testkit::eventually("the client knows that a partition has no leader", || {
        let known = cluster.topic(&topic).ok()?.partitions;
        known.iter().any(|partition| partition.leader.is_none()).then_some(())
    });
    let report = admin.check(&[spec(&topic)], Timestamp::from_millis(now())).unwrap();
    let findings = &report.topics[0].findings;
    let (mut ahead, mut unmeasured) = (Vec::new(), Vec::new());
    for finding in findings {
        match finding {
            Finding::Ahead { partition, .. } => ahead.push(*partition),
            Finding::Unmeasured { partitions } => unmeasured.extend(partitions),
            _ => {}
        }
    }
    assert_eq!((ahead, unmeasured), (vec![0], vec![1]), "{findings:?}");
}
