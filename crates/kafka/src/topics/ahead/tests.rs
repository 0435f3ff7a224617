use std::time::Duration;

use super::*;
use crate::topics::{Clock, Purpose};

const NOW: u64 = 1_800_000_000_000;

fn spec(clock: Clock) -> Spec {
    Spec {
        topic: "t".into(),
        purpose: Purpose::Beacons,
        partitions: 4,
        replication: 1,
        ttl: Duration::from_secs(3_600),
        least: Duration::ZERO,
        clock,
        max_skew: Duration::from_secs(60),
        on_disk_slack: Duration::from_secs(300),
        max_message_bytes: 1 << 20,
    }
}

fn found(clock: Clock, times: &[Option<u64>], unknown: &[u32]) -> Vec<Finding> {
    let largest = Largest {
        times: times.iter().map(|time| time.map(Timestamp::from_millis)).collect(),
        unknown: unknown.to_vec(),
    };
    of_largest(&spec(clock), &largest, Span::MINUTE * 44, Timestamp::from_millis(NOW))
}

#[test]
fn timestamp_beyond_the_skew_is_a_breach_and_the_message_names_its_partition() {
    let past = [None, Some(0), Some(NOW), Some(NOW + 65_000)];
    assert_eq!(found(Clock::Append, &past, &[]), []);
    let ahead = [Some(NOW), Some(NOW + 65_001), None, Some(2_082_758_400_000)];
    let findings = found(Clock::Append, &ahead, &[]);
    let partitions = findings.iter().map(|finding| match finding {
        Finding::Ahead { partition, by, .. } => (*partition, by.as_millis()),
        other => panic!("{other:?}"),
    });
    assert_eq!(partitions.collect::<Vec<_>>(), [(1, 65_001), (3, 282_758_400_000)]);
    assert!(findings.iter().all(|finding| finding.is_breach() && finding.refuses_start()));
    let text = findings[1].to_string();
    let expected = "partition 3 contains a record dated 2036-01-01T00:00:00Z, whose segment cannot expire before \
                    2036-01-01T00:44:00Z";
    assert!(text.contains(expected), "{text}");
    assert!(text.ends_with("; wait until then, use a new topic, or purge the topic"), "{text}");
}

#[test]
fn producers_may_set_timestamps_in_the_future_up_to_the_limit_of_the_topic() {
    let clock = Clock::Create { ahead: Duration::from_secs(600) };
    assert_eq!(found(clock, &[Some(NOW + 605_000)], &[]), []);
    assert_eq!(found(clock, &[Some(NOW + 605_001)], &[]).len(), 1);
}

#[test]
fn largest_possible_timestamp_does_not_overflow() {
    let findings = found(Clock::Append, &[Some(i64::MAX as u64), Some(u64::MAX)], &[]);
    assert_eq!(findings.len(), 2);
    assert!(findings[0].to_string().contains("dated 292278994-08-17T07:12:55Z"), "{}", findings[0]);
}

#[test]
fn broker_that_cannot_report_the_largest_timestamp_is_a_breach() {
    let findings = found(Clock::Append, &[Some(NOW), None], &[0]);
    assert_eq!(findings, [Finding::TooOld { partitions: vec![0] }]);
    assert!(findings[0].is_breach() && findings[0].is_of_age());
    assert!(findings[0].to_string().contains("upgrade them to Kafka 3.0 or later"));
}

/// The request for the largest timestamp contains the special time -3. A broker before Kafka 3.0 treats -3 as a time
/// before all records, and responds with the timestamp of the first record instead of the largest.
#[test]
fn reported_largest_timestamp_is_wrong_only_if_a_later_one_existed_before_the_request() {
    // three records existed before the request; the second of them has a later timestamp than the reported one
    assert!(is_contradicted(Some(1_001), Some(1), Some(3)));
    // no record has a later timestamp than the reported one
    assert!(!is_contradicted(Some(1_001), None, Some(3)));
    // a record has a later timestamp than the reported one, but was written after the request
    assert!(!is_contradicted(Some(1_001), Some(3), Some(3)));
    // the broker reported no timestamp, or the partition has no leader
    assert!(!is_contradicted(None, Some(0), Some(3)));
    assert!(!is_contradicted(Some(1_001), Some(0), None));
}
