//! Summarizes a distribution under `differential-privacy`, from bins whose counts have noise. Exact values are not
//! available here.

use super::{BIN_COUNT, BINS, DistributionSummary, MIN_IN_RANGE, histogram};
use crate::privacy::not_negative;

impl DistributionSummary {
    /// Summarizes bins whose counts have noise with the standard deviation `sigma`. Omits a percentile if too few
    /// sessions are above it or below it: fewer than two standard deviations of the noise of the total. Joins ranges
    /// until each has at least two standard deviations of the noise of a bin. Smaller numbers would consist mostly of
    /// noise.
    pub(crate) fn of_noisy(bins: &[i128; BIN_COUNT], sigma: f64, with_histogram: bool) -> Self {
        let bins = without_negatives(bins);
        let sessions = bins.iter().sum();
        let least = |deviations: f64| MIN_IN_RANGE.max((deviations * sigma).ceil() as u64);
        let beyond = least(2.0 * (BIN_COUNT as f64).sqrt());
        let at = |percent| percentile(&bins, sessions, percent, beyond);
        let values: Vec<_> = (0..BIN_COUNT).map(|bin| (from(bin), bins[bin])).collect();
        Self {
            sessions,
            sum: bins
                .iter()
                .enumerate()
                .fold(0, |sum: u64, (bin, n)| sum.saturating_add(n.saturating_mul(middle(bin)))),
            p50: at(50),
            p90: at(90),
            p95: at(95),
            p99: at(99),
            histogram: if with_histogram { histogram(&values, least(2.0)) } else { None },
        }
    }
}

/// Returns the index of the bin that contains a value.
pub(crate) fn bin_of(value: u32) -> usize {
    BINS.partition_point(|edge| *edge <= value)
}

/// Returns the lower edge of a bin.
fn from(bin: usize) -> u32 {
    bin.checked_sub(1).map_or(0, |before| BINS[before])
}

/// Returns the value that represents a bin: the middle of the bin. The last bin has no upper edge, so its lower edge
/// represents it.
fn middle(bin: usize) -> u64 {
    u64::from(u32::midpoint(from(bin), BINS.get(bin).copied().unwrap_or(from(bin))))
}

/// Adjusts the counts of bins so that none is negative and the total does not change. A negative count becomes 0, and
/// the counts of the following bins are reduced by its absolute value.
fn without_negatives(bins: &[i128; BIN_COUNT]) -> [u64; BIN_COUNT] {
    let total = not_negative(bins.iter().fold(0, |sum: i128, bin| sum.saturating_add(*bin)));
    let (mut running, mut risen) = (0_i128, 0);
    let mut without_negatives = [0; BIN_COUNT];
    for (at, bin) in bins.iter().enumerate() {
        running = running.saturating_add(*bin);
        let here = if at + 1 == BIN_COUNT { total } else { not_negative(running).clamp(risen, total) };
        without_negatives[at] = here - risen;
        risen = here;
    }
    without_negatives
}

/// Returns a percentile, rounded to two significant digits. Assumes that the values of a bin are evenly distributed.
/// Returns `None` if the percentile is in the last bin, which has no upper edge, or if fewer than `beyond` sessions are
/// above or below the percentile.
fn percentile(bins: &[u64; BIN_COUNT], sessions: u64, percent: u64, beyond: u64) -> Option<u32> {
    let share = |percent: u64| u128::from(sessions) * u128::from(percent) / 100;
    if share(percent).min(share(100 - percent)) < u128::from(beyond) {
        return None;
    }
    let wanted = (u128::from(sessions) * u128::from(percent)).div_ceil(100);
    let mut below = 0;
    for (bin, here) in bins.iter().enumerate().filter(|(_, here)| **here > 0) {
        let here = u128::from(*here);
        if below + here >= wanted {
            let width = u128::from(BINS.get(bin)? - from(bin));
            let into = u32::try_from(width * (wanted - below) / here).ok()?;
            return Some(two_digits(from(bin) + into));
        }
        below += here;
    }
    None
}

/// Rounds a value to two significant digits.
fn two_digits(value: u32) -> u32 {
    let mut unit = 1;
    while value / unit >= 100 {
        unit *= 10;
    }
    (value + unit / 2) / unit * unit
}

#[cfg(test)]
mod tests;
