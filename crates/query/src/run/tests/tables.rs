//! Tests of the selection of the table that answers a query.

use crowdfold_model::SumMetric;
use serde_json::Value;

use super::{ask, shown};
use crate::QueryError;
use crate::testing::{counts_only, noisy, of_tenant, query, rows, table};

/// Returns one window with two tables of the same 1,013 sessions: a noisy one, and the detail table.
fn window() -> Vec<Vec<Value>> {
    vec![
        noisy(table(90, "browser/os", &[("*/*", 113), ("Chrome/Windows", 900)])),
        table(90, "cdn/connection", &[("a/wifi", 500), ("b/*", 300), ("b/wifi", 213)]),
    ]
}

#[test]
fn totals_are_answered_from_the_detail_table() {
    let answer = ask("", &window());
    assert_eq!(shown(&answer), [" 1013"]);
    assert_eq!(answer.notes(), ["answered from the detail table cdn,connection: all numbers are exact"]);
    assert_eq!(answer.groups[0].rows, 3);
    // The detail table is also used for totals of each interval, and for an empty list of dimensions.
    let answer = ask("--by '' --every 1m", &window());
    assert_eq!(answer.groups[0].tables.first().unwrap(), "cdn.connection");
}

#[test]
fn named_breakdown_is_used_even_if_the_detail_table_has_the_dimensions() {
    let answer = ask("--breakdown browser,os --by ''", &window());
    assert_eq!(
        answer.notes()[..1],
        ["answered from browser,os: session counts are exact, every other number carries noise"]
    );
}

#[test]
fn totals_without_a_detail_table_come_from_the_table_with_the_fewest_rows() {
    let mut records = window();
    records[1] = noisy(records[1].clone());
    let answer = ask("", &records);
    assert_eq!(answer.groups[0].tables.first().unwrap(), "browser.os", "two rows have less noise than three");
    records[0] = counts_only(records[0].clone());
    let answer = ask("", &records);
    assert_eq!(
        answer.groups[0].tables.first().unwrap(),
        "cdn.connection",
        "numbers with noise rather than none"
    );
}

#[test]
fn each_window_is_answered_from_the_best_table_of_that_window() {
    let mut records = window();
    records.push(noisy(table(91, "browser/os", &[("Chrome/Windows", 400)])));
    let answer = ask("", &records);
    assert_eq!(shown(&answer), [" 1413"]);
    assert_eq!(
        answer.notes()[..2],
        [
            "answered from the detail table cdn,connection: all numbers are exact",
            "answered from browser,os: session counts are exact, every other number carries noise",
        ]
    );
}

#[test]
fn detail_table_is_preferred_among_matching_tables() {
    let mut records = window();
    // The breakdowns changed after the first window.
    records.push(noisy(table(91, "cdn", &[("a", 700)])));
    records.push(table(91, "cdn/connection", &[("a/wifi", 700)]));
    let answer = ask("--by cdn", &records);
    assert_eq!(shown(&answer), ["a 1200", "b 513"]);
    assert_eq!(answer.notes()[0], "answered from the detail table cdn,connection: all numbers are exact");
    assert_eq!(shown(&ask("--where cdn=a", &records)), ["a/wifi 1200"]);
    // Tenant `beta` has only the other table, so it would be missing if the detail table were selected.
    records.push(of_tenant("beta", noisy(table(91, "cdn", &[("a", 80)]))));
    let fault = query("--by cdn").unwrap().run(&rows(&records)).unwrap_err();
    assert!(matches!(fault, QueryError::BreakdownChoice { fitting: 2, .. }), "{fault}");
    assert_eq!(shown(&ask("--by cdn --tenant acme", &records)), ["a 1200", "b 513"]);
}

#[test]
fn tenants_with_different_detail_tables_are_added_up() {
    let records = [
        table(90, "os/browser", &[("Windows/Chrome", 100)]),
        of_tenant("beta", noisy(table(90, "os/browser", &[("Windows/Chrome", 300)]))),
        of_tenant("gamma", counts_only(table(90, "os/browser", &[("Windows/Chrome", 70)]))),
    ];
    let answer = ask("--across --by os", &records);
    assert_eq!(shown(&answer), ["Windows 470"]);
    let group = &answer.groups[0];
    assert_eq!((group.rows, group.rows_without_numbers), (3, 1));
    assert_eq!(group.sum(SumMetric::Plays).unwrap().value, 32);
    let notes = answer.notes();
    assert!(
        notes[2].starts_with("answered from os,browser: only session counts are published"),
        "{notes:#?}"
    );
    let lacking = "some groups include rows without numbers, so their sums are too low";
    assert!(notes.iter().any(|note| note.starts_with(lacking)), "{notes:#?}");
}
