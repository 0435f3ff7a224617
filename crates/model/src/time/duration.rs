//! Parses and formats durations that consist of a whole number and a unit.

use std::time::Duration;

use super::Span;

#[cfg(test)]
mod tests;

/// The units and their lengths in milliseconds. The longest unit is first.
pub(super) const UNITS: [(&str, u64); 5] =
    [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// The unit that is parsed, but not used in formatted durations. Days are easier to compare.
const WEEK: (&str, u64) = ("w", 7 * 86_400_000);

/// The units that [`parse_duration`] accepts, for error messages.
pub const DURATION_UNITS: &str = "ms, s, m, h, d, w";

/// Parses a whole number and a unit, such as `500ms`, `90s`, `1m`, `6h`, `30d` or `2w`. Returns `None` for any other
/// string.
#[must_use]
pub fn parse_duration(text: &str) -> Option<Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let (_, millis) = UNITS.into_iter().chain([WEEK]).find(|(name, _)| *name == unit)?;
    number.parse::<u64>().ok()?.checked_mul(millis).map(Duration::from_millis)
}

/// Formats a duration as one number in the longest unit that divides it, such as `90s` for 90 seconds.
#[must_use]
pub fn show_duration(duration: Duration) -> String {
    let millis = Span::from(duration).as_millis();
    let fits = |(_, unit): &(&str, u64)| millis != 0 && millis.is_multiple_of(*unit);
    let (name, unit) = UNITS.into_iter().find(fits).unwrap_or(("s", 1_000));
    format!("{}{name}", millis / unit)
}

/// Formats a duration with one number for each unit, such as `1d 1h 1m 1s` for 90,061 seconds.
#[must_use]
pub fn spell_duration(duration: Duration) -> String {
    let mut rest = Span::from(duration).as_millis();
    let mut parts = Vec::new();
    for (name, unit) in UNITS {
        if rest >= unit {
            parts.push(format!("{}{name}", rest / unit));
            rest %= unit;
        }
    }
    if parts.is_empty() { "0s".into() } else { parts.join(" ") }
}
