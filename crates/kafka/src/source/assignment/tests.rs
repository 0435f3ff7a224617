//! These tests use librdkafka's mock cluster.

use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};

use super::*;
use crate::{ClientSettings, SourceSettings};

/// If a partition had two handles of its queue, dropping the second would remove the call-back of the first.
#[test]
#[expect(clippy::disallowed_methods, reason = "tests wait in real time")]
fn assigning_a_partition_again_keeps_its_queue_and_wakeup() {
    let mock = MockCluster::new(1).unwrap();
    mock.create_topic("beacons", 1, 1).unwrap();
    let client = ClientSettings {
        brokers: mock.bootstrap_servers(),
        client_id: "source".into(),
        ..ClientSettings::default()
    };
    let mut source = Source::open(&client, SourceSettings::new("beacons", "group", "instance")).unwrap();
    while !matches!(source.poll(Duration::from_millis(100)), Ok(Some(Event::Assigned(_)))) {}
    // after a failed `assign`, the next poll assigns the partitions again in the same way
    source.assign().unwrap();
    source.assign().unwrap();
    let mut ended = false;
    while !ended {
        source.wait(Duration::from_millis(100));
        ended = source.read(0, 10, |_| {}).unwrap().end.is_some();
    }
    let producer: BaseProducer =
        ClientConfig::new().set("bootstrap.servers", &client.brokers).create().unwrap();
    producer.send(BaseRecord::<(), str>::to("beacons").payload("a")).map_err(|(error, _)| error).unwrap();
    producer.flush(Duration::from_secs(10)).unwrap();
    let start = Instant::now();
    let mut count = 0;
    while count == 0 {
        source.wait(Duration::from_secs(120));
        count = source.read(0, 10, |_| {}).unwrap().count;
    }
    assert!(start.elapsed() < Duration::from_secs(60), "the wake-up was not notified");
}
