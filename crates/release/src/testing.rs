//! Functions that several tests use.

use std::sync::Arc;

use crowdfold_model::{Cell, CellKey, Table};

pub(crate) fn cell_key<S: AsRef<str>>(values: &[S]) -> CellKey {
    values.iter().map(|value| Arc::from(value.as_ref())).collect()
}

/// Returns a cell with this number of sessions, whose other numbers are 0.
pub(crate) fn cell(sessions: u64) -> Cell {
    Cell { sessions, ..Cell::default() }
}

/// Builds a table from pairs of cell key and sessions, such as `("Windows/Chrome", 900)`.
pub(crate) fn table(cells: &[(&str, u64)]) -> Table {
    cells.iter().map(|(path, n)| (cell_key(&path.split('/').collect::<Vec<_>>()), cell(*n))).collect()
}
