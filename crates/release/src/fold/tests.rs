use std::collections::BTreeMap;

use crowdfold_model::Table;

use super::{Margin, Row, fold};
use crate::testing::{cell, cell_key, table};

mod attacker;
mod oracle;
mod properties;
mod retention;

/// Formats each row as its cell key and its sessions, such as `Windows/* 83`.
fn rows(folded: &[Row]) -> Vec<String> {
    folded.iter().map(|row| format!("{} {}", row.cell_key.join("/"), row.cell.sessions)).collect()
}

/// Asserts that folding with this k and without a margin gives these rows.
fn check(k: u64, cells: &[(&str, u64)], expect: &[&str]) {
    check_with_margin(k, 0, cells, expect);
}

/// Asserts that folding with this k and this margin gives these rows.
fn check_with_margin(k: u64, least: u64, cells: &[(&str, u64)], expect: &[&str]) {
    assert_eq!(rows(&fold(table(cells), Margin { k, least }, |cell| cell.sessions >= k)), expect);
}

#[test]
fn folding_equals_the_test_vectors() {
    #[derive(serde::Deserialize)]
    struct Vector {
        k: u64,
        margin: u64,
        cells: Vec<(Vec<String>, u64)>,
        rows: Vec<(Vec<String>, u64)>,
    }
    let vectors: Vec<Vector> = serde_json::from_str(include_str!("../../fixtures/fold.json")).unwrap();
    assert_eq!(vectors.len(), 104);
    for (index, Vector { k, margin, cells, rows: expect }) in vectors.into_iter().enumerate() {
        let table: Table = cells.iter().map(|(values, n)| (cell_key(values), cell(*n))).collect();
        let folded = fold(table, Margin { k, least: margin }, |cell| cell.sessions >= k);
        let got: Vec<_> = folded
            .iter()
            .map(|row| (row.cell_key.iter().map(|v| v.to_string()).collect(), row.cell.sessions))
            .collect();
        assert_eq!(got, expect, "vector {index}");
    }
}

#[test]
fn small_rest_is_merged_with_the_smallest_row_of_its_node() {
    check(
        50,
        &[("Windows/Chrome", 900), ("Windows/Edge", 70), ("Windows/Opera", 9)],
        &["Windows/* 79", "Windows/Chrome 900"],
    );
}

#[test]
fn rows_are_merged_until_the_rest_has_enough_possible_sizes() {
    let cells = [("a", 9), ("b", 50), ("c", 51), ("d", 70), ("e", 900)];
    check(50, &cells, &["* 59", "c 51", "d 70", "e 900"]);
    // If one row of 50 to 51 sessions was merged into a row of 59, the rest has 8 or 9 sessions. If two rows of 50 to
    // 70 sessions were merged into a row of 110, the rest has 1 to 10 sessions.
    check_with_margin(50, 3, &cells, &["* 110", "d 70", "e 900"]);
    check_with_margin(50, 10, &cells, &["* 110", "d 70", "e 900"]);
    // If three rows of 50 to 900 sessions were merged into a row of 180, the rest has 1 to 30 sessions.
    check_with_margin(50, 11, &cells, &["* 180", "e 900"]);
    check_with_margin(50, 25, &cells, &["* 180", "e 900"]);
    // A rest has at most 49 possible sizes, so a margin of 50 is never reached and all rows are merged.
    check_with_margin(50, 50, &cells, &["* 1080"]);
}

#[test]
fn rows_of_exactly_k_sessions_are_all_merged_with_a_small_rest() {
    check_with_margin(50, 10, &[("a", 7), ("b", 50), ("c", 50), ("d", 50)], &["* 157"]);
    check_with_margin(50, 10, &[("a", 7), ("b", 60), ("c", 60), ("d", 60)], &["* 67", "c 60", "d 60"]);
}

#[test]
fn node_without_a_crowd_is_merged_with_the_smallest_row_under_the_root() {
    check(
        50,
        &[("Tizen/Samsung", 30), ("Windows/Chrome", 900), ("macOS/Safari", 200)],
        &["*/* 230", "Windows/Chrome 900"],
    );
}

#[test]
fn rest_that_is_a_crowd_is_not_merged_with_a_row() {
    check(50, &[("a", 25), ("b", 25), ("c", 50)], &["* 50", "c 50"]);
}

#[test]
fn row_with_a_star_may_be_merged_with_the_rest_of_the_node_above() {
    // b/* has 50 sessions, which is fewer than a/x has. So the root's rest of 1 session is merged with b/*.
    check(50, &[("a/x", 60), ("b/y", 25), ("b/z", 25), ("c/w", 1)], &["*/* 51", "a/x 60"]);
}

#[test]
fn row_with_the_lesser_cell_key_is_merged_first_if_sessions_are_equal() {
    // In the order of bytes, '&' is less than '*', and '*' is less than 'a'. Of the two rows of 50 sessions, the row
    // that sorts first is merged.
    let b = [("b/&", 50), ("b/a", 25), ("b/c", 25), ("c/d", 1)];
    check(50, &b, &["*/* 51", "b/* 50"]);
    let b = [("b/a", 25), ("b/c", 25), ("b/z", 50), ("c/d", 1)];
    check(50, &b, &["*/* 51", "b/z 50"]);
}

#[test]
fn rows_are_in_cell_key_order_even_if_values_sort_before_the_star() {
    check(10, &[("&", 10), ("(x)", 10), ("-", 10), ("a", 6), ("b", 6)], &["& 10", "(x) 10", "* 12", "- 10"]);
}

#[test]
fn value_that_is_a_prefix_of_another_value_is_a_separate_node() {
    check(10, &[("a/x", 4), ("ab/x", 4), ("ab/y", 10)], &["*/* 18"]);
}

#[test]
fn table_below_k_has_no_rows() {
    check(50, &[("a/b", 20), ("c/d", 29)], &[]);
    check(50, &[], &[]);
}

#[test]
fn sessions_of_too_few_networks_are_not_a_crowd() {
    let mut farm = cell(500);
    farm.networks = 0b1;
    let mut town = cell(50);
    town.networks = 0b1110;
    let cells: Table = BTreeMap::from([(cell_key(&["farm"]), farm), (cell_key(&["town"]), town)]);
    let crowd = |cell: &crowdfold_model::Cell| cell.sessions >= 50 && cell.networks.count_ones() >= 3;
    assert_eq!(rows(&fold(cells.clone(), Margin::NONE, crowd)), ["* 550"]);
    assert_eq!(rows(&fold(cells, Margin::NONE, |cell| cell.sessions >= 50)), ["farm 500", "town 50"]);
}
