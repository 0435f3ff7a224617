use crowdfold_model::{Span, Timestamp};
use crowdfold_query::Row;
use crowdfold_testkit::rows::{MINUTE, of_tenant, table};

use super::{Export, gauges};
use crate::{Access, Batch, Lifetimes, Store};

const FIRST: u64 = 30_000_000;

fn store() -> Store {
    let lifetimes = Lifetimes { detail: Span::DAY, rollups: Span::DAY.times(30) };
    let store = Store::open(None, lifetimes).unwrap();
    let mut records = table(FIRST, "cdn", &[("old", 500)]);
    records.extend(table(FIRST + 1, "cdn", &[("a\"b", 900), ("*", 100)]));
    records.extend(of_tenant("beta", table(FIRST + 1, "cdn", &[("cdn-c", 300)])));
    let rows = records.iter().map(|record| Row::parse(record.to_string().as_bytes()).unwrap()).collect();
    store.add(&Batch { rows, ..Batch::default() }, minute(3)).unwrap();
    store
}

fn minute(after: u64) -> Timestamp {
    Timestamp::from_millis((FIRST + after) * MINUTE)
}

#[test]
fn gauges_have_the_values_of_the_newest_window() {
    let export = [Export::parse("cdn: vsf, stalls", &[]).unwrap()];
    let text = gauges(&export, &store(), &Access::All, minute(3)).unwrap();
    for line in [
        "# TYPE crowdfold_rollup_vsf gauge",
        "crowdfold_rollup_vsf{tenant=\"acme\",breakdown=\"cdn\",cdn=\"a\\\"b\"} 0.1",
        "crowdfold_rollup_sessions{tenant=\"acme\",breakdown=\"cdn\",cdn=\"*\"} 100",
        "crowdfold_rollup_stalls{tenant=\"beta\",breakdown=\"cdn\",cdn=\"cdn-c\"} 30",
        "crowdfold_rollup_series_omitted 0",
    ] {
        assert!(text.lines().any(|one| one == line), "{line} is not in\n{text}");
    }
    assert!(!text.contains("\"old\""), "{text}");
    // a metric with several series has only one line with its type
    assert_eq!(text.matches("# TYPE crowdfold_rollup_vsf ").count(), 1);
}

#[test]
fn gauges_do_not_have_the_values_of_an_incomplete_table() {
    let export = ["cdn: vsf", "os: vsf"].map(|entry| Export::parse(entry, &[]).unwrap());
    let store = store();
    let mut records = table(FIRST + 2, "cdn", &[("new", 700), ("*", 100)]);
    records.pop();
    // A table of a newer window may arrive before the other tables of this window.
    records.extend(table(FIRST + 2, "os", &[("Windows", 800)]));
    let rows = records.iter().map(|record| Row::parse(record.to_string().as_bytes()).unwrap()).collect();
    store.add(&Batch { rows, ..Batch::default() }, minute(4)).unwrap();
    let text = gauges(&export, &store, &Access::All, minute(4)).unwrap();
    assert!(
        !text.contains("\"new\"") && text.contains("os=\"Windows\"") && text.contains("cdn=\"*\"} 100"),
        "{text}"
    );
}

#[test]
fn export_contains_only_tenants_that_the_token_may_see() {
    let export = [Export::parse("cdn: vsf", &[]).unwrap()];
    let access = Access::Tenants(["beta".to_owned()].into());
    let text = gauges(&export, &store(), &access, minute(3)).unwrap();
    assert!(text.contains("beta") && !text.contains("acme"), "{text}");
}

#[test]
fn export_omits_values_of_a_tenant_without_new_windows() {
    let export = [Export::parse("cdn: vsf", &[]).unwrap()];
    let text = gauges(&export, &store(), &Access::All, minute(60)).unwrap();
    assert!(
        !text.contains("_vsf") && text.contains("window_end_timestamp_seconds{tenant=\"acme\"}"),
        "{text}"
    );
}

#[test]
fn error_for_an_invalid_entry_lists_the_valid_names() {
    for (entry, expected) in [
        ("cdn", "the entry \"cdn\" is not valid; write a breakdown and metrics"),
        (
            "cdn,cdn: vsf",
            "breakdown \"cdn,cdn\" contains a dimension twice or an empty one; write it like os,browser",
        ),
        ("shape: vsf", "\"shape\" is not a dimension; the dimensions are country, "),
        ("cdn: colour", "\"colour\" is not a metric; the metrics are sessions, "),
    ] {
        let error = Export::parse(entry, &[]).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    assert_eq!(Export::parse("cdn,connection: vsf", &[]).unwrap().breakdown, "cdn.connection");
    assert_eq!(Export::parse("arm: vsf", &["arm"]).unwrap().breakdown, "arm");
}
