//! Summarizes the distributions of a row as percentiles and a histogram. Each value covers enough sessions.

use crowdfold_model::Distribution;
use serde::Serialize;

mod noisy;

pub(crate) use noisy::bin_of;

#[cfg(test)]
mod tests;

/// b: the minimum number of sessions at or above a percentile, at or below it, and in a range of a histogram.
pub const MIN_IN_RANGE: u64 = 10;

/// The edges between the bins of histograms: ten per decade, rounded to two digits as the values are. With the open
/// ends there are 32 bins. They are the same for startup times (ms) and rates (kbit/s).
pub const BINS: [u32; 31] = [
    100, 130, 160, 200, 250, 320, 400, 500, 630, 790, //
    1_000, 1_300, 1_600, 2_000, 2_500, 3_200, 4_000, 5_000, 6_300, 7_900, //
    10_000, 13_000, 16_000, 20_000, 25_000, 32_000, 40_000, 50_000, 63_000, 79_000, //
    100_000,
];

/// The number of bins, with the open ones at both ends.
pub(crate) const BIN_COUNT: usize = BINS.len() + 1;

/// A range `[from, to, sessions]` with from ≤ value < to. An open end is `null`.
type Range = (u32, Option<u32>, u64);

/// The published part of a distribution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct DistributionSummary {
    sessions: u64,
    sum: u64,
    p50: Option<u32>,
    p90: Option<u32>,
    p95: Option<u32>,
    p99: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    histogram: Option<Vec<Range>>,
}

impl DistributionSummary {
    pub(crate) fn of(values: &Distribution, with_histogram: bool) -> Self {
        let sessions = values.sessions();
        let at = |percent| percentile(values.values(), sessions, percent);
        Self {
            sessions,
            sum: values.sum(),
            p50: at(50),
            p90: at(90),
            p95: at(95),
            p99: at(99),
            histogram: if with_histogram { histogram(values.values(), MIN_IN_RANGE) } else { None },
        }
    }
}

/// Returns the smallest value with at least ⌈percent·n⌉ sessions at or below it. Returns `None` unless at least b
/// sessions are at or above the value, and at least b at or below it.
fn percentile(values: &[(u32, u64)], sessions: u64, percent: u128) -> Option<u32> {
    let wanted = (u128::from(sessions) * percent).div_ceil(100);
    let mut below = 0;
    for (value, here) in values {
        let at_or_below = below + here;
        if u128::from(at_or_below) >= wanted {
            let at_or_above = sessions - below;
            return (at_or_below >= MIN_IN_RANGE && at_or_above >= MIN_IN_RANGE).then_some(*value);
        }
        below = at_or_below;
    }
    None
}

/// Joins bins from the left until each range contains at least `least` sessions. The remaining bins on the right join
/// the last range. Returns `None` if all bins together have fewer sessions, because then not even an open range may be
/// published.
fn histogram(values: &[(u32, u64)], least: u64) -> Option<Vec<Range>> {
    let mut ranges: Vec<Range> = Vec::new();
    let (mut from, mut gathered) = (0, 0);
    let mut values = values.iter().peekable();
    for edge in BINS {
        while let Some((_, here)) = values.next_if(|(value, _)| *value < edge) {
            gathered += here;
        }
        if gathered >= least {
            ranges.push((from, Some(edge), gathered));
            (from, gathered) = (edge, 0);
        }
    }
    gathered += values.map(|(_, here)| here).sum::<u64>();
    if gathered >= least {
        ranges.push((from, None, gathered));
    } else if let Some((_, to, held)) = ranges.last_mut() {
        *to = None;
        *held += gathered;
    }
    (!ranges.is_empty()).then_some(ranges)
}
