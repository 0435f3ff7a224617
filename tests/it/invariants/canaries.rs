//! Tests of invariants 4 and 11. The input contains known identities (canaries), and no output may contain one of them
//! in any encoding.

mod cores;
mod scan;

use std::fs;
use std::path::{Path, PathBuf};

use crowdfold_loadgen::Faults;
use crowdfold_testkit::{Kafka, unique};
use serde_json::Value;

use crate::kafka_support::{Record, produce};
use crate::worker::support::{Deployment, Seen, Worker, by_time, window_ago};
use scan::{ADDRESSES, AGENT, MAIL, SESSION, Scan, base64, canaries};

/// Asserts that the scan finds a canary in `leak`.
fn assert_found(scan: &Scan, name: &str, leak: impl AsRef<[u8]>) {
    let leak = leak.as_ref();
    assert!(scan.find(leak).is_some(), "{name} is not found in {}", String::from_utf8_lossy(leak));
}

#[test]
fn invariant_4_scan_finds_every_canary_in_every_encoding() {
    let scan = Scan::new();
    // These encodings are written by hand, so they do not depend on the code of the scan.
    for leak in [
        "from 203.0.113.77 on",
        "\"ip\":3405803853",
        "CB00714D",
        "cb.0.71.4d and 0xcb.0x0.0x71.0x4d",
        "0313.00.0161.0115",
        "203.000.113.077",
        "77.113.0.203.in-addr.arpa",
        "::ffff:cb00:714d",
        "%32%30%33%2E%30%2E%31%31%33%2E%37%37",
        "32-30-33 but 3230332E302E3131332E3737",
        r"\x32\x30\x33\x2e\x30\x2e\x31\x31\x33\x2e\x37\x37",
        "77.311.0.302",
        "MjAzLjAuMTEzLjc3",    // printf 203.0.113.77 | base64
        "IDIwMy4wLjExMy43Nw",  // with one leading space
        "ICAyMDMuMC4xMTMuNzc", // with two leading spaces
        "2001:0db8:0077:00aa:0000:0000:0000:00c4",
        "20010DB8007700AA00000000000000C4",
        "4.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.a.a.0.0.7.7.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
        "198.51.100.201",
        "jane.c4n4ry%40mail.example",
        "elpmaxe.liam@yr4n4c.enaj",
        "amFuZS5jNG40cnlAbWFpbC5leGFtcGxl",
        "MOZILLA/5.0 (ZANZIBAR; C4N4RYOS 7_7)",
        "id=c4n4ry-5e55-10n0-0012",
    ] {
        assert_found(&scan, leak, leak);
    }
    for canary in canaries() {
        for text in &canary.spellings {
            let bytes = text.as_bytes();
            let hex: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
            let percent: String = bytes.iter().map(|byte| format!("%{byte:02X}")).collect();
            let backwards: String = text.chars().rev().collect();
            for leak in [text, &text.to_uppercase(), &hex, &percent, &backwards] {
                assert_found(&scan, canary.name, format!("{{\"os\":\"{leak}\",\"sessions\":83}}"));
            }
            for before in ["", "x", "xy", "some more"] {
                assert_found(&scan, canary.name, base64(format!("{before}{text} and more").as_bytes()));
            }
        }
    }
    for innocent in [
        &br#"{"os":"Windows","sessions":83,"start":1795308480000}"#[..],
        b"203.0.113.78 2001:db8:77:aa::c5 jane@mail.example c4n4ry",
        &[0; 10_000],
    ] {
        assert_eq!(scan.find(innocent), None);
    }
}

fn assert_clean_records(scan: &Scan, topic: &str, records: &[Seen]) {
    assert!(!records.is_empty(), "{topic} is empty");
    for record in records {
        scan.assert_clean(topic, &record.key);
        scan.assert_clean(topic, &record.value);
        for (name, value) in &record.headers {
            scan.assert_clean(topic, name.as_bytes());
            scan.assert_clean(topic, value);
        }
    }
}

/// Adds the paths of all files below a directory to `found`.
fn files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

/// Returns records of thirty sessions with identities in every possible place: in dimension values, in unknown fields,
/// in the keys and headers of records, and in beacons that are rejected for each reason.
fn canary_records(deployment: &Deployment<'_>, start: u64) -> Vec<Record> {
    let mut records = Vec::new();
    for number in 0..30 {
        let session = format!("{SESSION}{number:04}");
        let address = ADDRESSES[number % ADDRESSES.len()];
        let partition = deployment.partition_of(&session);
        for second in 0..15 {
            let ts = start + 2_000 + second * 1_000;
            let beacon = |ts: u64, session: &str, more: &str| {
                format!(
                    r#"{{"ts":{ts},"session":"{session}","ip":"{address}","user_agent":"{AGENT}","event":"heartbeat","playing_ms":1000,{more}}}"#
                )
            };
            let with = |more: &str| beacon(ts, &session, more);
            let (mut partition, x) = (partition, format!(r#""x":"{MAIL}""#));
            let payload = match second {
                0 => with(&format!(r#""content":"for {MAIL}","cdn":"edge-{address}.example""#)),
                1 => with(&format!(r#""player":"{address}","firmware":"{address}""#)),
                2 => with(&format!(r#""content":"{session}@x.example","connection":"{MAIL}""#)),
                3 => with(&format!(
                    r#""referrer":"https://{MAIL}/?ip={address}","headers":{{"x-forwarded-for":"{address}"}}"#
                )),
                4 => with(&format!(r#""tenant":"{MAIL}""#)),
                5 => with(&format!(r#""playing_ms":"{MAIL}""#)),
                6 => with(&x)[..120].to_owned(),
                7 => beacon(ts + 3_600_000, &session, &x),
                8 => beacon(ts, "null", &x),
                9 => format!(r#"{{"session":"{session}","ip":"{address}","x":"{MAIL}"}}"#),
                10 => {
                    partition = (partition + 1) % deployment.partitions;
                    with(&x)
                }
                11 => beacon(ts, &format!("{session}{}", "s".repeat(5_000)), &x),
                12 => format!("{AGENT} {MAIL} {address} {session}"),
                _ => with(&x),
            };
            records.push(Record {
                key: Some(format!("{session} {address} {MAIL}").into_bytes()),
                headers: vec![
                    (MAIL.into(), Some(session.clone().into())),
                    (address.into(), Some(AGENT.into())),
                ],
                timestamp: Some(ts as i64),
                ..Record::new(partition, payload)
            });
        }
    }
    records
}

/// All files of the broker are scanned, so the deployment has its own broker.
#[test]
fn invariant_4_no_canary_is_published_and_invariant_11_rejections_contain_their_location() {
    let kafka = Kafka::start(crowdfold_testkit::Options::default());
    let mut deployment = Deployment::new(&kafka);
    deployment.rules.breakdowns =
        [&["device", "os", "firmware"][..], &["player"], &["stream", "content"], &["cdn", "connection"]]
            .map(|names| names.iter().map(ToString::to_string).collect())
            .to_vec();
    // Records are not compressed, because compressed data cannot be searched on the disk.
    deployment.set("kafka.properties.\"compression.codec\"", "\"none\"");
    let deployment = deployment.with_topics();
    let start = window_ago(2_000, 60_000);
    let mut records = by_time(&deployment.players_with(22, 100, start, 20_000, Faults::some()));
    records.extend(canary_records(&deployment, start));
    records.sort_by_key(|record| record.timestamp);
    produce(&kafka, &deployment.topic("beacons"), &records);
    let worker = Worker::start_with(&deployment, "a", &["--log-level", "trace", "--log-format", "json"]);
    deployment.await_committed(start + 22_000);

    let scan = Scan::new();
    for topic in ["partials", "rollups", "rejections"] {
        assert_clean_records(&scan, topic, &deployment.records(topic, "read_uncommitted"));
    }
    // Some values with identities were published in redacted form. Therefore the output is not clean merely because it
    // is empty.
    let rows = deployment.rows("read_committed");
    let redacted = rows.iter().filter(|row| row.json.to_string().contains("redacted"));
    assert!(redacted.count() > 0, "no value was redacted");
    for (_, metadata) in ["combine", "merge"].iter().flat_map(|stage| deployment.committed(stage)).flatten() {
        scan.assert_clean("metadata", metadata.as_bytes());
    }
    for page in ["/metrics", "/readyz", "/healthz"] {
        scan.assert_clean(page, worker.get(page).1.as_bytes());
    }
    let (status, log_text) = worker.terminate();
    assert!(status.success());
    assert!(log_text.len() > 10_000, "the log is too short to test the scan");
    scan.assert_clean("the log", log_text.as_bytes());

    rejections_contain_a_location_and_nothing_else(&deployment);
    files_of_the_broker_are_clean(&deployment, &scan);
}

/// Asserts that each rejection consists of a reason, topic, partition, offset and minute, and that every reason occurs.
fn rejections_contain_a_location_and_nothing_else(deployment: &Deployment<'_>) {
    let mut reasons: Vec<String> = Vec::new();
    for note in deployment.records("rejections", "read_committed") {
        let note: Value = serde_json::from_slice(&note.value).unwrap();
        let keys: Vec<_> = note.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(keys, ["offset", "partition", "reason", "schema", "time", "topic"]);
        assert_eq!(note["topic"], deployment.topic("beacons"));
        assert_eq!(note["time"].as_u64().unwrap() % 60_000, 0, "{note}");
        reasons.push(note["reason"].as_str().unwrap().into());
    }
    reasons.sort();
    reasons.dedup();
    let expected = ["malformed", "misplaced", "no_session", "no_time", "too_large", "unknown_tenant"];
    assert_eq!(reasons, expected);
}

/// Scans all files of the broker except those of the topic of beacons: segments, indexes, checkpoints and the broker's
/// log.
fn files_of_the_broker_are_clean(deployment: &Deployment<'_>, scan: &Scan) {
    let data = deployment.kafka.log_dir(1);
    let mut all = Vec::new();
    files(data.parent().unwrap(), &mut all);
    let of = |topic: &str| {
        let start = data.join(deployment.topic(topic)).display().to_string() + "-";
        all.iter().filter(move |path| path.display().to_string().starts_with(&start))
    };
    let beacons: Vec<_> = of("beacons").collect();
    let (mut scanned, mut found) = (0, 0);
    for path in &all {
        let bytes = fs::read(path).unwrap_or_default();
        if beacons.contains(&path) {
            found += usize::from(scan.find(&bytes).is_some());
        } else {
            scan.assert_clean(&path.display().to_string(), &bytes);
            scanned += bytes.iter().filter(|byte| **byte != 0).count();
        }
    }
    // The same scan must find canaries in the segments of the topic of beacons.
    assert!(
        found >= deployment.partitions as usize,
        "canaries were found in only {found} files of the topic of beacons"
    );
    let segments = |topic: &str| of(topic).map(|path| fs::read(path).unwrap()).collect::<Vec<_>>().concat();
    for (topic, text) in [("rollups", "crowdfold.rollup/1"), ("rejections", "crowdfold.rejection/1")] {
        assert!(
            memchr::memmem::find(&segments(topic), text.as_bytes()).is_some(),
            "{topic} is not stored in plain text"
        );
    }
    eprintln!("{} files, {scanned} bytes that are not 0", all.len());

    // For comparison, the same scan must find a canary in another topic, both in the record that is read and in the
    // files on the disk.
    let leaking = unique("leaking");
    deployment.kafka.create_topic(&format!("{}.{leaking}", deployment.prefix), 1, &[]);
    let leak = base64(format!("{{\"sessions\":83,\"os\":\"{}\"}}", ADDRESSES[0]).as_bytes());
    let topic = deployment.topic(&leaking);
    let headers = vec![("trace".to_owned(), Some(leak.clone().into_bytes()))];
    for record in [
        Record { key: Some(leak.clone().into_bytes()), ..Record::new(0, "{}") },
        Record::new(0, &leak),
        Record { headers, ..Record::new(0, "{}") },
    ] {
        let before = deployment.records(&leaking, "read_uncommitted").len();
        produce(deployment.kafka, &topic, &[record]);
        let seen = deployment.records(&leaking, "read_uncommitted").split_off(before);
        let caught = std::panic::catch_unwind(|| assert_clean_records(scan, &leaking, &seen));
        assert!(caught.is_err(), "the scan does not find the canary in {seen:?}");
    }
    let segment = data.join(format!("{topic}-0")).join("00000000000000000000.log");
    assert!(scan.find(&fs::read(segment).unwrap()).is_some());
}
