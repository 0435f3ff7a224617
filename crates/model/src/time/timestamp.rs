//! Points in time, and the calendar arithmetic for formatting them.
//!
//! Calendar libraries support only years up to 9999, but a record can have any timestamp. Therefore this module has its
//! own arithmetic.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use super::Span;

/// A point in time, in milliseconds since the Unix epoch. It is formatted in UTC, such as `2036-01-01T00:00:00Z`.
///
/// The operators overflow in the same way as those of `u64`. In debug builds, an overflow panics. Therefore use the
/// saturating functions for timestamps that a sender has set.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, bincode::Encode, bincode::Decode,
)]
#[repr(transparent)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The Unix epoch, 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);

    /// The largest possible timestamp.
    pub const MAX: Self = Self(u64::MAX);

    /// Creates a timestamp from milliseconds since the epoch.
    #[inline]
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Returns the milliseconds since the epoch.
    #[inline]
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Returns the duration since the epoch.
    #[inline]
    #[must_use]
    pub const fn since_epoch(self) -> Span {
        Span::from_millis(self.0)
    }

    /// Adds a duration. The result is at most [`Self::MAX`].
    #[inline]
    #[must_use]
    pub const fn saturating_add(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.as_millis()))
    }

    /// Subtracts a duration. The result is at least [`Self::EPOCH`].
    #[inline]
    #[must_use]
    pub const fn saturating_sub(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.as_millis()))
    }

    /// Subtracts a duration. Returns `None` if the result would be before the epoch.
    #[inline]
    #[must_use]
    pub const fn checked_sub(self, span: Span) -> Option<Self> {
        match self.0.checked_sub(span.as_millis()) {
            Some(millis) => Some(Self(millis)),
            None => None,
        }
    }

    /// Returns the duration since another timestamp. Returns zero if the other timestamp is later.
    #[inline]
    #[must_use]
    pub const fn saturating_since(self, earlier: Self) -> Span {
        Span::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// Returns the duration since another timestamp. Returns `None` if the other timestamp is later.
    #[inline]
    #[must_use]
    pub const fn checked_since(self, earlier: Self) -> Option<Span> {
        match self.0.checked_sub(earlier.0) {
            Some(millis) => Some(Span::from_millis(millis)),
            None => None,
        }
    }

    /// Returns the duration between two timestamps, in either order.
    #[inline]
    #[must_use]
    pub const fn abs_diff(self, other: Self) -> Span {
        Span::from_millis(self.0.abs_diff(other.0))
    }

    /// Rounds the timestamp down to a multiple of a duration, counted from the epoch.
    #[inline]
    #[must_use]
    pub const fn floor(self, length: Span) -> Self {
        Self(self.0 - self.0 % length.as_millis())
    }

    /// Rounds the timestamp up to a multiple of a duration, counted from the epoch. The result is at most
    /// [`Self::MAX`].
    #[inline]
    #[must_use]
    pub const fn ceil(self, length: Span) -> Self {
        Self(self.0.div_ceil(length.as_millis()).saturating_mul(length.as_millis()))
    }
}

impl Add<Span> for Timestamp {
    type Output = Self;

    #[inline]
    fn add(self, span: Span) -> Self {
        Self(self.0 + span.as_millis())
    }
}

impl AddAssign<Span> for Timestamp {
    #[inline]
    fn add_assign(&mut self, span: Span) {
        self.0 += span.as_millis();
    }
}

impl Sub<Span> for Timestamp {
    type Output = Self;

    #[inline]
    fn sub(self, span: Span) -> Self {
        Self(self.0 - span.as_millis())
    }
}

impl Sub for Timestamp {
    type Output = Span;

    #[inline]
    fn sub(self, earlier: Self) -> Span {
        Span::from_millis(self.0 - earlier.0)
    }
}

/// Converts a system time. A time before the epoch becomes [`Timestamp::EPOCH`].
impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        Self::EPOCH.saturating_add(time.duration_since(UNIX_EPOCH).unwrap_or_default().into())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, seconds) = (self.0 / 86_400_000, self.0 / 1_000 % 86_400);
        // This is the algorithm `civil_from_days` of Howard Hinnant ("chrono-compatible low-level date algorithms"),
        // for days since 1970.
        let shifted = days + 719_468;
        let (era, of_era) = (shifted / 146_097, shifted % 146_097);
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * of_year + 2) / 153;
        let day = of_year - (153 * from_march + 2) / 5 + 1;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        let year = year_of_era + era * 400 + u64::from(month <= 2);
        let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

/// The error for a text that is not a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidTime;

impl fmt::Display for InvalidTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a time; write it like 2036-01-01T00:00:00Z")
    }
}

impl std::error::Error for InvalidTime {}

/// Parses a time in the format in which it is displayed, such as `2036-01-01T00:00:00Z`. Years have four digits.
impl FromStr for Timestamp {
    type Err = InvalidTime;

    fn from_str(text: &str) -> Result<Self, InvalidTime> {
        let pattern = b"dddd-dd-ddTdd:dd:ddZ";
        let fits = |(byte, expected): (u8, &u8)| match expected {
            b'd' => byte.is_ascii_digit(),
            expected => byte == *expected,
        };
        if text.len() != pattern.len() || !text.bytes().zip(pattern).all(fits) {
            return Err(InvalidTime);
        }
        let number = |from: usize, to: usize| text[from..to].parse::<u64>().map_err(|_| InvalidTime);
        let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
        let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
        if year < 1970 || month == 0 || month > 12 || day == 0 {
            return Err(InvalidTime);
        }
        // This is the algorithm `days_from_civil` of Howard Hinnant ("chrono-compatible low-level date algorithms").
        let year = if month <= 2 { year - 1 } else { year };
        let from_march = if month > 2 { month - 3 } else { month + 9 };
        let of_year = (153 * from_march + 2) / 5 + day - 1;
        let of_era = year % 400 * 365 + year % 400 / 4 - year % 400 / 100 + of_year;
        let days = year / 400 * 146_097 + of_era - 719_468;
        let time = Self(((days * 24 + hour) * 60 + minute) * 60_000 + second * 1_000);
        // If the input contains a date or hour that does not exist, formatting the result gives another text.
        if time.to_string() == text { Ok(time) } else { Err(InvalidTime) }
    }
}

#[cfg(test)]
mod tests {
    use super::{InvalidTime, Timestamp};
    use crate::Span;

    #[test]
    fn formatted_time_is_parsed_and_other_texts_are_refused() {
        for millis in [0, 951_782_400_000, 951_868_800_000, 4_107_542_399_000, 4_107_542_400_000] {
            let time = Timestamp::from_millis(millis);
            assert_eq!(time.to_string().parse(), Ok(time));
        }
        for text in [
            "",
            "2036-01-01",
            "2036-02-30T00:00:00Z",
            "2036-01-01T24:00:00Z",
            "1969-12-31T23:59:59Z",
            "1970-00-01T00:00:00Z",
            "2036-01-01T00:60:00Z",
            "2036-01-01T00:00:00+",
            "２036-01-01T00:00Z",
        ] {
            assert_eq!(text.parse::<Timestamp>(), Err(InvalidTime), "{text}");
        }
    }

    #[test]
    fn timestamp_is_formatted_in_utc() {
        let known = [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400_000, "2000-02-29T00:00:00Z"),
            (951_868_800_000, "2000-03-01T00:00:00Z"),
            (2_082_758_400_999, "2036-01-01T00:00:00Z"),
            (4_107_542_399_000, "2100-02-28T23:59:59Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00Z"),
        ];
        for (millis, text) in known {
            assert_eq!(Timestamp::from_millis(millis).to_string(), text);
        }
        // Large timestamps do not overflow the arithmetic, neither the largest timestamp of a record nor larger ones.
        assert_eq!(Timestamp::from_millis(i64::MAX as u64).to_string(), "292278994-08-17T07:12:55Z");
        assert!(Timestamp::MAX.to_string().starts_with("584556019-"));
    }

    #[test]
    fn timestamp_is_rounded_to_multiples_since_the_epoch() {
        let aligned = |millis, length| {
            let (time, length) = (Timestamp::from_millis(millis), Span::from_millis(length));
            (time.floor(length).as_millis(), time.ceil(length).as_millis())
        };
        assert_eq!(aligned(0, 60_000), (0, 0));
        assert_eq!(aligned(59_999, 60_000), (0, 60_000));
        assert_eq!(aligned(60_000, 60_000), (60_000, 60_000));
        assert_eq!(aligned(u64::MAX, 60_000), (u64::MAX - u64::MAX % 60_000, u64::MAX));
    }

    #[test]
    fn difference_from_a_later_timestamp_is_zero_or_none() {
        let (early, late) = (Timestamp::from_millis(1_000), Timestamp::from_millis(4_000));
        let between = Span::from_millis(3_000);
        assert_eq!((late - early, late.abs_diff(early), early.abs_diff(late)), (between, between, between));
        assert_eq!((late.saturating_since(early), early.saturating_since(late)), (between, Span::ZERO));
        assert_eq!((late.checked_since(early), early.checked_since(late)), (Some(between), None));
        assert_eq!((early + between, late - between), (late, early));
        assert_eq!(early.saturating_sub(Span::MINUTE), Timestamp::EPOCH);
        assert_eq!(Timestamp::MAX.saturating_add(Span::MINUTE), Timestamp::MAX);
    }
}
