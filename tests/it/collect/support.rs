//! Starts collectors for tests, and reads the records that they wrote.
#![expect(clippy::unwrap_used, reason = "a panic shows the location of the failure")]

use std::collections::BTreeMap;

use crowdfold_testkit::envelope::{Body, CONTENT_TYPE, unpack};
use crowdfold_testkit::{Kafka, eventually};

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

/// A request that the collector wrote to the topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Packed {
    pub(super) partition: i32,
    pub(super) address: Option<String>,
    pub(super) tenant: Option<String>,
    pub(super) user_agent: Option<String>,
    pub(super) endpoint: u32,
    /// The form of the body: `json`, `events`, `query` or `headers`.
    pub(super) form: &'static str,
    /// The content of the body, or the four CMCD headers separated by `|`.
    pub(super) content: String,
}

/// Returns all requests in the topic. Asserts the properties that every record must have.
pub(super) fn packed(deployment: &Deployment<'_>) -> Vec<Packed> {
    let records = deployment.records("beacons", "read_uncommitted");
    records.iter().flat_map(requests).collect()
}

fn requests(record: &Seen) -> Vec<Packed> {
    assert_eq!(record.headers, [("content-type".to_owned(), CONTENT_TYPE.as_bytes().to_vec())]);
    assert!(record.key.is_empty(), "a record has a key");
    let mut requests = Vec::new();
    let mut newest = 0;
    unpack(&record.value, &mut |request| {
        let (http, body) = request.map_err(|_| "malformed").unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (form, content) = match body {
            Body::Json(bytes) => ("json", text(bytes)),
            Body::Events(bytes) => ("events", text(bytes)),
            Body::Query(bytes) => ("query", text(bytes)),
            Body::Headers(parts) => ("headers", parts.map(|part| text(part.unwrap_or_default())).join("|")),
        };
        newest = newest.max(http.received_at.unwrap().as_millis());
        assert!(!http.gpc && !http.dnt);
        requests.push(Packed {
            partition: record.partition,
            address: http.address.map(Into::into),
            tenant: http.tenant.map(Into::into),
            user_agent: http.user_agent.map(Into::into),
            endpoint: http.endpoint,
            form,
            content,
        });
    });
    assert_eq!(
        record.timestamp as u64, newest,
        "the timestamp must be the latest time of receipt in the record"
    );
    requests
}

/// Returns the contents of the requests by partition, in the order of the topic.
pub(super) fn by_partition(packed: &[Packed]) -> BTreeMap<i32, Vec<&str>> {
    let mut all = BTreeMap::<i32, Vec<&str>>::new();
    for request in packed {
        all.entry(request.partition).or_default().push(&request.content);
    }
    all
}

/// Returns a session id whose partition is `partition`. Different values of `nth` give different ids.
pub(super) fn session_in(deployment: &Deployment<'_>, partition: u32, nth: usize) -> String {
    let mut sessions = (0..).map(|number| format!("session-{number}"));
    sessions.by_ref().filter(|session| deployment.partition_of(session) == partition).nth(nth).unwrap()
}
