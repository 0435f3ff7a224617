//! One breakdown of one tenant and window.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::Cell;

/// The values of a cell, one for each dimension of its breakdown, in its order. Compares by dimension, as UTF-8 bytes.
pub type CellKey = Box<[Arc<str>]>;

/// The cells of one breakdown of one tenant and window, in the order of their cell keys.
pub type Table = BTreeMap<CellKey, Cell>;

/// The schema of published rows. It gets a new number with each change that can break a reader.
pub const ROLLUP_SCHEMA: &str = "crowdfold.rollup/1";

/// The value of a dimension in a folded row, in place of the values that were folded. The airlock accepts no value of
/// this name.
pub const FOLDED: &str = "*";

/// A half-open span of event time, ms since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Window {
    /// First millisecond.
    pub start: u64,
    /// First millisecond after it.
    pub end: u64,
}

impl Window {
    /// The window of that length (ms) that holds a moment. Windows are aligned to the epoch.
    #[must_use]
    pub const fn of(moment: u64, length: u64) -> Self {
        let start = moment - moment % length;
        Self { start, end: start.saturating_add(length) }
    }
}
