//! The summary of a distribution within a row: percentiles and histogram, each from enough sessions.

use crowdfold_model::Distribution;
use serde::Serialize;

mod noisy;

pub(crate) use noisy::bin_of;

#[cfg(test)]
mod tests;

/// b: the least number of sessions at or above and at or below a percentile, and in a range of a histogram.
pub const LEAST_IN_RANGE: u64 = 10;

/// Where the bins of histograms meet: ten to a decade, rounded to two digits, as the values themselves are. With the
/// open ends that makes 32 bins. The same for startup (ms) and for rates (kbit/s).
pub const BINS: [u32; 31] = [
    100, 130, 160, 200, 250, 320, 400, 500, 630, 790, //
    1_000, 1_300, 1_600, 2_000, 2_500, 3_200, 4_000, 5_000, 6_300, 7_900, //
    10_000, 13_000, 16_000, 20_000, 25_000, 32_000, 40_000, 50_000, 63_000, 79_000, //
    100_000,
];

/// Bins between the edges and beyond them.
pub(crate) const BIN_COUNT: usize = BINS.len() + 1;

/// `[from, to, sessions]`: from ≤ value < to, `null` for an open end.
type Range = (u32, Option<u32>, u64);

/// What is published of a distribution.
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
            histogram: if with_histogram { histogram(values.values(), LEAST_IN_RANGE) } else { None },
        }
    }
}

/// The smallest value with at least ⌈percent·n⌉ sessions at or below it, if at least b sessions lie at or above it and
/// at or below it.
fn percentile(values: &[(u32, u64)], sessions: u64, percent: u128) -> Option<u32> {
    let wanted = (u128::from(sessions) * percent).div_ceil(100);
    let mut below = 0;
    for (value, here) in values {
        let at_or_below = below + here;
        if u128::from(at_or_below) >= wanted {
            let at_or_above = sessions - below;
            return (at_or_below >= LEAST_IN_RANGE && at_or_above >= LEAST_IN_RANGE).then_some(*value);
        }
        below = at_or_below;
    }
    None
}

/// Bins joined from the left until each range holds at least so many sessions; what remains at the right joins the last
/// range. `None` where all together are fewer: then no range may be shown, not even the open one.
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
