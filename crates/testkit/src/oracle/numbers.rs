//! Rounds numbers, with exact arithmetic.

/// Rounds a time in milliseconds to 100 ms. Halves are rounded up.
pub(super) fn to_100_ms(ms: u64) -> u64 {
    let ms = u128::from(ms);
    u64::try_from((ms + 50) / 100 * 100).unwrap_or(u64::MAX)
}

/// Rounds an integer to two significant digits. Halves are rounded up.
#[must_use]
pub fn two_digits(value: u64) -> u64 {
    two_digits_of(u128::from(value), 1)
}

/// Rounds the fraction `over / under` to two significant digits. Below 100, rounds it to the nearest integer. Halves
/// are rounded up. The fraction is not rounded to an integer first.
pub(super) fn two_digits_of(over: u128, under: u128) -> u64 {
    let mut unit = 1_u128;
    while over >= 100 * unit * under {
        unit *= 10;
    }
    let step = unit * under;
    u64::try_from((2 * over + step) / (2 * step) * unit).unwrap_or(u64::MAX)
}

/// Returns a percentile: the smallest of the sorted values for which at least `percent` % of the values are not
/// greater. Returns `None` if fewer than `b` values are at or below the percentile, or fewer than `b` values are at or
/// above it.
#[must_use]
pub fn percentile(sorted: &[u64], percent: u64, b: usize) -> Option<u64> {
    let wanted = (sorted.len() as u64 * percent).div_ceil(100);
    let value =
        *sorted.iter().find(|value| sorted.iter().filter(|other| other <= value).count() as u64 >= wanted)?;
    let below = sorted.iter().filter(|other| **other <= value).count();
    let above = sorted.iter().filter(|other| **other >= value).count();
    (below >= b && above >= b).then_some(value)
}

/// Returns the value of the dimension `quality`. It depends on the height of the video, or on the bitrate if the height
/// is unknown. Returns `None` if both are unknown.
pub(super) fn quality(height: Option<u64>, bitrate_kbps: Option<u64>) -> Option<&'static str> {
    Some(match (height, bitrate_kbps) {
        (Some(0..=240), _) => "240p",
        (Some(241..=360), _) => "360p",
        (Some(361..=480), _) => "480p",
        (Some(481..=576), _) => "576p",
        (Some(577..=720), _) => "720p",
        (Some(721..=1080), _) => "1080p",
        (Some(1081..=1440), _) => "1440p",
        (Some(_), _) => "2160p",
        (None, Some(0..400)) => "240p",
        (None, Some(400..800)) => "360p",
        (None, Some(800..1600)) => "480p",
        (None, Some(1600..3500)) => "720p",
        (None, Some(3500..7000)) => "1080p",
        (None, Some(7000..14000)) => "1440p",
        (None, Some(_)) => "2160p",
        (None, None) => return None,
    })
}
