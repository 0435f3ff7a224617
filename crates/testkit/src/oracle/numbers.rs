//! Rounds with exact arithmetic.

/// Rounds a time to 100 ms, half up.
pub(super) fn to_100_ms(ms: u64) -> u64 {
    let ms = u128::from(ms);
    u64::try_from((ms + 50) / 100 * 100).unwrap_or(u64::MAX)
}

/// Rounds an integer to two significant digits, half up.
#[must_use]
pub fn two_digits(value: u64) -> u64 {
    two_digits_of(u128::from(value), 1)
}

/// Rounds the fraction `over / under` to an integer of two significant digits, half up, in one step. Below 100 this is
/// the nearest integer.
pub(super) fn two_digits_of(over: u128, under: u128) -> u64 {
    let mut unit = 1_u128;
    while over >= 100 * unit * under {
        unit *= 10;
    }
    let step = unit * under;
    u64::try_from((2 * over + step) / (2 * step) * unit).unwrap_or(u64::MAX)
}

/// Returns the smallest of the sorted values that is at least as large as `percent` % of them. Returns `None` unless at
/// least `b` values are at or below it, and at least `b` at or above it.
#[must_use]
pub fn percentile(sorted: &[u64], percent: u64, b: usize) -> Option<u64> {
    let wanted = (sorted.len() as u64 * percent).div_ceil(100);
    let value =
        *sorted.iter().find(|value| sorted.iter().filter(|other| other <= value).count() as u64 >= wanted)?;
    let below = sorted.iter().filter(|other| **other <= value).count();
    let above = sorted.iter().filter(|other| **other >= value).count();
    (below >= b && above >= b).then_some(value)
}
