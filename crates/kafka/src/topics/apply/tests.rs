use std::time::Duration;

use super::*;
use crate::topics::Purpose;

const MINUTE: Span = Span::MINUTE;

fn spec() -> Spec {
    Spec {
        topic: "t".into(),
        purpose: Purpose::Beacons,
        partitions: 4,
        replication: 3,
        ttl: Duration::from_secs(3600),
        least: Duration::from_secs(33 * 60),
        clock: Clock::Append,
        max_skew: Duration::from_secs(60),
        on_disk_slack: Duration::from_secs(300),
        max_message_bytes: 1 << 20,
    }
}

#[test]
fn ttl_of_an_hour_becomes_44_minutes_of_retention_and_11_minute_segments() {
    let settings = settings(&spec(), MINUTE * 5).unwrap();
    assert_eq!((settings["retention.ms"].as_str(), settings["segment.ms"].as_str()), ("2640000", "660000"));
    assert_eq!(settings["min.insync.replicas"], "2");
    assert_eq!(settings["message.timestamp.type"], "LogAppendTime");
    assert!(!settings.contains_key("message.timestamp.after.max.ms"));
}

#[test]
fn limit_of_timestamps_in_the_future_shortens_the_retention() {
    let clock = Clock::Create { ahead: Duration::from_secs(60) };
    let settings = settings(&Spec { clock, ..spec() }, MINUTE * 5).unwrap();
    assert_eq!(settings["message.timestamp.after.max.ms"], "60000");
    assert_eq!(settings["retention.ms"], (54 * 60_000 / 5 * 4).to_string());
}

#[test]
fn error_for_a_specification_that_no_settings_can_meet_contains_the_fix() {
    let short = Spec { ttl: Duration::from_secs(300), ..spec() };
    let error = settings(&short, MINUTE * 5).unwrap_err().to_string();
    let expected = "records of topic t cannot be deleted within 5m, because brokers check for old records only every \
                    5m; lower log.retention.check.interval.ms of the brokers or raise the time-to-live of the topic";
    assert_eq!(error, expected);
    let hasty = Spec { least: Duration::from_secs(45 * 60), ..spec() };
    let error = settings(&hasty, MINUTE * 5).unwrap_err();
    assert!(matches!(
        error,
        KafkaError::OutageTooLong { least, retention, .. } if (least, retention) == (MINUTE * 45, MINUTE * 44)
    ));
}

#[test]
fn change_is_marked_only_if_it_keeps_records_longer() {
    assert!(lengthens("retention.ms", Some("1000"), "2000"));
    assert!(lengthens("retention.bytes", Some("1000"), "-1"));
    assert!(!lengthens("retention.ms", Some("-1"), "2000"));
    assert!(!lengthens("retention.ms", Some("2000"), "2000"));
    assert!(!lengthens("retention.ms", None, "2000"));
    assert!(!lengthens("max.message.bytes", Some("1000"), "2000"));
}

#[test]
fn change_is_printed_with_the_old_and_new_value_of_each_setting() {
    let change = creation(&spec(), settings(&spec(), MINUTE * 5).unwrap());
    let shown = change.to_string();
    assert!(
        shown.starts_with("topic t: create with 4 partitions and 3 replicas\n  cleanup.policy: delete\n"),
        "{shown}"
    );
    let difference =
        Difference { key: "retention.ms", from: Some("1".into()), to: "2".into(), lengthens: true };
    let left = vec!["the topic has 3 partitions, but 4 are configured".to_owned()];
    let shown = Change { create: None, settings: vec![difference], left, ..change }.to_string();
    let expected = "topic t: alter settings\n  retention.ms: 1 -> 2   (keeps records longer than before)\n  not \
                    changed: the topic has 3 partitions, but 4 are configured\n";
    assert_eq!(shown, expected);
}
