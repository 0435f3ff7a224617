//! Test of invalid records.

use std::collections::BTreeMap;

use crowdfold_loadgen::Faults;
use crowdfold_testkit::oracle::Record;
use crowdfold_testkit::{Kafka, eventually, unique};
use serde_json::Value;

use super::support::{Deployment, Worker, assert_same_rows, window_ago};

/// The text that every invalid record contains, in every position that can be reported.
const CANARY: &str = "c4n4rY7w1tt3r";
/// The number of copies. It is above k = 10, because the counters are rounded down to multiples of k and would
/// otherwise be 0.
const COPIES: usize = 12;

/// A payload and the reason of its rejection, or `None` if the payload is accepted.
type Poison = (Vec<u8>, Option<&'static str>);

/// Returns one payload of each kind. Every payload with a valid session id has the id `session`.
fn poisons(session: &str, ts: u64) -> Vec<Poison> {
    let with = |fields: &str| format!(r#"{{"ts":{ts},"session":"{session}",{fields}}}"#).into_bytes();
    let beacon = |ts: &str, session: &str, more: &str| {
        format!(r#"{{"ts":{ts},"session":"{session}","content":"{CANARY}"{more}}}"#).into_bytes()
    };
    let nested = |depth: usize| format!(r#""x":{}"{CANARY}"{}"#, "[".repeat(depth), "]".repeat(depth));
    let nobodys = |fields: &str| format!(r#"{{"ts":{ts},"session":"undefined",{fields}}}"#).into_bytes();
    let mut not_utf8 = nobodys(&format!(r#""cdn":"{CANARY} ""#));
    let end = not_utf8.len() - 3;
    not_utf8[end] = 0xff;
    // In each of these payloads, the faulty value invalidates only its own field.
    let odd = [
        nobodys(&nested(33)),
        nobodys(&format!(r#""cdn":"{CANARY}","cdn":"a""#)),
        nobodys(&format!(r#""playing_ms":-1,"x":"{CANARY}""#)),
        nobodys(&format!(r#""playing_ms":1e300,"x":"{CANARY}\ud800""#)),
        nobodys(&format!(r#""stalls":18446744073709551616,"x":"{CANARY}""#)),
        nobodys(&format!(r#""playing_ms":"{CANARY}","height":{{"{CANARY}":1}}"#)),
        nobodys(&format!(r#""fatal":"{CANARY}","event":"{CANARY}""#)),
        not_utf8,
    ];
    let mut garbage = format!("\u{0}\u{1}{CANARY}").into_bytes();
    garbage.extend((0..=255).rev().filter(|byte| *byte != b'\n'));
    let malformed = [
        garbage,
        Vec::new(),
        b" \n\t ".to_vec(),
        format!("GET /{CANARY} HTTP/1.1").into_bytes(),
        with(&format!(r#""cdn":"{CANARY}"#))[..40].to_vec(),
        with(&nested(1_025)),
        with(&nested(100_000)),
        with(&format!(r#""playing_ms":NaN,"x":"{CANARY}""#)),
        format!(r#"["{CANARY}"]"#).into_bytes(),
        format!(r#""{CANARY}""#).into_bytes(),
        format!("{CANARY} ").repeat(900_000 / 14).into_bytes(),
    ];
    let others = [
        (beacon(&ts.to_string(), session, r#","tenant":"c4n4rY7w1tt3r""#), Some("unknown_tenant")),
        (beacon(&ts.to_string(), "", ""), Some("no_session")),
        (format!(r#"{{"ts":{ts},"x":"{CANARY}"}}"#).into_bytes(), Some("no_session")),
        (beacon(&ts.to_string(), "undefined", ""), Some("no_session")),
        (beacon(&ts.to_string(), &format!("{CANARY}{}", "s".repeat(900_000)), ""), Some("too_large")),
        (format!(r#"{{"session":"{session}","x":"{CANARY}"}}"#).into_bytes(), Some("no_time")),
        (format!(r#"{{"ts":"{CANARY}","session":"{session}"}}"#).into_bytes(), Some("no_time")),
        (format!(r#"{{"ts":{ts},"session":"{CANARY}\udc00"}}"#).into_bytes(), Some("no_session")),
        // A beacon whose time is a day ago is late, but not rejected.
        (beacon(&(ts - 86_400_000).to_string(), session, ""), None),
        (beacon(&(ts - 86_400_001).to_string(), session, r#","event":"end""#), None),
    ];
    let malformed = malformed.into_iter().map(|payload| (payload, Some("malformed")));
    malformed.chain(odd.map(|payload| (payload, Some("no_session")))).chain(others).collect()
}

#[test]
fn invalid_records_are_counted_and_reported_and_do_not_change_rollups() {
    let deployment = Deployment::new(Kafka::shared()).with_topics();
    let start = window_ago(2_000, 60_000);
    let mut log = deployment.players_with(11, 200, start, 30_000, Faults::default());
    let outcome = deployment.evaluate(&log);

    // Each invalid record is inserted between valid records, where it does not change the watermark.
    let mut expected = BTreeMap::<&str, usize>::new();
    for copy in 0..COPIES {
        let session = unique(CANARY);
        let partition = deployment.partition_of(&session) as usize;
        let at = log[partition].len() / 2 + copy;
        let timestamp = log[partition][at].timestamp.unwrap();
        for (payload, reason) in poisons(&session, timestamp) {
            log[partition].insert(at, Record { timestamp: Some(timestamp), payload });
            *expected.entry(reason.unwrap_or("late")).or_default() += 1;
        }
        // This record is not in the partition of its session.
        let elsewhere = (partition + 1) % deployment.partitions as usize;
        let payload = format!(r#"{{"ts":{timestamp},"session":"{session}","x":"{CANARY}"}}"#).into_bytes();
        let at = log[elsewhere].partition_point(|record| record.timestamp < Some(timestamp));
        log[elsewhere].insert(at, Record { timestamp: Some(timestamp), payload });
        *expected.entry("misplaced").or_default() += 1;
    }
    deployment.produce(&log);
    deployment.tombstone(0, COPIES, start + 15_000);
    *expected.entry("malformed").or_default() += COPIES;
    // These records are half a minute ahead. They must be rejected, and must not move the watermark.
    deployment.tombstone(1, COPIES, super::support::now() + 30_000);
    *expected.entry("future").or_default() += COPIES;
    let late = expected.remove("late").unwrap();

    let worker = Worker::start_with(&deployment, "a", &["--log-level", "trace"]);
    deployment.await_committed(deployment.last_end(&outcome));
    assert_same_rows(&deployment.rows("read_committed"), &outcome.rollups(&deployment.rules));

    // A rejection contains the reason and the location, and nothing else.
    let notes = deployment.records("rejections", "read_committed");
    let mut counts = BTreeMap::<String, usize>::new();
    let mut locations = std::collections::BTreeSet::new();
    for note in &notes {
        let json: Value = serde_json::from_slice(&note.value).unwrap();
        let keys: Vec<_> = json.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(keys, ["offset", "partition", "reason", "schema", "time", "topic"]);
        assert_eq!(
            (&json["topic"], note.key.len(), note.headers.len()),
            (&deployment.topic("beacons").into(), 0, 0)
        );
        assert!(locations.insert((json["partition"].as_u64(), json["offset"].as_u64())), "twice: {json}");
        assert_eq!(json["time"].as_u64().unwrap() % 60_000, 0);
        *counts.entry(json["reason"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    assert_eq!(counts, expected.iter().map(|(reason, count)| ((*reason).to_owned(), *count)).collect());
    // Each rejection refers to an invalid record, because valid records do not contain the canary.
    for record in deployment.records("beacons", "read_uncommitted") {
        let location = (Some(record.partition as u64), Some(record.offset as u64));
        let good = serde_json::from_slice::<Value>(&record.value).is_ok_and(|json| json["ip"].is_string());
        assert!(!(good && locations.contains(&location)), "a valid beacon was rejected");
    }

    for (reason, count) in expected.iter().map(|(reason, count)| (*reason, *count as u64)) {
        let name = format!("crowdfold_rejected_total{{reason=\"{reason}\"}}");
        eventually(&format!("{reason} is counted"), || {
            (worker.metric(&name) == Some(count / 10 * 10)).then_some(())
        });
    }
    let late = late as u64 / 10 * 10;
    assert_eq!(worker.metric("crowdfold_beacons_total{outcome=\"late\"}"), Some(late));

    let mut leaving: Vec<Vec<u8>> = notes.into_iter().map(|note| note.value).collect();
    leaving.extend(deployment.rows("read_uncommitted").into_iter().map(|row| row.value));
    leaving.push(worker.get("/metrics").1.into_bytes());
    let (status, counts) = worker.terminate();
    assert!(status.success(), "{counts}");
    leaving.push(counts.into_bytes());
    for text in leaving {
        let text = String::from_utf8_lossy(&text);
        assert!(!text.contains(CANARY), "content of a record is in an output: {text}");
    }
}
