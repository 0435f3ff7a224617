//! Tests of rows with `*` that contradict folding.

use std::sync::Arc;

use crowdfold_model::{Cell, CellKey, Dimension, Span, Table, Timestamp, Window};
use crowdfold_release::{Policy, PolicySettings, release};
use proptest::collection::hash_map;
use proptest::sample::select;
use proptest::{prop_assert, prop_assert_eq};

use super::*;

const FORMATS: [&str; 6] = ["dash", "hesp", "hls", "other", "smooth", "unknown"];
const CONNECTIONS: [&str; 10] =
    ["2g", "3g", "4g", "5g", "cellular", "ethernet", "fixed", "other", "unknown", "wifi"];

#[test]
fn star_that_can_contain_only_one_value_of_a_closed_list_is_reported() {
    let rows = |values: &[&'static str]| -> Vec<(&'static str, u64)> {
        values.iter().map(|value| (*value, 60)).collect()
    };
    let star = [("single-value-in-star", 0, "/dimensions/format")];
    for (shown, expected) in [(6, &star[..]), (5, &star), (4, &[]), (0, &[])] {
        let all = [&[("*", 60)][..], &rows(&FORMATS[..shown])].concat();
        assert_eq!(findings(&audit(&table(3, "format", &all))), expected, "{shown} values");
    }
    // Any number of values may be in a row with `*` of a dimension without a closed list.
    let all = [&[("*", 60)][..], &rows(&FORMATS)].concat();
    assert_eq!(findings(&audit(&table(3, "cdn", &all))), []);
}

#[test]
fn star_above_a_closed_list_is_reported_if_each_value_of_the_list_has_a_row_below() {
    let below =
        |values: &[&str]| -> Vec<String> { values.iter().map(|value| format!("{value}/one")).collect() };
    let found = |shown: usize, star: &str| {
        let values = below(&FORMATS[..shown]);
        let rows: Vec<_> =
            [star].into_iter().chain(values.iter().map(String::as_str)).map(|row| (row, 60)).collect();
        let audit = audit(&table(3, "format/content", &rows));
        findings(&audit).iter().map(|(name, ..)| (*name).to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(found(6, "*/*"), ["single-value-in-star"]);
    assert_eq!(found(5, "*/*"), [""; 0]);
    let mut rows = vec![("live/*", 60)];
    let below: Vec<String> = FORMATS[..5].iter().map(|format| format!("live/{format}")).collect();
    rows.extend(below.iter().map(|row| (row.as_str(), 60)));
    assert_eq!(
        findings(&audit(&table(3, "stream/format", &rows))),
        [("single-value-in-star", 0, "/dimensions/format")]
    );
    // The other node has a row with `*` of its own, so its values do not count.
    rows[5].0 = "vod/smooth";
    assert_eq!(findings(&audit(&table(3, "stream/format", &rows))), []);
}

/// Releases a table of one breakdown as the worker does. Returns its rows.
fn released(
    breakdown: &[Dimension],
    cells: impl IntoIterator<Item = (String, u64)>,
    margin: u64,
) -> Vec<Value> {
    let settings = PolicySettings {
        k: 50,
        margin: Some(margin),
        breakdowns: vec![breakdown.to_vec()],
        ..PolicySettings::default()
    };
    let policy = Policy::threshold(settings).unwrap();
    let table: Table = cells
        .into_iter()
        .map(|(values, sessions)| {
            let key: CellKey = values.split('/').map(Arc::from).collect();
            (key, Cell { sessions, ..Cell::default() })
        })
        .collect();
    let window = Window::of(Timestamp::from_millis(180_000), Span::MINUTE);
    let released = release("acme", window, vec![table], &policy, None);
    assert!(released.fault.is_none());
    released.rollups.iter().map(|row| serde_json::from_slice(&row.json()).unwrap()).collect()
}

proptest! {
    #[test]
    fn folded_tables_of_closed_lists_give_no_findings(
        one in hash_map(select(&CONNECTIONS[..]), 1_u64..120, 1..10),
        two in hash_map((select(&FORMATS[..]), select(&["a", "b", "c"][..])), 1_u64..120, 1..19),
        margin in 10_u64..26,
    ) {
        let one = one.into_iter().map(|(value, sessions)| (value.to_owned(), sessions));
        let two = two.into_iter().map(|((format, content), sessions)| (format!("{format}/{content}"), sessions));
        for rows in [
            released(&[Dimension::Connection], one, margin),
            released(&[Dimension::Format, Dimension::Content], two, margin),
        ] {
            let audit = audit(&rows);
            prop_assert_eq!(findings(&audit), []);
            prop_assert!(rows.is_empty() || audit.topics[0].tables == 1);
        }
    }
}
