//! What the rows of one table come to.

use crate::row::{Coverage, Row, Spread};

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

/// Sums over rows, and how many source partitions they are of. Only sessions are exact in every table.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Totals {
    sums: [i64; FIELDS.len()],
    exact: bool,
    coverage: Option<Coverage>,
}

impl Totals {
    pub(super) const fn of(coverage: Option<Coverage>) -> Self {
        Self { sums: [0; FIELDS.len()], exact: true, coverage }
    }

    pub(super) fn add(&mut self, row: &Row) {
        self.exact &= row.detail != Some(false);
        let error = |class: &str| row.errors.as_ref().and_then(|errors| errors.get(class)).copied();
        let whole = |amount: u64| i64::try_from(amount).unwrap_or(i64::MAX);
        let sessions = |spread: &Option<Spread>| spread.as_ref()?.sessions.map(whole);
        let sum = |spread: &Option<Spread>| spread.as_ref().map(|spread| spread.sum);
        let amounts = [
            Some(whole(row.sessions)),
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
            sessions(&row.startup_ms),
            sum(&row.startup_ms),
            sessions(&row.bandwidth_kbps),
            sum(&row.bandwidth_kbps),
            sessions(&row.bitrate_kbps),
            sum(&row.bitrate_kbps),
        ];
        for (sum, amount) in self.sums.iter_mut().zip(amounts) {
            *sum = sum.saturating_add(amount.unwrap_or_default());
        }
    }

    /// Returns true if no field differs that both show exactly.
    pub(super) fn agrees_with(&self, other: &Self) -> bool {
        self.first_difference(other).is_none() && self.coverage == other.coverage
    }

    /// The first field in which two differ.
    pub(super) fn differing(&self, other: &Self) -> &'static str {
        self.first_difference(other).map_or("/coverage", |at| FIELDS[at])
    }

    fn first_difference(&self, other: &Self) -> Option<usize> {
        let compared = if self.exact && other.exact { FIELDS.len() } else { 1 };
        (0..compared).find(|at| self.sums[*at] != other.sums[*at])
    }
}
