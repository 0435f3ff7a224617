//! Tests of findings about whole tables.

use super::*;

#[test]
fn incomplete_table_is_reported() {
    let whole = table(3, "os", &[("*", 60), ("Linux", 70), ("Windows", 900)]);
    for (kept, missing) in [(&[0, 1][..], 1), (&[0, 2], 1), (&[1, 2], 1), (&[2], 2)] {
        let rows: Vec<Value> = kept.iter().map(|at| whole[*at].clone()).collect();
        let audit = audit(&rows);
        assert_eq!(findings(&audit), [("incomplete-table", 0, "")], "{kept:?}");
        assert_eq!(audit.found[0].what, What::Incomplete(missing));
    }
}

#[test]
fn table_is_not_reported_as_incomplete_if_its_missing_rows_may_have_been_deleted() {
    let rows = table(3, "os", &[("*", 60), ("Linux", 70), ("Windows", 900)]);
    for (kept, found) in [(1..3, vec![]), (1..2, vec![("incomplete-table", 1, "")])] {
        let mut auditor = Auditor::new(rules());
        let topic = auditor.topic("rollups", Contents::Rollups, &[0]);
        for (offset, row) in (1..).zip(&rows[kept]) {
            let (key, value) = (key(row), row.to_string());
            let (key, value) = (Some(key.as_bytes()), Some(value.as_bytes()));
            auditor.record(topic, &Record { offset, key, value, ..Record::default() });
        }
        assert_eq!(findings(&auditor.finish()), found);
    }
}

#[test]
fn table_published_twice_is_reported() {
    let once = table(3, "os", &[("*", 60), ("Windows", 900)]);
    let twice: Vec<Value> = once.iter().chain(&once).cloned().collect();
    let audit_ = audit(&twice);
    assert_eq!(findings(&audit_), [("published-twice", 2, "")]);
    assert_eq!(audit_.found[0].other.as_ref().unwrap().offset, 0);
    // A second publication of a table may have another number of rows, or be incomplete.
    let other = table(3, "os", &[("*", 960)]);
    assert_eq!(findings(&audit(&[once.clone(), other].concat())), [("published-twice", 2, "")]);
    assert_eq!(findings(&audit(&[&once[..], &once[1..]].concat())), [("repeated-row", 2, "/row")]);
    let apart = [&once[..], &window(4), &once[1..]].concat();
    assert_eq!(findings(&audit(&apart)), [("published-twice", 6, "")]);
}

#[test]
fn unsorted_rows_and_rows_separated_by_many_other_tables_are_reported() {
    let rows = table(3, "os", &[("*", 60), ("Linux", 70), ("Windows", 900)]);
    let turned: Vec<Value> = [0, 2, 1].map(|at| rows[at].clone()).to_vec();
    assert_eq!(findings(&audit(&turned)), [("rows-out-of-order", 2, "/dimensions")]);
    let mut same = rows.clone();
    same[1]["dimensions"] = json!({"os": "*"});
    assert_eq!(findings(&audit(&same)), [("rows-out-of-order", 1, "/dimensions")]);
    // A row of another table between the rows is allowed, because another worker may publish at the same time.
    let between = [&rows[..1], &table(4, "os", &[("*", 60)]), &rows[1..]].concat();
    assert_eq!(findings(&audit(&between)), []);
    let cut: Vec<Value> =
        (4..40).map(|at| table(at, "os", &[("*", 60), ("Linux", 70)]).swap_remove(0)).collect();
    let found = audit(&[&rows[..1], &cut, &rows[1..]].concat());
    assert!(findings(&found).contains(&("scattered-table", 37, "")), "{:?}", findings(&found));
}

#[test]
fn tables_of_one_window_with_different_totals_are_reported() {
    let mut rows = window(3);
    rows[3]["stalls"] = json!(500);
    let audit_ = audit(&rows);
    assert_eq!(findings(&audit_), [("totals-disagree", 3, "/stalls")]);
    assert_eq!(audit_.found[0].other.as_ref().unwrap().offset, 1);
    let mut rows = window(3);
    for row in &mut rows[2..] {
        row["coverage"] = json!({"partitions": 3, "of": 4});
    }
    assert_eq!(findings(&audit(&rows)), [("totals-disagree", 3, "/coverage")]);
}

#[test]
fn tables_of_one_window_with_a_common_family_or_two_policies_or_two_detail_tables_are_reported() {
    let noisy = |breakdown: &str| with_noise(covered(table(3, breakdown, &[("x", 900)])));
    let rows = [table(3, "country", &[("FR", 900)]), noisy("asn")].concat();
    let audit_ = audit(&rows);
    assert_eq!(findings(&audit_), [("overlapping-families", 1, "")]);
    assert_eq!(audit_.found[0].what, What::Families("place"));
    let both = [table(3, "country", &[("FR", 900)]), table(3, "cdn", &[("x", 900)])].concat();
    assert_eq!(findings(&audit(&both)), [("two-detail-tables", 1, "")]);
    for (key, value) in [("k", 60), ("margin", 12), ("noise", 9)] {
        let mut other = noisy("cdn");
        other[0]["policy"][key] = json!(value);
        let rows = [table(3, "country", &[("FR", 900)]), other].concat();
        assert_eq!(findings(&audit(&rows)), [("two-policies", 1, "")], "{key}");
    }
    assert_eq!(findings(&audit(&[table(3, "country", &[("FR", 900)]), noisy("cdn")].concat())), []);
}

#[test]
fn overlapping_windows_of_one_tenant_are_reported() {
    let mut long = record(3, "os Windows", 1, 1, 900);
    long["window"] = json!({"start": 0, "end": 3_600_000});
    let rows = [vec![long], table(3, "os", &[("*", 60)]), table(60, "os", &[("*", 60)])].concat();
    assert_eq!(findings(&audit(&rows)), [("overlapping-windows", 1, "")]);
    // Windows of different tenants may overlap.
    let mut rows = rows;
    rows[0]["tenant"] = "blip".into();
    assert_eq!(findings(&audit(&rows)), []);
}
