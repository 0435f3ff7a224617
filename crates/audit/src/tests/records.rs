//! Tests of records that are not rows, and of uncommitted rows.

use super::*;

#[test]
fn note_on_a_rejected_beacon_with_an_invalid_field_is_reported() {
    let note = |change: fn(&mut Value)| {
        let mut note = json!({"schema": "crowdfold.rejection/1", "reason": "malformed", "topic": "p.beacons", "partition": 3,
            "offset": 123_456_789_012_u64, "time": 1_795_308_480_000_u64});
        change(&mut note);
        let value = note.to_string();
        let mut auditor = Auditor::new(rules());
        let topic = auditor.topic(
            "note_on_a_rejected_beacon_with_an_invalid_field_is_reported",
            Contents::Rejections,
            &[],
        );
        auditor.record(topic, &Record { offset: OFFSET, value: Some(value.as_bytes()), ..Record::default() });
        let audit = auditor.finish();
        findings(&audit).into_iter().map(|(name, _, field)| format!("{name} {field}")).collect::<Vec<_>>()
    };
    assert_eq!(note(|_| {}), [""; 0]);
    assert_eq!(
        note(|note| note["reason"] = "it said 10.9.8.7".into()),
        ["identifier /reason", "unknown-reason /reason"]
    );
    assert_eq!(note(|note| note["time"] = json!(1_795_308_480_001_u64)), ["time-not-rounded /time"]);
    assert_eq!(
        note(|note| note["payload"] = "eyJpcCI6IjEwLjkuOC43In0=".into()),
        ["unknown-field /payload", "identifier /payload"]
    );
    assert_eq!(note(|note| note["topic"] = json!(["x"])), ["wrong-type /topic"]);
}

#[test]
fn findings_beyond_the_limit_are_counted_without_a_location() {
    let rows: Vec<Value> = (0..100).map(|minute| record(minute, "os Windows", 1, 1, 20)).collect();
    let rows: Vec<Value> = rows
        .into_iter()
        .map(|mut row| {
            row["bandwidth_kbps"]["histogram"] = json!([[0, null, 20]]);
            row
        })
        .collect();
    let audit = audit_with(Rules { limit: 3, ..rules() }, &rows);
    assert_eq!(findings(&audit).len(), 3);
    assert_eq!(audit.more, [("below-k", "rollups".to_owned(), 97)]);
}

proptest! {
    #[test]
    fn random_bytes_give_findings_and_cause_no_panic(values in vec(vec(any::<u8>(), 0..60), 0..20)) {
        let mut auditor = Auditor::new(rules());
        let topics = [Contents::Rollups, Contents::Rejections].map(|contents| auditor.topic("x", contents, &[]));
        for value in &values {
            for topic in topics {
                auditor.record(topic, &Record { key: Some(value), value: Some(value), ..Record::default() });
            }
        }
        prop_assert_eq!(auditor.finish().found.len() >= values.len().min(20), true);
    }

    #[test]
    fn any_value_of_a_field_does_not_cause_a_panic(at in 0..23_usize, number in any::<i64>(), text in any::<String>()) {
        let mut row = record(3, "os Windows", 1, 1, 900);
        let name = row.as_object().unwrap().keys().nth(at).unwrap().clone();
        for value in [json!(number), json!(text), json!(null), json!([number]), json!({text: number})] {
            row[&name] = value;
            let mut auditor = Auditor::new(rules());
            let topic = auditor.topic("x", Contents::Rollups, &[]);
            auditor.record(topic, &Record { value: Some(row.to_string().as_bytes()), ..Record::default() });
            let _ = auditor.finish();
        }
    }
}

#[test]
fn uncommitted_records_are_scanned_but_are_not_added_to_a_table() {
    let mut auditor = Auditor::new(rules());
    let topic = auditor.topic("rollups", Contents::Rollups, &[]);
    let rows = table(3, "os", &[("*", 60), ("Windows", 900)]);
    let mut leaky = rows[0].clone();
    leaky["dimensions"]["os"] = "203.0.113.77".into();
    let mut small = rows[1].clone();
    small["sessions"] = json!(20);
    small["good_sessions"] = json!(20);
    small["bandwidth_kbps"] = rows[1]["bitrate_kbps"].clone();
    let mut take = |offset, row: &Value, committed: bool| {
        let (key, value) = (key(row), row.to_string());
        let record =
            Record { offset, key: Some(key.as_bytes()), value: Some(value.as_bytes()), ..Record::default() };
        if committed { auditor.record(topic, &record) } else { auditor.uncommitted(topic, &record) }
    };
    for (offset, row) in (0..).zip(&rows) {
        take(offset, row, true);
    }
    // A table in an aborted transaction does not count as a second publication of the table.
    for (offset, row) in (10..).zip(&rows) {
        take(offset, row, false);
    }
    take(20, &leaky, false);
    take(21, &small, false);
    let audit = auditor.finish();
    assert_eq!(findings(&audit), [("identifier", 20, "/dimensions/os"), ("below-k", 21, "/sessions")]);
    assert!(audit.found.iter().all(|found| !found.committed));
    assert_eq!((audit.topics[0].records, audit.topics[0].uncommitted, audit.topics[0].tables), (2, 4, 1));
}
