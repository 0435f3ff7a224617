//! What the rows of one table come to.

use crate::row::{Coverage, Row};

/// Fields whose sums are the same in every table of a window, as JSON pointers.
const FIELDS: [&str; 23] = [
    "/sessions",
    "/beacons",
    "/attempts",
    "/plays",
    "/startup_failures",
    "/playback_failures",
    "/playing_ms",
    "/stalled_ms",
    "/stalls",
    "/dropped_frames",
    "/switches",
    "/errors/network",
    "/errors/manifest",
    "/errors/media",
    "/errors/drm",
    "/errors/timeout",
    "/errors/other",
    "/startup_ms/sessions",
    "/startup_ms/sum",
    "/bandwidth_kbps/sessions",
    "/bandwidth_kbps/sum",
    "/bitrate_kbps/sessions",
    "/bitrate_kbps/sum",
];

/// Sums over rows, and how many source partitions they are of.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Totals {
    sums: [u64; 23],
    coverage: Option<Coverage>,
}

impl Totals {
    pub(super) const fn of(coverage: Option<Coverage>) -> Self {
        Self { sums: [0; 23], coverage }
    }

    pub(super) fn add(&mut self, row: &Row) {
        let error = |class: &str| row.errors.get(class).copied().unwrap_or(0);
        let amounts = [
            row.sessions,
            row.beacons,
            row.attempts,
            row.plays,
            row.startup_failures,
            row.playback_failures,
            row.playing_ms,
            row.stalled_ms,
            row.stalls,
            row.dropped_frames,
            row.switches,
            error("network"),
            error("manifest"),
            error("media"),
            error("drm"),
            error("timeout"),
            error("other"),
            row.startup_ms.sessions,
            row.startup_ms.sum,
            row.bandwidth_kbps.sessions,
            row.bandwidth_kbps.sum,
            row.bitrate_kbps.sessions,
            row.bitrate_kbps.sum,
        ];
        for (sum, amount) in self.sums.iter_mut().zip(amounts) {
            *sum = sum.saturating_add(amount);
        }
    }

    /// The first field in which two differ.
    pub(super) fn differing(&self, other: &Self) -> &'static str {
        let differ = |at: &usize| self.sums[*at] != other.sums[*at];
        (0..FIELDS.len()).find(differ).map_or("/coverage", |at| FIELDS[at])
    }
}
