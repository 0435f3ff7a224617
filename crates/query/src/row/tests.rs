use crowdfold_model::{SumMetric, ValueMetric};
use serde_json::Value;

use super::{Numbers, Row};
use crate::testing::{counts_only, noisy, table};

fn row(text: &str) -> Row {
    serde_json::from_str(text).unwrap()
}

fn numbers(records: &[Value]) -> Option<Numbers> {
    row(&records[0].to_string()).numbers()
}

#[test]
fn negative_numbers_of_a_noisy_row_are_read() {
    let row = row(include_str!("../../fixtures/noisy.json"));
    assert_eq!((row.detail, row.numbers()), (Some(false), Some(Numbers::Noisy)));
    assert_eq!(
        (row.sessions, row.beacons, row.sum(SumMetric::Plays), row.sum(SumMetric::StalledMs)),
        (83, None, Some(-4), Some(-81_244))
    );
    assert_eq!((row.policy.margin, row.policy.noise), (Some(10), Some(8)));
    let errors = row.errors.as_ref().unwrap();
    assert_eq!((errors.len(), errors["manifest"], errors["media"]), (6, -11, 0));
    let startup = row.distribution(ValueMetric::StartupMs).unwrap();
    assert_eq!(
        (startup.sum, startup.sessions, startup.p50, startup.histogram.clone()),
        (-40_216, None, None, None)
    );
}

#[test]
fn row_with_only_session_counts_contains_no_other_number() {
    let row = row(include_str!("../../fixtures/counts.json"));
    assert_eq!((row.detail, row.numbers(), row.sessions), (Some(false), Some(Numbers::Absent), 83));
    assert_eq!(
        (
            row.sum(SumMetric::Attempts),
            row.errors.is_none(),
            row.distribution(ValueMetric::BitrateKbps).is_none()
        ),
        (None, true, true)
    );
}

#[test]
fn kind_of_numbers_depends_on_detail_and_policy() {
    let whole = || table(90, "os", &[("Windows", 60)]);
    assert_eq!(numbers(&whole()), Some(Numbers::Exact));
    assert_eq!(numbers(&noisy(whole())), Some(Numbers::Noisy));
    assert_eq!(numbers(&counts_only(whole())), Some(Numbers::Absent));
    let mut private = whole();
    private[0].as_object_mut().unwrap().remove("detail");
    private[0]["policy"] =
        serde_json::json!({"name": "differential-privacy", "k": 50, "sigma": 38.2, "tau": 240});
    assert_eq!(numbers(&private), Some(Numbers::Private));
}

#[test]
fn row_whose_noise_is_unknown_has_no_kind_of_numbers() {
    let whole = || table(90, "os", &[("Windows", 60)]);
    let changed = |mut records: Vec<Value>, change: fn(&mut Value)| {
        change(&mut records[0]);
        numbers(&records)
    };
    // The policy does not declare the noise, or the row does not contain `detail`.
    assert_eq!(changed(noisy(whole()), |row| row["policy"]["noise"] = Value::Null), None);
    assert_eq!(changed(whole(), |row| row["detail"] = Value::Null), None);
    // The numbers are noisy but `detail` is true, or a number of an exact row is negative.
    assert_eq!(changed(noisy(whole()), |row| row["detail"] = true.into()), None);
    assert_eq!(changed(whole(), |row| row["plays"] = (-1).into()), None);
    assert_eq!(changed(whole(), |row| row["errors"]["drm"] = (-1).into()), None);
    // Some of the numbers are absent.
    assert_eq!(changed(noisy(whole()), |row| row["plays"] = Value::Null), None);
    assert_eq!(changed(counts_only(whole()), |row| row["plays"] = 3.into()), None);
    assert_eq!(changed(counts_only(whole()), |row| row["startup_ms"] = serde_json::json!({"sum": 3})), None);
}

#[test]
fn required_field_may_be_null_but_not_missing() {
    for field in ["beacons", "plays", "errors", "startup_ms"] {
        let mut records = counts_only(table(90, "os", &[("Windows", 60)]));
        records[0].as_object_mut().unwrap().remove(field);
        let read = serde_json::from_str::<Row>(&records[0].to_string());
        assert!(read.unwrap_err().to_string().contains(field), "{field}");
    }
}
