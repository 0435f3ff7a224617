//! Durations.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, Mul, Rem, Sub};
use std::time::Duration;

use super::duration::UNITS;

/// A duration, in milliseconds. It is formatted with at most two units of the configuration, such as `44m`, `1h 30m`,
/// `30d` or `250ms`.
///
/// The operators overflow in the same way as those of `u64`. In debug builds, an overflow panics.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, bincode::Encode, bincode::Decode,
)]
#[repr(transparent)]
pub struct Span(u64);

impl Span {
    /// The duration of zero.
    pub const ZERO: Self = Self(0);

    /// One second.
    pub const SECOND: Self = Self(1_000);

    /// One minute.
    pub const MINUTE: Self = Self(60_000);

    /// One hour.
    pub const HOUR: Self = Self(3_600_000);

    /// One day of 24 hours.
    pub const DAY: Self = Self(86_400_000);

    /// The maximum duration. If a limit has this value, there is no limit.
    pub const MAX: Self = Self(u64::MAX);

    /// Creates a duration from milliseconds.
    #[inline]
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Returns the duration in milliseconds.
    #[inline]
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Returns the duration in seconds, rounded down.
    #[inline]
    #[must_use]
    pub const fn as_secs(self) -> u64 {
        self.0 / 1_000
    }

    /// Returns the duration in seconds, with fractions.
    #[inline]
    #[must_use]
    pub const fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1_000.0
    }

    /// Returns true if the duration is zero.
    #[inline]
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Adds a duration. The result is at most [`Self::MAX`].
    #[inline]
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// Subtracts a duration. The result is at least [`Self::ZERO`].
    #[inline]
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// Subtracts a duration. Returns `None` if the other duration is longer.
    #[inline]
    #[must_use]
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(millis) => Some(Self(millis)),
            None => None,
        }
    }

    /// Multiplies the duration by a number. Unlike the operator `*`, it can be used in constants.
    #[inline]
    #[must_use]
    pub const fn times(self, factor: u64) -> Self {
        Self(self.0 * factor)
    }

    /// Returns true if this duration is a multiple of the other one.
    #[inline]
    #[must_use]
    pub const fn is_multiple_of(self, other: Self) -> bool {
        self.0.is_multiple_of(other.0)
    }
}

impl Add for Span {
    type Output = Self;

    #[inline]
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl AddAssign for Span {
    #[inline]
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl Sub for Span {
    type Output = Self;

    #[inline]
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl Mul<u64> for Span {
    type Output = Self;

    #[inline]
    fn mul(self, factor: u64) -> Self {
        self.times(factor)
    }
}

impl Div<u64> for Span {
    type Output = Self;

    #[inline]
    fn div(self, divisor: u64) -> Self {
        Self(self.0 / divisor)
    }
}

/// Divides two durations. Returns the quotient, rounded down.
impl Div for Span {
    type Output = u64;

    #[inline]
    fn div(self, other: Self) -> u64 {
        self.0 / other.0
    }
}

impl Rem for Span {
    type Output = Self;

    #[inline]
    fn rem(self, other: Self) -> Self {
        Self(self.0 % other.0)
    }
}

impl Sum for Span {
    fn sum<I: Iterator<Item = Self>>(spans: I) -> Self {
        spans.fold(Self::ZERO, Add::add)
    }
}

impl From<Duration> for Span {
    fn from(length: Duration) -> Self {
        Self(u64::try_from(length.as_millis()).unwrap_or(u64::MAX))
    }
}

impl From<Span> for Duration {
    fn from(length: Span) -> Self {
        Self::from_millis(length.0)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0s");
        }
        let mut rest = self.0;
        let mut shown = 0;
        for (name, unit) in UNITS {
            let count = rest / unit;
            rest %= unit;
            // Two units are precise enough.
            if count > 0 && shown < 2 {
                write!(f, "{}{count}{name}", if shown > 0 { " " } else { "" })?;
                shown += 1;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Span;

    #[test]
    fn span_is_formatted_with_at_most_two_units() {
        let shown = [0, 250, 1_000, 90_000, 2_640_000, 5_400_000, 2_592_000_000, 86_400_001];
        let shown = shown.map(|millis| Span::from_millis(millis).to_string());
        assert_eq!(shown, ["0s", "250ms", "1s", "1m 30s", "44m", "1h 30m", "30d", "1d 1ms"]);
    }
}
