//! Tests with records that contain breaches. `audit` must report each breach with its location and without its content,
//! and exit with code 3.

use crowdfold_testkit::Kafka;
use serde_json::{Value, json};

use super::rows::{counts_only, record, table, topic, write};
use super::{audit, found, report, text};
use crate::kafka_support::{Record, produce};

/// Pairs of a row's field and an identifier in that field, in various encodings.
const SECRETS: [(&str, &str); 16] = [
    ("/dimensions/os", "203.0.113.77"),
    ("/dimensions/os", "2001:db8:77:aa::c4"),
    ("/dimensions/os", "::ffff:203.0.113.77"),
    ("/dimensions/os", "0313.0.0161.0115"),
    ("/dimensions/os", "0xCB00714D"),
    ("/dimensions/os", "cb00714d"),
    ("/dimensions/os", "3405803853"),
    ("/dimensions/os", "77.311.0.302"),
    ("/dimensions/os", "MjAzLjAuMTEzLjc3"),
    ("/dimensions/os", "3230332e302e3131332e3737"),
    ("/dimensions/os", "jane.c4n4ry@mail.example"),
    ("/dimensions/os", "bbb27941-6c1f-4e0a-9d3b-0123abcd4567"),
    ("/dimensions/os", "Mozilla/5.0 (Zanzibar; C4n4ryOS 7_7) C4n4ryKit/77.7"),
    ("/dimensions/os", "%32%30%33%2E%30%2E%31%31%33%2E%37%37"),
    ("/tenant", "203.0.113.77"),
    ("/policy/name", "jane.c4n4ry@mail.example"),
];

#[test]
fn identifiers_are_found_in_every_encoding_and_in_every_part_of_a_record() {
    let kafka = Kafka::shared();
    let rollups = topic(kafka, "leaky", 2);
    let mut expected = Vec::new();
    for (minute, (pointer, secret)) in (0..).zip(SECRETS) {
        let mut row = table(minute, "os", &[("Windows", 900)]).remove(0);
        *row.pointer_mut(pointer).unwrap() = secret.into();
        write(kafka, &rollups, 0, &[row]);
        expected.push(format!("identifier 0/{minute} {pointer}"));
    }
    let row = table(100, "os", &[("Windows", 900)]).remove(0);
    let header = |name: &str, value: &[u8]| (name.to_owned(), Some(value.to_vec()));
    let in_headers = Record {
        headers: vec![header("trace", b"ok"), header("ip", b"203.0.113.77"), header("x-203.0.113.77", b"")],
        ..record(1, &row)
    };
    let in_key = Record {
        key: Some(b"203.0.113.77".to_vec()),
        ..record(1, &table(101, "os", &[("Windows", 900)])[0])
    };
    produce(kafka, &rollups, &[in_headers, in_key]);
    for field in ["header 1", "header 2 (its name)"] {
        expected.push(format!("identifier 1/0 {field}"));
    }
    expected.extend(["identifier 1/1 key", "wrong-key 1/1 key"].map(str::to_owned));

    let (code, report) = report(kafka, &["--rollups", &rollups]);
    let found = found(&report);
    for expected in &expected {
        assert!(found.contains(expected), "{expected} is missing in {found:#?}");
    }
    assert_eq!((code, &report["outcome"]), (Some(3), &json!("breach")));
    let table = audit(kafka, &["--rollups", &rollups]);
    assert_eq!(table.status.code(), Some(3));
    let printed = [report.to_string(), text(&table.stdout), text(&table.stderr)].concat().to_lowercase();
    for (_, secret) in SECRETS {
        assert!(!printed.contains(&secret.to_lowercase()), "{secret} is printed");
    }
}

#[test]
fn table_missing_in_one_of_three_windows_is_reported() {
    let kafka = Kafka::shared();
    let rollups = topic(kafka, "lost", 1);
    for minute in 1..=3 {
        write(kafka, &rollups, 0, &table(minute, "os", &[("Windows", 900)]));
        if minute != 2 {
            write(kafka, &rollups, 0, &counts_only(table(minute, "cdn", &[("a", 900)])));
        }
    }
    let (code, report) = report(kafka, &["--rollups", &rollups]);
    assert_eq!((code, found(&report)), (Some(3), vec!["missing-table 0/2 -".to_owned()]), "{report:#}");
}

#[test]
fn each_breach_in_a_topic_of_rollups_is_reported_with_its_location() {
    let kafka = Kafka::shared();
    let rollups = topic(kafka, "breached", 3);
    let mut few = table(1, "os", &[("Windows", 49)]);
    few[0]["window"] = json!({"start": 60_000, "end": 120_000});
    write(kafka, &rollups, 0, &few);
    write(kafka, &rollups, 0, &table(2, "os", &[("*", 60), ("Linux", 70), ("Windows", 900)])[..2]);
    for _ in 0..2 {
        write(kafka, &rollups, 0, &table(3, "os", &[("*", 60), ("Windows", 900)]));
    }
    write(kafka, &rollups, 1, &table(4, "os", &[("*", 60), ("Windows", 900)]));
    write(kafka, &rollups, 1, &counts_only(table(4, "cdn", &[("a", 959)])));
    write(kafka, &rollups, 1, &table(5, "country", &[("FR", 900)]));
    write(kafka, &rollups, 1, &counts_only(table(5, "asn", &[("AS64496", 900)])));
    write(kafka, &rollups, 1, &table(6, "os.browser", &[("*/Chrome", 900)]));
    let mut strange = table(7, "os", &[("Windows", 900)]);
    strange[0]["plays"] = json!(1.5);
    write(kafka, &rollups, 1, &strange);
    let mut later = table(8, "os", &[("Windows", 900)]);
    later[0]["schema"] = "crowdfold.rollup/9".into();
    write(kafka, &rollups, 1, &later);
    let mut askew = table(9, "os", &[("Windows", 900)]);
    askew[0]["window"] = json!({"start": 540_007, "end": 600_007});
    write(kafka, &rollups, 1, &askew);
    let not_json = [Record::new(2, b"\x00\x01\xff"), Record::default(), Record::new(2, "[1]")];
    produce(kafka, &rollups, &not_json.map(|record| Record { partition: 2, ..record }));

    let (code, report) = report(kafka, &["--rollups", &rollups, "--k", "50"]);
    assert_eq!(code, Some(3));
    assert_eq!(
        found(&report),
        [
            "below-k 0/0 /sessions",
            "incomplete-table 0/1 -",
            "published-twice 0/5 -",
            "totals-disagree 1/2 /sessions",
            "overlapping-families 1/4 -",
            "reserved-value 1/5 /dimensions/browser",
            "not-an-integer 1/6 /plays",
            "unknown-schema 1/7 /schema",
            "window-not-aligned 1/8 /window",
            "malformed 2/0 value",
            "malformed 2/1 value",
            "malformed 2/2 value",
        ]
    );
    let twice =
        report["findings"].as_array().unwrap().iter().find(|found| found["finding"] == "published-twice");
    assert_eq!(twice.unwrap()["compare"], json!({"topic": rollups, "partition": 0, "offset": 3}));
}

#[test]
fn rejection_with_an_unknown_field_an_identifier_or_an_exact_time_is_reported() {
    let kafka = Kafka::shared();
    let rejections = topic(kafka, "rejections", 1);
    let note = json!({"schema": "crowdfold.rejection/1", "reason": "malformed", "topic": "p.beacons", "partition": 3,
        "offset": 17, "time": 1_795_308_480_000_u64});
    let with = |name: &str, value: Value| {
        let mut note = note.clone();
        note[name] = value;
        Record::new(0, note.to_string())
    };
    let notes = [
        Record::new(0, note.to_string()),
        with("payload", r#"{"ip":"203.0.113.77"}"#.into()),
        with("reason", "bad address 203.0.113.77".into()),
        with("time", json!(1_795_308_480_123_u64)),
    ];
    produce(kafka, &rejections, &notes);
    let (code, report) = report(kafka, &["--rejections", &rejections]);
    assert_eq!(code, Some(3));
    assert_eq!(
        found(&report),
        [
            "unknown-field 0/1 /payload",
            "identifier 0/1 /payload",
            "identifier 0/2 /reason",
            "unknown-reason 0/2 /reason",
            "time-not-rounded 0/3 /time",
        ]
    );
    assert!(!report.to_string().contains("203.0.113"));
}

#[test]
fn records_that_another_program_wrote_are_searched_for_identifiers() {
    let kafka = Kafka::shared();
    let theirs = topic(kafka, "theirs", 1);
    let values = [
        json!({"country": "FR", "viewers": 900, "ts": 1_795_308_480_000_u64}),
        json!({"users": [{"client_ip": 3_405_803_853_u64}, {"203.0.113.77": 1}]}),
        json!("jane@mail.example"),
    ];
    produce(kafka, &theirs, &values.map(|value| Record::new(0, value.to_string())));
    let (code, report) = report(kafka, &["--rollups", &theirs]);
    assert_eq!(code, Some(3));
    assert_eq!(
        found(&report),
        [
            "unknown-schema 0/0 /schema",
            "unknown-schema 0/1 /schema",
            "identifier 0/1 /users/0/client_ip",
            "identifier 0/1 /users/1/{0} (its name)",
            "malformed 0/2 value",
            "identifier 0/2 value",
        ]
    );
}

#[test]
fn record_older_than_its_time_to_live_is_reported() {
    let kafka = Kafka::shared();
    let old = crowdfold_testkit::unique("old");
    kafka.create_topic(&old, 2, &[("retention.ms", "-1"), ("message.timestamp.type", "CreateTime")]);
    let long_ago = crate::worker::support::now() - 40 * 86_400_000;
    let row = table(1, "os", &[("Windows", 900)]).remove(0);
    produce(kafka, &old, &[Record { timestamp: Some(long_ago as i64), ..record(1, &row) }]);
    let (code, report) = report(kafka, &["--rollups", &old]);
    assert_eq!(code, Some(3));
    assert_eq!(found(&report), ["unbounded -/- -", "overstayed 1/- -"]);
    let what = report["findings"][1]["what"].as_str().unwrap();
    assert!(what.starts_with("has a record of age 40d"), "{what}");
    assert!(what.contains(" in partition 1, but records must not be older than 30d"), "{what}");
    assert!(what.ends_with("(retention forever + segment 7d + check 5m + ahead 1h)"), "{what}");
    let topic = &report["topics"][0];
    assert_eq!(
        (&topic["readable_at_most_ms"], &topic["settings"]["segment_ms"]),
        (&Value::Null, &json!(604_800_000))
    );
    assert!(topic["oldest_ms_by_partition"][1].as_u64().unwrap() >= 40 * 86_400_000);
}
