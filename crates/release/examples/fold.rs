//! Folds one table, and prints the rows that may be published: `cargo run -p crowdfold-release --example fold`.

use std::sync::Arc;

use crowdfold_model::{Cell, CellKey, Dimension, Span, Table, Timestamp, Window};
use crowdfold_release::{Policy, PolicyError, PolicySettings, release};

/// Sessions by operating system and browser, as in the example of docs/concepts.md.
const CELLS: [(&str, &str, u64); 5] = [
    ("Windows", "Chrome", 900),
    ("Windows", "Edge", 70),
    ("Windows", "Opera", 9),
    ("Windows", "Yandex", 4),
    ("Tizen", "Samsung", 30),
];

/// Folds the cells of one window until each row covers at least `k` sessions. Returns the rows.
fn fold(k: u64, cells: &[(&str, &str, u64)]) -> Result<Vec<(String, u64)>, PolicyError> {
    let breakdowns = vec![vec![Dimension::Os, Dimension::Browser]];
    let policy = Policy::threshold(PolicySettings { k, breakdowns, ..PolicySettings::default() })?;
    let cell = |(os, browser, sessions): &(&str, &str, u64)| {
        let key: CellKey = [*os, *browser].map(Arc::from).into();
        (key, Cell { sessions: *sessions, ..Cell::default() })
    };
    let table: Table = cells.iter().map(cell).collect();
    let window = Window::of(Timestamp::from_millis(1_795_308_528_421), Span::MINUTE);
    let released = release("acme", window, vec![table], &policy, None);
    let rows = released.rollups.iter();
    Ok(rows.map(|row| (row.cell_key().collect::<Vec<_>>().join("/"), row.sessions())).collect())
}

#[expect(clippy::print_stdout, reason = "an example prints its result")]
fn main() -> Result<(), PolicyError> {
    for (key, sessions) in fold(50, &CELLS)? {
        println!("{sessions:>5} {key}");
    }
    Ok(())
}

#[test]
fn rows_below_k_are_folded_and_no_session_is_lost() {
    let rows = fold(50, &CELLS).unwrap();
    assert_eq!(rows, [("*/*".to_owned(), 113), ("Windows/Chrome".to_owned(), 900)]);
    let rows = fold(10, &CELLS).unwrap();
    assert!(rows.iter().all(|(_, sessions)| *sessions >= 10), "{rows:?}");
    assert_eq!(rows.iter().map(|(_, sessions)| sessions).sum::<u64>(), 1_013);
}

#[test]
fn window_below_k_publishes_nothing() {
    assert_eq!(fold(50, &[("Windows", "Chrome", 49)]).unwrap(), []);
}
