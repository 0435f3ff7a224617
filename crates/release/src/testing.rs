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

/// A random number generator (splitmix64), whose seed the test sets.
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Returns a number in [0, 1).
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}
