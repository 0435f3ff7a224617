//! The table of one breakdown, for one tenant and window.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::{Cell, Span, Timestamp};

/// The dimension values of a cell, in the order of the dimensions in the breakdown. Cell keys are compared value by
/// value in this order, and values are compared as UTF-8 bytes.
pub type CellKey = Box<[Arc<str>]>;

/// The cells of one breakdown of one tenant and window, in the order of their cell keys.
pub type Table = BTreeMap<CellKey, Cell>;

/// The name of the schema of published rows. Its number increases with each change that may break a reader.
pub const ROLLUP_SCHEMA: &str = "crowdfold.rollup/1";

/// The fields of a row that are neither dimensions nor metrics, and the other columns of queries. A dimension in the
/// configuration must not have one of these names.
pub const ROW_FIELDS: [&str; 48] = [
    "schema",
    "tenant",
    "tenants",
    "window",
    "windows",
    "breakdown",
    "detail",
    "dimensions",
    "row",
    "rows",
    "coverage",
    "sessions",
    "beacons",
    "errors",
    "policy",
    "from",
    "to",
    "start",
    "end",
    "notes",
    "attributes",
    "session_windows",
    "concurrent_max",
    "concurrent_mean",
    "peak",
    "mean",
    "minutes",
    "minutes_watched",
    "rebuffering_ratio",
    "stalls_per_hour",
    "vsf",
    "ebvs",
    "ebvs_reported",
    "vpf",
    "good",
    "standard_error",
    "below_zero",
    "tables",
    "numbers",
    "metric",
    "value",
    "share",
    "impact",
    "overall",
    "now",
    "before",
    "change",
    "relative",
];

/// The value that replaces dimension values when rows are folded. The airlock never accepts it as a dimension value.
pub const FOLDED: &str = "*";

/// A half-open interval of event time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Window {
    /// The first millisecond of the window.
    pub start: Timestamp,
    /// The first millisecond after the window.
    pub end: Timestamp,
}

impl Window {
    /// Returns the window of this length that contains a timestamp. Windows are aligned to the epoch.
    #[inline]
    #[must_use]
    pub const fn of(time: Timestamp, length: Span) -> Self {
        let start = time.floor(length);
        Self { start, end: start.saturating_add(length) }
    }

    /// Returns the window that starts at a timestamp and has this length.
    #[inline]
    #[must_use]
    pub const fn at(start: Timestamp, length: Span) -> Self {
        Self { start, end: start.saturating_add(length) }
    }

    /// Returns the length of the window. It is zero if the window ends before it starts.
    #[inline]
    #[must_use]
    pub const fn length(&self) -> Span {
        self.end.saturating_since(self.start)
    }
}
