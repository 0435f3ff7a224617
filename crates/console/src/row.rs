//! A released row, as a reader sees it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The schema this reader knows.
pub(crate) const SCHEMA: &str = "crowdfold.rollup/1";
/// Stands for the rest of a node.
pub(crate) const STAR: &str = "*";

/// One row of `crowdfold.rollup/1`. Fields that a later writer adds are passed over.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Row {
    /// Its tenant.
    pub tenant: String,
    /// Its window.
    pub window: Window,
    /// The dimensions of its table, in order.
    pub drilldown: Vec<String>,
    /// Its value for each of them, `*` for the rest of a node.
    pub dimensions: BTreeMap<String, String>,
    /// Its number in the table, from 1.
    pub row: u64,
    /// Rows of the table.
    pub rows: u64,
    /// Where a source partition is missing: how many came.
    pub coverage: Option<Coverage>,
    /// Distinct sessions in the window.
    pub sessions: u64,
    /// Reports.
    pub beacons: u64,
    /// Times that play was requested.
    pub attempts: u64,
    /// Times that a first frame was shown.
    pub plays: u64,
    /// Fatal errors before anything played.
    pub startup_failures: u64,
    /// Fatal errors after something played.
    pub playback_failures: u64,
    /// Time played, ms.
    pub playing_ms: u64,
    /// Time stalled, without startup and seeks, ms.
    pub stalled_ms: u64,
    /// Stalls.
    pub stalls: u64,
    /// Frames dropped.
    pub dropped_frames: u64,
    /// Changes of quality.
    pub switches: u64,
    /// Sessions that saw an error, by class.
    pub errors: BTreeMap<String, u64>,
    /// First startup times, ms.
    pub startup_ms: Spread,
    /// Mean bandwidths of the sessions, kbit/s.
    pub bandwidth_kbps: Spread,
    /// Mean bitrates of the sessions, kbit/s.
    pub bitrate_kbps: Spread,
    /// What the row had to be to leave.
    pub policy: Policy,
}

/// A half-open span of event time, ms since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
pub struct Window {
    /// First millisecond.
    pub start: u64,
    /// First millisecond after it.
    pub end: u64,
}

/// How many of the source partitions a window was made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Coverage {
    /// Partitions that came.
    pub partitions: u64,
    /// Partitions there are.
    pub of: u64,
}

/// `[from, to, sessions]` of a histogram: from ≤ value < to, `null` for an open end.
pub type Range = (Option<u64>, Option<u64>, u64);

/// What is told of the values of a row's sessions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Spread {
    /// Sessions that have a value.
    pub sessions: u64,
    /// The sum of their values.
    pub sum: u64,
    /// Median; absent, like the others, where too few sessions lie on one side of it.
    pub p50: Option<u64>,
    /// 90th percentile.
    pub p90: Option<u64>,
    /// 95th percentile.
    pub p95: Option<u64>,
    /// 99th percentile.
    pub p99: Option<u64>,
    /// Ranges that cover all values, on one drill-down only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub histogram: Option<Vec<Range>>,
}

/// The release policy of a row.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Policy {
    /// `threshold` or `differential-privacy`.
    pub name: String,
    /// The least number of sessions of a row.
    pub k: Option<u64>,
    /// Standard deviation of the noise in the count of sessions, where there is noise.
    pub sigma: Option<f64>,
    /// Where there is noise: a row shows τ + k − 1 sessions or more.
    pub tau: Option<u64>,
}

impl Row {
    /// The name of its drill-down: `os.browser`.
    #[must_use]
    pub fn drilldown_name(&self) -> String {
        self.drilldown.join(".")
    }

    /// Its value for a dimension of its drill-down.
    #[must_use]
    pub fn value(&self, dimension: &str) -> Option<&str> {
        self.dimensions.get(dimension).map(String::as_str)
    }

    /// Whether it holds together: a value for each dimension, a number within its table, a window that is one.
    pub(crate) fn is_sound(&self) -> bool {
        !self.drilldown.is_empty()
            && self.drilldown.iter().all(|dimension| self.dimensions.contains_key(dimension))
            && self.dimensions.len() == self.drilldown.len()
            && (1..=self.rows).contains(&self.row)
            && self.window.start < self.window.end
    }
}
