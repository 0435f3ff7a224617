//! Summarizes a distribution of the detail table as percentiles and a histogram. Each percentile and each range of
//! the histogram is based on enough sessions.

use crowdfold_model::Distribution;
use serde::Serialize;

mod noisy;

pub(crate) use noisy::bin_of;

#[cfg(test)]
mod tests;

/// The minimum number of sessions in a range of a histogram, of sessions at or above a percentile, and of sessions at
/// or below it. The documentation calls this number b.
pub const MIN_IN_RANGE: u64 = 10;

/// The edges between the bins of histograms, in the unit of the values. All distributions use the same edges. There are
/// ten bins per decade, and the edges have two significant digits, like the values. Together with the two open bins
/// there are 32 bins.
pub const BINS: [u32; 31] = [
    100, 130, 160, 200, 250, 320, 400, 500, 630, 790, //
    1_000, 1_300, 1_600, 2_000, 2_500, 3_200, 4_000, 5_000, 6_300, 7_900, //
    10_000, 13_000, 16_000, 20_000, 25_000, 32_000, 40_000, 50_000, 63_000, 79_000, //
    100_000,
];

/// The number of bins, which includes the open bins at both ends.
pub(crate) const BIN_COUNT: usize = BINS.len() + 1;

/// A range of a histogram: its start, its end, and the number of sessions with a value in it. The start belongs to
/// the range and the end does not. The end is `None` if the range is open.
type Range = (u32, Option<u32>, u64);

/// The published summary of a distribution.
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
    /// Summarizes a distribution with exact numbers.
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

/// Returns the smallest value for which at least `percent` percent of the sessions are at or below it. Returns `None`
/// if fewer than [`MIN_IN_RANGE`] sessions are at or above that value, or at or below it.
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

/// Joins neighbouring bins, from the lowest, until each range contains at least `least` sessions. Bins that remain at
/// the end are added to the last range. Returns `None` if all bins together have fewer than `least` sessions.
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
