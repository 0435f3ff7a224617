//! One breakdown of one tenant and window.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::{Cell, Span, Timestamp};

/// The values of a cell, one for each dimension of its breakdown, in its order. Compares by dimension, as UTF-8 bytes.
pub type CellKey = Box<[Arc<str>]>;

/// The cells of one breakdown of one tenant and window, in the order of their cell keys.
pub type Table = BTreeMap<CellKey, Cell>;

/// The schema of published rows. It gets a new number with each change that can break a reader.
pub const ROLLUP_SCHEMA: &str = "crowdfold.rollup/1";

/// The value of a dimension in a folded row, in place of the values that were folded. The airlock accepts no value of
/// this name.
pub const FOLDED: &str = "*";

/// A half-open interval of event time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Window {
    /// First millisecond.
    pub start: Timestamp,
    /// First millisecond after it.
    pub end: Timestamp,
}

impl Window {
    /// Returns the window of a length that contains a time. Windows are aligned to the epoch.
    #[inline]
    #[must_use]
    pub const fn of(time: Timestamp, length: Span) -> Self {
        let start = time.floor(length);
        Self { start, end: start.saturating_add(length) }
    }

    /// Returns the window that starts at a time and has a length.
    #[inline]
    #[must_use]
    pub const fn at(start: Timestamp, length: Span) -> Self {
        Self { start, end: start.saturating_add(length) }
    }

    /// Returns the length; zero if the window ends before it starts.
    #[inline]
    #[must_use]
    pub const fn length(&self) -> Span {
        self.end.saturating_since(self.start)
    }
}
