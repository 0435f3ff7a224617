use crowdfold_model::{SumMetric, ValueMetric};
use proptest::collection::vec;
use proptest::prelude::any;
use proptest::{prop_assert, prop_assert_eq, proptest};
use serde_json::{Value, json};

use super::Reader;
use crate::testing::{noisy, query, read, record, table};

fn notes(records: &[Value]) -> Vec<String> {
    read(&[records.to_vec()]).notes()
}

#[test]
fn every_field_of_the_example_in_the_schema_is_read() {
    let mut reader = Reader::new();
    reader.push(include_bytes!("../../fixtures/rollup.json"));
    let [row] = reader.rows() else { panic!("one row") };
    assert_eq!((row.sessions, row.value("os"), row.value("browser")), (83, Some("Windows"), Some("*")));
    assert_eq!(row.breakdown_name(), "os.browser");
    let bandwidth = row.distribution(ValueMetric::BandwidthKbps).unwrap();
    assert_eq!((bandwidth.p95, bandwidth.p99), (Some(11_000), None));
    let ranges = bandwidth.histogram.as_ref().unwrap();
    assert_eq!(ranges[2], (Some(4000), None, 35));
    assert_eq!(reader.notes(), ["incomplete tables: 1 (missing rows: 11), so their sums are too low"]);
}

#[test]
fn complete_tables_cause_no_note() {
    assert_eq!(notes(&table(0, "os", &[("*", 60), ("Windows", 900)])), Vec::<String>::new());
}

#[test]
fn unknown_fields_are_ignored() {
    let mut later = record(0, "os Windows", 1, 1, 60);
    later["colour"] = json!({"of": "the day"});
    later["policy"]["sigma"] = json!(38);
    let reader = read(&[vec![later]]);
    assert_eq!((reader.rows().len(), reader.notes().len()), (1, 0));
}

#[test]
fn records_of_each_other_schema_are_counted() {
    let mut next = record(0, "os Windows", 1, 1, 60);
    next["schema"] = "crowdfold.rollup/2".into();
    let reader = read(&[vec![next.clone(), next, json!({"sessions": 3})]]);
    assert_eq!(reader.rows(), []);
    assert_eq!(
        reader.notes(),
        [
            "skipped records of no schema: 1, because this version reads crowdfold.rollup/1",
            "skipped records of schema \"crowdfold.rollup/2\": 2, because this version reads crowdfold.rollup/1",
        ]
    );
}

#[test]
fn notes_name_only_a_limited_number_of_schemas() {
    let many: Vec<_> =
        (0..100).map(|number| json!({"schema": format!("{number}{}", "x".repeat(1000))})).collect();
    let notes = notes(&many);
    assert_eq!(notes.len(), 9);
    assert!(notes.iter().all(|note| note.len() < 150), "{notes:?}");
    assert!(notes.iter().any(|note| note.starts_with("skipped records of schema \"…\": 92")), "{notes:?}");
}

#[test]
fn records_that_are_not_rollups_are_counted() {
    let whole = record(0, "os Windows", 1, 1, 60);
    let broken = [
        ("row", json!(2)),
        ("row", json!(0)),
        ("breakdown", json!([])),
        ("breakdown", json!(["browser"])),
        ("dimensions", json!({"os": "Windows", "browser": "Edge"})),
        ("window", json!({"start": 5, "end": 5})),
        ("sessions", json!(-1)),
        ("sessions", json!("60")),
    ];
    let mut reader = Reader::new();
    for (field, value) in &broken {
        let mut record = whole.clone();
        record[*field] = value.clone();
        reader.push(record.to_string().as_bytes());
    }
    for bytes in [&b""[..], b"{", b"[]", b"\xff\xfe"] {
        reader.push(bytes);
    }
    assert_eq!(reader.rows(), []);
    assert_eq!(reader.notes(), ["skipped records that are not rollups: 12"]);
}

#[test]
fn missing_rows_are_reported() {
    let mut first = table(0, "os", &[("*", 60), ("Linux", 70), ("Windows", 900)]);
    first.remove(1);
    let mut second = table(1, "os", &[("*", 60), ("Linux", 70), ("Windows", 900)]);
    second.truncate(1);
    let reader = read(&[first, second, table(2, "os", &[("*", 60)])]);
    assert_eq!(reader.rows().len(), 4);
    assert_eq!(reader.notes(), ["incomplete tables: 2 (missing rows: 3), so their sums are too low"]);
}

#[test]
fn second_table_with_the_same_key_is_ignored() {
    let first = table(0, "os", &[("*", 60), ("Windows", 900)]);
    let again = first.clone();
    let other = table(0, "os", &[("*", 55), ("Linux", 80), ("Windows", 901)]);
    let reader = read(&[first, again, other]);
    assert_eq!(reader.rows().iter().map(|row| row.sessions).collect::<Vec<_>>(), [60, 900]);
    assert_eq!(
        reader.notes(),
        [
            "tables published more than once: 1 (extra rows: 5), of which only the first is used; check for a second \
             deployment that writes to the topic",
        ]
    );
}

#[test]
fn each_tenant_breakdown_and_window_has_a_separate_table() {
    let mut other_tenant = table(0, "os", &[("*", 60)]);
    other_tenant[0]["tenant"] = "globex".into();
    let records = [
        table(0, "os", &[("*", 60)]),
        table(0, "cdn", &[("*", 60)]),
        table(1, "os", &[("*", 60)]),
        other_tenant,
    ];
    let reader = read(&records);
    assert_eq!((reader.rows().len(), reader.notes().len()), (4, 0));
    assert_eq!(reader.breakdowns().collect::<Vec<_>>(), ["cdn", "os"]);
}

#[test]
fn tables_without_some_source_partitions_are_reported() {
    let mut partial = table(0, "os", &[("*", 60), ("Windows", 70)]);
    partial.iter_mut().for_each(|record| record["coverage"] = json!({"partitions": 3, "of": 4}));
    assert_eq!(
        notes(&partial),
        ["tables computed without some source partitions: 1, so their sums are too low"]
    );
}

#[test]
fn reader_for_a_query_keeps_only_rows_that_the_query_may_use() {
    let query = query("--breakdown os --since 10m --tenant acme").unwrap();
    let mut reader = Reader::for_query(&query);
    let mut other_tenant = record(95, "os *", 1, 1, 60);
    other_tenant["tenant"] = "globex".into();
    let kept = record(90, "os *", 1, 1, 61);
    for record in [record(89, "os *", 1, 2, 60), kept, record(95, "cdn *", 1, 2, 60), other_tenant] {
        reader.push(record.to_string().as_bytes());
    }
    assert_eq!(reader.rows().iter().map(|row| row.sessions).collect::<Vec<_>>(), [61]);
    // Only the table of the other breakdown lacks a row. The table before the queried period is not checked.
    assert_eq!(reader.notes(), ["incomplete tables: 1 (missing rows: 1), so their sums are too low"]);
}

proptest! {
    #[test]
    fn reading_any_bytes_does_not_panic(noise in vec(any::<u8>(), 0..200), number in any::<u64>(), at in 0_usize..9) {
        let mut extreme = record(0, "os Windows", 1, 1, 60);
        let field = ["row", "rows", "sessions", "beacons", "playing_ms", "stalled_ms", "stalls", "attempts", "plays"][at];
        extreme[field] = number.into();
        extreme["window"]["end"] = u64::MAX.into();
        extreme["startup_ms"]["sum"] = u64::MAX.into();
        let mut reader = read(&[vec![extreme.clone()]]);
        extreme["window"]["start"] = 7.into();
        reader.push(extreme.to_string().as_bytes());
        reader.push(&noise);
        let answer = query("--breakdown os").unwrap().run(reader.rows()).unwrap();
        let lines = usize::from(!answer.is_empty());
        prop_assert_eq!(answer.json().lines().count(), lines);
        prop_assert_eq!(answer.csv().lines().count(), lines + 1);
        prop_assert_eq!(answer.table(120).lines().count(), lines + 1);
        prop_assert_eq!(reader.notes().is_empty(), false);
    }

    #[test]
    fn rows_with_arbitrary_noisy_numbers_can_be_written_in_every_format(
        numbers in vec(any::<i64>(), 9), sums in vec(any::<i64>(), 3), errors in vec(any::<i64>(), 6), noise in any::<u64>()
    ) {
        let mut records = noisy(table(90, "os", &[("Windows", 60), ("iOS", 70)]));
        for row in &mut records {
            let fields = SumMetric::ALL.iter().map(|measure| measure.name());
            fields.zip(&numbers).for_each(|(name, number)| row[name] = (*number).into());
            let distributions = ValueMetric::ALL.iter().map(|measure| measure.name());
            distributions.zip(&sums).for_each(|(name, sum)| row[name]["sum"] = (*sum).into());
            let classes = row["errors"].as_object_mut().unwrap().values_mut();
            classes.zip(&errors).for_each(|(class, number)| *class = (*number).into());
            row["policy"]["noise"] = noise.into();
        }
        let reader = read(&[records]);
        prop_assert_eq!(reader.rows().len(), 2);
        let answer = query("--by ''").unwrap().run(reader.rows()).unwrap().with_errors(true);
        let line: Value = serde_json::from_str(&answer.json()).unwrap();
        let below = numbers.iter().chain(&sums).chain(&errors).filter(|number| **number < 0).count();
        prop_assert_eq!(line["below_zero"].as_array().unwrap().len(), below);
        prop_assert!(line["standard_error"]["plays"].is_number());
        let text = answer.table(usize::MAX) + &answer.csv();
        prop_assert!(!text.contains("NaN") && !text.contains("inf"), "{}", text);
    }
}
