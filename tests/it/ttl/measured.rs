//! Measures for how long records are readable and on the disk, and compares the times with the computed bounds.

use crowdfold_model::{Span, Timestamp};
use std::time::Duration;

use crowdfold_kafka::Cluster;
use crowdfold_kafka::topics::{Admin, Bounds, Clock, Purpose, Spec};
use crowdfold_testkit::{Kafka, unique};

use super::{is_on_disk, quick};
use crate::kafka_support::{Record, produce, read_all, settings};
use crate::worker::support::{now, sleep};

/// The maximum time until the test detects a deletion, in milliseconds. The test adds the time for which the broker
/// waited for a CPU.
const SLACK: u64 = 2_500;

/// A record whose deletion is measured.
struct Watched {
    topic: String,
    partition: u32,
    offset: i64,
    marker: String,
    /// The record was appended after `born` and before `sent`.
    born: u64,
    sent: u64,
    /// The last time at which the record was readable, and the first time at which it was not.
    readable: u64,
    unreadable: Option<u64>,
    /// The last time at which the record was on the disk, and the first time at which it was not.
    on_disk: u64,
    off_disk: Option<u64>,
}

impl Watched {
    /// Sends a record with this timestamp. In a topic with append time, `timestamp` is `None`.
    fn send(kafka: &Kafka, cluster: &Cluster, topic: &str, partition: u32, timestamp: Option<u64>) -> Self {
        let marker = unique("marker");
        // The offset is known before the record is sent, because no other producer writes to the partition. The record
        // is not read to find its offset, because it might be deleted first.
        let offset = cluster.log_ends(topic, &[partition]).unwrap()[0].unwrap();
        let born = now();
        let timestamp = timestamp.map(|at| at as i64);
        produce(kafka, topic, &[Record { timestamp, ..Record::new(partition, &marker) }]);
        let sent = now();
        assert!(
            is_on_disk(kafka, topic, partition, marker.as_bytes()),
            "the scan does not find the marker on the disk"
        );
        Self {
            topic: topic.into(),
            partition,
            offset,
            marker,
            born,
            sent,
            readable: sent,
            unreadable: None,
            on_disk: sent,
            off_disk: None,
        }
    }

    /// Records whether the record is still readable, and whether it is still on the disk.
    fn look(&mut self, kafka: &Kafka, cluster: &Cluster) {
        let asked = now();
        if self.unreadable.is_none() {
            let start = cluster.log_starts(&self.topic, &[self.partition]).unwrap()[0].unwrap();
            if start > self.offset {
                self.unreadable = Some(now());
            } else {
                self.readable = asked;
            }
        } else if self.off_disk.is_none() {
            if is_on_disk(kafka, &self.topic, self.partition, self.marker.as_bytes()) {
                self.on_disk = asked;
            } else {
                self.off_disk = Some(now());
            }
        }
    }

    /// Asserts that the record was deleted not earlier than `least` milliseconds after it was sent, and not later than
    /// the bounds permit. `waited` is the time in milliseconds for which the broker waited for a CPU.
    fn evaluate(&self, kind: &str, least: u64, bounds: Bounds, waited: u64) {
        let (unreadable, off_disk) = (self.unreadable.unwrap(), self.off_disk.unwrap());
        let at_most = unreadable - self.born;
        let (readable, on_disk) = (self.readable - self.sent, self.on_disk - self.sent);
        let (unreadable, off_disk) = (unreadable - self.sent, off_disk - self.sent);
        eprintln!(
            "{kind}: unreadable after {unreadable} ms, off the disk after {off_disk} ms; not before {least}, \
             bounds {} and {} ms, and {waited} ms for a busy machine",
            bounds.readable.as_millis(),
            bounds.on_disk.as_millis()
        );
        let slack = Span::from_millis(SLACK + waited);
        assert!(
            at_most >= least,
            "{kind}: deleted after at most {at_most} ms, but must be kept for {least} ms"
        );
        assert!(
            Span::from_millis(readable) <= bounds.readable + slack,
            "{kind}: readable for {readable} ms, longer than {bounds:?}"
        );
        assert!(
            Span::from_millis(on_disk) <= bounds.on_disk + slack,
            "{kind}: on the disk for {on_disk} ms, longer than {bounds:?}"
        );
    }
}

fn spec(topic: &str, ttl: u64, clock: Clock) -> Spec {
    Spec {
        topic: topic.into(),
        purpose: Purpose::Beacons,
        partitions: 2,
        replication: 1,
        ttl: Duration::from_millis(ttl),
        least: Duration::ZERO,
        clock,
        max_skew: Duration::ZERO,
        on_disk_slack: Duration::from_secs(300),
        max_message_bytes: 1 << 20,
    }
}

/// There are three cases. In a busy partition, a record is deleted when a newer segment exists and its own segment has
/// expired. In an idle partition, the last segment is deleted too. If producers set the timestamps, a record dated in
/// the future delays the deletion of its segment. In each case, records must be deleted within the bounds that are
/// computed from the settings of `topics apply`, and not before `retention.ms`.
#[test]
fn invariant_10_no_record_outlives_its_bound_for_readers_or_on_the_disk() {
    const BUSY: u32 = 0;
    const IDLE: u32 = 1;
    const AHEAD: u64 = 2_000;
    const FUTURE: u64 = 1_000;
    let kafka = Kafka::start(quick());
    let admin = Admin::open(&settings(&kafka)).unwrap();
    let cluster = Cluster::open(&settings(&kafka)).unwrap();
    let ahead = Clock::Create { ahead: Duration::from_millis(AHEAD) };
    let specs =
        [spec(&unique("append"), 8_000, Clock::Append), spec(&unique("create"), 8_000 + AHEAD, ahead)];
    admin.apply(&admin.plan(&specs, Timestamp::from_millis(now())).unwrap()).unwrap();
    let [append, create] = specs.each_ref().map(|spec| spec.topic.as_str());
    let report = admin.check(&specs, Timestamp::from_millis(now())).unwrap();
    assert!(!report.is_breached(), "{report:?}");
    let bounds = report.topics.iter().map(|topic| topic.bounds.unwrap()).collect::<Vec<_>>();
    // The retention is 4/5 of the time that remains after subtracting the check interval of the broker from the bound.
    let retention = (8_000 - 500) / 5 * 4;
    let expected = |readable, on_disk| Bounds {
        readable: Span::from_millis(readable),
        on_disk: Span::from_millis(on_disk),
    };
    assert_eq!(bounds[0], expected(8_000, 9_000));
    assert_eq!(bounds[1], expected(8_000 + AHEAD, 9_000 + AHEAD));

    let before = kafka.cpu_wait(1);
    let mut idle = vec![Watched::send(&kafka, &cluster, append, IDLE, None)];
    let mut held = vec![Watched::send(&kafka, &cluster, create, IDLE, Some(now()))];
    // This record is in the same segment as the watched record, because its timestamp is later by less than segment.ms.
    let future = held[0].born + FUTURE;
    let future = Record { timestamp: Some(future as i64), ..Record::new(IDLE, "tomorrow") };
    produce(&kafka, create, &[future]);
    // Records are sent at different times within the life of a segment.
    let mut busy = Vec::new();
    let start = now();
    while [&idle, &held, &busy].into_iter().flatten().any(|watched: &Watched| watched.off_disk.is_none()) {
        let of_age = now() - start;
        assert!(of_age < 300_000, "a record was not deleted within 300 s");
        produce(&kafka, append, &[Record::new(BUSY, "busy")]);
        if busy.len() < 8 && of_age >= 400 * busy.len() as u64 {
            busy.push(Watched::send(&kafka, &cluster, append, BUSY, None));
        }
        for watched in idle.iter_mut().chain(&mut held).chain(&mut busy) {
            watched.look(&kafka, &cluster);
        }
        sleep(20);
    }
    let waited = kafka.cpu_wait(1).saturating_sub(before).as_millis() as u64;
    let evaluate = |watched: &[Watched], kind: &str, least: u64, bounds: Bounds| {
        watched.iter().for_each(|watched| watched.evaluate(kind, least, bounds, waited));
    };
    evaluate(&idle, "idle", retention, bounds[0]);
    evaluate(&busy, "busy", retention, bounds[0]);
    evaluate(&held, "with a record dated in the future", retention + FUTURE, bounds[1]);
    for topic in [append, create] {
        let read = read_all(&kafka, topic, "read_uncommitted");
        let marked = |(.., value): &&(_, _, _, Vec<u8>)| value.starts_with(b"marker");
        assert_eq!(read.iter().find(marked), None, "a reader still receives a deleted record");
    }
    let report = admin.check(&specs, Timestamp::from_millis(now())).unwrap();
    assert!(!report.is_breached(), "{report:?}");
}
