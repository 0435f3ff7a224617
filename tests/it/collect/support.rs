//! Starts collectors for tests, and reads the records that they wrote.
#![expect(clippy::unwrap_used, reason = "a panic shows the location of the failure")]

use std::collections::BTreeMap;

use crowdfold_testkit::envelope::{CONTENT_TYPE, Mode, json_of, unpack};
use crowdfold_testkit::{Kafka, eventually};

use serde_json::Value;

use super::client::Client;
use crate::worker::support::{Deployment, Seen, Worker};

/// Returns a deployment with a collector. k is 1, so the counters of the collector are exact.
pub(super) fn deploy(kafka: &Kafka) -> Deployment<'_> {
    let mut deployment = Deployment::new(kafka);
    deployment.rules.k = 1;
    deployment.set("collect.listen", "\"127.0.0.1:0\"");
    deployment
}

/// A running collector.
pub(super) struct Collector(pub(super) Worker);

impl Collector {
    /// Starts a collector, and waits until it is ready.
    pub(super) fn start(deployment: &Deployment<'_>) -> Self {
        let collector = Self(Worker::collect(deployment, "collector"));
        collector.0.await_ready();
        collector
    }

    pub(super) fn connect(&self) -> Client {
        Client::connect(&self.0.intake_address())
    }

    /// Waits until a counter such as `requests_total{status="204"}` has this value.
    pub(super) fn await_count(&self, name: &str, count: u64) {
        self.await_metric(&format!("crowdfold_collect_{name}"), count);
    }

    /// Waits until the metric with this full name has this value.
    pub(super) fn await_metric(&self, name: &str, count: u64) {
        let mut last = None;
        eventually(&format!("{name} is {count}"), || {
            last = self.0.metric(name);
            (last == Some(count)).then_some(())
        });
    }

    /// Returns the resident memory of the collector, in bytes.
    pub(super) fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }
}

/// A beacon that the collector wrote to the topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Packed {
    pub(super) partition: i32,
    pub(super) address: Option<String>,
    pub(super) tenant: Option<String>,
    pub(super) user_agent: Option<String>,
    pub(super) endpoint: u32,
    pub(super) mode: Mode,
    pub(super) session: String,
    /// The values of the beacon, with the names of JSON beacons.
    pub(super) content: Value,
}

/// Returns all beacons in the topic. Asserts the properties that every record must have.
pub(super) fn packed(deployment: &Deployment<'_>) -> Vec<Packed> {
    let records = deployment.records("beacons", "read_uncommitted");
    records.iter().flat_map(beacons).collect()
}

fn beacons(record: &Seen) -> Vec<Packed> {
    assert_eq!(record.headers, [("content-type".to_owned(), CONTENT_TYPE.as_bytes().to_vec())]);
    assert!(record.key.is_empty(), "a record has a key");
    let mut beacons = Vec::new();
    let mut newest = 0;
    unpack(&record.value, &mut |http, beacon| {
        let beacon = beacon.unwrap();
        newest = newest.max(http.received_at.unwrap().as_millis());
        assert!(!http.gpc && !http.dnt);
        let content = json_of(beacon);
        beacons.push(Packed {
            partition: record.partition,
            address: http.address.as_deref().map(str::to_owned),
            tenant: http.tenant.as_deref().map(str::to_owned),
            user_agent: http.user_agent.as_deref().map(str::to_owned),
            endpoint: http.endpoint,
            mode: beacon.mode,
            session: content["session"].as_str().unwrap().to_owned(),
            content,
        });
    });
    assert_eq!(
        record.timestamp as u64, newest,
        "the timestamp must be the latest time of receipt in the record"
    );
    beacons
}

/// Returns the contents of the beacons by partition, in the order of the topic.
pub(super) fn by_partition(packed: &[Packed]) -> BTreeMap<i32, Vec<&Value>> {
    let mut all = BTreeMap::<i32, Vec<&Value>>::new();
    for beacon in packed {
        all.entry(beacon.partition).or_default().push(&beacon.content);
    }
    all
}

/// Returns a session id whose partition is `partition`. Different values of `nth` give different ids.
pub(super) fn session_in(deployment: &Deployment<'_>, partition: u32, nth: usize) -> String {
    let mut sessions = (0..).map(|number| format!("session-{number}"));
    sessions.by_ref().filter(|session| deployment.partition_of(session) == partition).nth(nth).unwrap()
}
