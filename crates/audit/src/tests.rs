//! Tests of the audit. Most tests make one breach, and check that exactly one finding is reported, with its location.

use std::collections::BTreeMap;

use crowdfold_scan::PublicIds;
use proptest::collection::vec;
use proptest::prelude::any;
use proptest::{prop_assert_eq, proptest};
use serde_json::{Value, json};

use super::{Audit, Auditor, Bounds, Contents, Identifier, Least, Record, Rules, What};
use crowdfold_testkit::rows::{MINUTE, noisy as covered, record, table};

mod numbers;
mod records;
mod stars;
mod tables;
mod tenants;

const OFFSET: i64 = 7;

fn key(row: &Value) -> String {
    let breakdown: Vec<_> =
        row["breakdown"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    format!("{}/{}/{}", row["tenant"].as_str().unwrap(), breakdown.join("."), row["window"]["start"])
}

fn rules() -> Rules {
    let bounds = |sessions| Bounds { sessions, margin: 10, noise: 8, ..Bounds::default() };
    let own = BTreeMap::from([("large".into(), bounds(100))]);
    let least = Least { policy: "threshold", common: bounds(50), own };
    Rules { least: Some(least), ..Rules::default() }
}

/// Audits rows at consecutive offsets of partition 0. The key of each record matches its row.
fn audit(rows: &[Value]) -> Audit {
    audit_with(rules(), rows)
}

fn audit_with(rules: Rules, rows: &[Value]) -> Audit {
    let mut auditor = Auditor::new(rules);
    let topic = auditor.topic("rollups", Contents::Rollups, &[]);
    for (offset, row) in (0..).zip(rows) {
        let (key, value) = (key(row), row.to_string());
        let (key, value) = (Some(key.as_bytes()), Some(value.as_bytes()));
        auditor.record(topic, &Record { offset, key, value, ..Record::default() });
    }
    auditor.finish()
}

/// Returns the name, the offset and the field of each finding.
fn findings(audit: &Audit) -> Vec<(&'static str, i64, &str)> {
    let findings = audit.found.iter();
    findings
        .map(|found| (found.what.name(), found.location.offset, found.field.as_deref().unwrap_or("")))
        .collect()
}

/// Audits a table of one row after changing that row. Returns the name, the offset and the field of each finding.
fn one(change: impl FnOnce(&mut Value)) -> Vec<(&'static str, i64, String)> {
    let mut row = record(3, "os/browser Windows/Chrome", 1, 1, 900);
    change(&mut row);
    let audit = audit(&[row]);
    findings(&audit).into_iter().map(|(name, offset, field)| (name, offset, field.to_owned())).collect()
}

/// Changes the row in a table of one row. Asserts that the audit has exactly one finding, with this name and field.
#[track_caller]
fn finds(change: impl FnOnce(&mut Value), name: &str, field: &str) {
    assert_eq!(one(change), [(name, 0, field.to_owned())]);
}

/// Makes one count in each row negative, as noise may do.
fn with_noise(mut rows: Vec<Value>) -> Vec<Value> {
    rows.iter_mut().for_each(|row| row["errors"]["drm"] = json!(-7));
    rows
}

/// Returns two tables of the same window that are consistent with each other.
fn window(minute: u64) -> Vec<Value> {
    let mut rows = table(minute, "os/browser", &[("*/*", 60), ("Windows/Chrome", 900)]);
    rows.extend(with_noise(covered(table(minute, "cdn", &[("a", 480), ("b", 480)]))));
    rows
}

#[test]
fn rows_that_a_worker_wrote_give_no_findings() {
    let rows: Vec<Value> = (0..50).flat_map(window).collect();
    let audit = audit(&rows);
    assert_eq!(findings(&audit), []);
    assert_eq!((audit.topics[0].records, audit.topics[0].tables, audit.is_partial), (200, 100, false));
    assert_eq!(one(|_| {}), []);
}

#[test]
fn identifier_is_reported_with_its_location_and_kind_and_without_its_value() {
    let secrets = ["203.0.113.77", "4915112345678", "bbb27941-6c1f-4e0a-9d3b-0123abcd4567", "77.311.0.302"];
    for secret in secrets {
        finds(|row| row["dimensions"]["browser"] = secret.into(), "identifier", "/dimensions/browser");
    }
    let mut row = record(3, "os Windows", 1, 1, 900);
    row["203.0.113.77"] = json!({"jane@mail.example": ["203.0.113.78", 3_405_803_853_u64]});
    row["note"] = "Mozilla/5.0 (X11; Linux)".into();
    let audit = audit(&[row]);
    assert_eq!(
        findings(&audit),
        [
            ("unknown-field", 0, "/{0}"),
            ("identifier", 0, "/{0} (its name)"),
            ("identifier", 0, "/{0}/{0} (its name)"),
            ("identifier", 0, "/{0}/{0}/0"),
            ("identifier", 0, "/{0}/{0}/1"),
            ("unknown-field", 0, "/note"),
            ("identifier", 0, "/note"),
        ]
    );
    let shown = format!("{audit:?}");
    assert!(!shown.contains("203.0") && !shown.contains("jane") && !shown.contains("Linux"), "{shown}");
}

#[test]
fn identifiers_in_keys_and_headers_are_reported() {
    let row = record(3, "os Windows", 1, 1, 900);
    let value = row.to_string();
    let mut auditor = Auditor::new(rules());
    let topic = auditor.topic("rollups", Contents::Rollups, &[]);
    let headers: Vec<(&[u8], Option<&[u8]>)> =
        vec![(b"trace", Some(b"ok")), (b"x-\xff-10.9.8.7", None), (b"ip", Some(b"MTAuOS44Ljc="))];
    auditor.record(
        topic,
        &Record { key: Some(b"10.9.8.7"), value: Some(value.as_bytes()), headers, ..Record::default() },
    );
    let audit = auditor.finish();
    let mut fields: Vec<_> = findings(&audit).into_iter().map(|(name, _, field)| (name, field)).collect();
    fields.sort_unstable();
    assert_eq!(
        fields,
        [
            ("identifier", "header 1 (its name)"),
            ("identifier", "header 2"),
            ("identifier", "key"),
            ("wrong-key", "key"),
        ]
    );
    assert!(audit.found.iter().any(|found| found.what.to_string() == "contains an IP address, base64"));
}

#[test]
fn window_start_at_the_end_of_a_key_is_not_an_identifier() {
    let hits = |key: &str| {
        let mut auditor = Auditor::new(rules());
        let topic = auditor.topic("rollups", Contents::Rollups, &[]);
        auditor.record(topic, &Record { key: Some(key.as_bytes()), ..Record::default() });
        auditor.finish().found.len() - 1
    };
    assert_eq!(["acme/os/1795308480000", "acme/os/3405803853", "4915112345678"].map(hits), [0, 1, 1]);
    assert_eq!(hits("10.9.8.7/os/1795308480000"), 1);
}

#[test]
fn identifiers_of_allowed_kinds_and_names_from_the_configuration_are_not_reported() {
    let uuid = "bbb27941-6c1f-4e0a-9d3b-0123abcd4567";
    let mut row = record(3, "content x", 1, 1, 900);
    row["dimensions"]["content"] = uuid.into();
    row["tenant"] = "cafe0042".into();
    assert_eq!(findings(&audit(std::slice::from_ref(&row))).len(), 2);
    let rules = Rules {
        names: ["cafe0042".into()].into(),
        allowed: vec![("content".into(), Identifier::Uuid)],
        ..rules()
    };
    // The key of the record is not reported either, because it is the key that the row requires.
    assert_eq!(findings(&audit_with(rules, &[row])), []);
    for (dimension, value, clean) in [
        ("network", "203.0.113.0/24", true),
        ("network", "2001:db8::/32", true),
        ("network", "203.0.113.7/24", false),
        ("network", "2001:db8::7/32", false),
        ("network", "203.0.113.77", false),
        ("cdn", "203.0.113.0/24", false),
        ("asn", "AS4200000001", true),
        ("asn", "AS3405803853", false),
    ] {
        let mut row = record(3, &format!("{dimension} x"), 1, 1, 900);
        row["dimensions"][dimension] = value.into();
        assert_eq!(findings(&audit(&[row])).is_empty(), clean, "{dimension} {value}");
    }
}

#[test]
fn content_id_that_matches_the_public_pattern_is_not_an_identifier() {
    let ids = PublicIds::new("[0-9a-f-]{36}|[0-9]{13}|[A-Z].*|[0-9.]+|.+@.+").unwrap();
    let found = |value: &str, dimension: &str, public_content| {
        let mut row = record(3, &format!("{dimension} x"), 1, 1, 900);
        row["dimensions"][dimension] = value.into();
        audit_with(Rules { public_content, ..rules() }, &[row]).found.len()
    };
    for value in ["bbb27941-6c1f-4e0a-9d3b-0123abcd4567", "6038086711001", "Grey's Anatomy?"] {
        assert_eq!(found(value, "content", Some(ids.clone())), 0, "{value}");
        assert!(found(value, "content", None) > 0, "{value} is not reported without a pattern");
        assert!(found(value, "cdn", Some(ids.clone())) > 0, "{value} is not reported in another dimension");
    }
    for value in ["203.0.113.77", "jane@host.example", "A 203.0.113.77", "A*B"] {
        assert!(found(value, "content", Some(ids.clone())) > 0, "{value}");
    }
}

#[test]
fn names_of_countries_and_regions_may_contain_punctuation() {
    for (value, dimension, clean) in [
        ("Provence-Alpes-Côte d'Azur", "region", true),
        ("Côte d’Ivoire", "country", true),
        ("Washington, D.C.", "region", true),
        ("Val-d'Oise", "cdn", false),
        ("203,0,113,77", "region", false),
        ("a@b", "region", false),
    ] {
        let mut row = record(3, &format!("{dimension} x"), 1, 1, 900);
        row["dimensions"][dimension] = value.into();
        assert_eq!(audit(&[row]).found.is_empty(), clean, "{dimension} {value}");
    }
}

fn few(row: &mut Value) {
    row["sessions"] = json!(49);
    row["good_sessions"] = json!(49);
    row["bandwidth_kbps"] = row["bitrate_kbps"].clone();
}

#[test]
fn row_with_fewer_sessions_than_k_is_reported() {
    finds(few, "below-k", "/sessions");
    let own = |k: u64| {
        move |row: &mut Value| {
            row["policy"]["k"] = json!(k);
            row["policy"]["margin"] = json!(10.min(k / 2));
        }
    };
    finds(own(1_000), "below-k", "/sessions");
    assert_eq!(
        one(own(9)),
        [
            ("small-k", 0, "/policy/k".to_owned()),
            ("weaker-policy", 0, "/policy/k".to_owned()),
            ("weaker-policy", 0, "/policy/margin".to_owned())
        ]
    );
    finds(|row| drop(row["policy"].as_object_mut().unwrap().remove("k")), "unknown-policy", "/policy/k");
    let mut row = record(3, "os Windows", 1, 1, 20);
    row["policy"]["k"] = json!(5);
    row["policy"]["margin"] = json!(2);
    row["attempts"] = json!(5);
    let lenient = Rules { least: None, allow_small_k: true, ..Rules::default() };
    row["bandwidth_kbps"]["histogram"] = json!([[0, null, 20]]);
    assert_eq!(findings(&audit_with(lenient, &[row])), []);
}

#[test]
fn value_that_violates_the_schema_is_reported_with_its_field() {
    finds(|row| row["plays"] = json!(1.5), "not-an-integer", "/plays");
    finds(|row| row["plays"] = json!(-1), "not-an-integer", "/plays");
    finds(|row| row["plays"] = json!("16"), "wrong-type", "/plays");
    finds(|row| row["startup_ms"]["p50"] = json!([1]), "wrong-type", "/startup_ms/p50");
    finds(|row| drop(row.as_object_mut().unwrap().remove("beacons")), "missing-field", "/beacons");
    finds(|row| row["users"] = json!(12), "unknown-field", "/users");
    finds(|row| row["schema"] = json!("somebody.row/3"), "unknown-schema", "/schema");
    finds(|row| row["errors"]["oops"] = json!(1), "unknown-field", "/errors");
    finds(
        |row| row["bandwidth_kbps"]["histogram"] = json!([[0, "x", 30]]),
        "wrong-type",
        "/bandwidth_kbps/histogram",
    );
    for value in [None, Some(&b"\xff\x00"[..]), Some(b"[1,2]"), Some(b"{\"schema\""), Some(b"")] {
        let mut auditor = Auditor::new(rules());
        let topic = auditor.topic("rollups", Contents::Rollups, &[]);
        auditor.record(topic, &Record { offset: OFFSET, value, ..Record::default() });
        assert_eq!(findings(&auditor.finish()), [("malformed", OFFSET, "value")], "{value:?}");
    }
}

#[test]
fn repeated_field_is_reported() {
    let row = record(3, "os Windows", 1, 1, 900).to_string();
    let value = row.replacen("\"sessions\":900", "\"sessions\":2,\"sessions\":900", 1);
    assert_ne!(row, value);
    let mut auditor = Auditor::new(rules());
    let topic = auditor.topic("rollups", Contents::Rollups, &[]);
    auditor.record(topic, &Record { value: Some(value.as_bytes()), ..Record::default() });
    assert!(auditor.finish().found.iter().any(|found| found.what == What::Repeated));
}

#[test]
fn invalid_and_reserved_dimension_values_are_reported() {
    let cell_key = |os: &'static str, browser: &'static str| {
        move |row: &mut Value| row["dimensions"] = json!({"os": os, "browser": browser})
    };
    finds(cell_key("*", "Chrome"), "reserved-value", "/dimensions/browser");
    finds(cell_key("Win*", "*"), "reserved-value", "/dimensions/os");
    finds(cell_key("Windows", "Redacted"), "reserved-value", "/dimensions/browser");
    finds(cell_key("Windows", ""), "invalid-value", "/dimensions/browser");
    finds(cell_key("Windows", "a|b"), "invalid-value", "/dimensions/browser");
    assert_eq!(one(cell_key("unknown", "*")), []);
    finds(
        |row| drop(row["dimensions"].as_object_mut().unwrap().remove("os")),
        "missing-field",
        "/dimensions",
    );
}

#[test]
fn invalid_windows_row_numbers_and_dimensions_are_reported() {
    finds(|row| row["window"] = json!({"start": 7, "end": 60_007}), "window-not-aligned", "/window");
    finds(|row| row["window"] = json!({"start": 0, "end": 7_000}), "window-not-aligned", "/window");
    finds(|row| row["window"] = json!({"start": MINUTE, "end": MINUTE}), "window-not-aligned", "/window");
    finds(|row| row["row"] = json!(2), "wrong-row-number", "/row");
    let audit = audit(&[record(3, "os/colour Windows/red", 1, 1, 900)]);
    assert_eq!(findings(&audit), [("unknown-dimension", 0, "/breakdown/1")]);
}

#[test]
fn part_with_more_sessions_than_its_row_is_reported() {
    finds(|row| row["errors"]["network"] = json!(901), "part-exceeds-row", "/errors/network");
    finds(|row| row["bitrate_kbps"]["sessions"] = json!(901), "part-exceeds-row", "/bitrate_kbps/sessions");
    finds(|row| row["bitrate_kbps"]["p50"] = json!(3), "few-in-range", "/bitrate_kbps/p50");
    let ranges = json!([[0, 4000, 9], [4000, null, 891]]);
    finds(|row| row["bandwidth_kbps"]["histogram"] = ranges, "few-in-range", "/bandwidth_kbps/histogram/0");
}

#[test]
fn differential_privacy_allows_noisy_counts_and_overlapping_families() {
    let noisy = |breakdown: &str, sessions: u64| {
        let mut row = record(60, &format!("{breakdown} Windows"), 1, 1, sessions);
        row["policy"] = json!({"name": "differential-privacy", "k": 1, "epsilon": 1.0, "delta": 1e-8, "sigma": 38.2, "tau": 240});
        row["bitrate_kbps"]["sessions"] = json!(sessions + 30);
        row
    };
    assert_eq!(findings(&audit(&[noisy("os", 240), noisy("device", 300)])), []);
    let again = [noisy("os", 240), noisy("os", 241)];
    assert_eq!(findings(&audit(&again)), [("published-twice", 1, "")]);
    let mut leaky = noisy("os", 240);
    leaky["dimensions"]["os"] = "10.9.8.7".into();
    assert_eq!(findings(&audit(&[leaky])), [("identifier", 0, "/dimensions/os")]);
}
