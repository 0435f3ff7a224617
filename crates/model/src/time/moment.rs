//! The calendar: formatting of timestamps.
//!
//! Calendar libraries end at the year 9999, but a record can have any timestamp, so this module has its own arithmetic.

use std::fmt;

use super::Millis;

/// A time in ms since the epoch, formatted as `2036-01-01T00:00:00Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(
    /// Milliseconds since the epoch.
    pub Millis,
);

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, seconds) = (self.0 / 86_400_000, self.0 / 1_000 % 86_400);
        // Howard Hinnant, "chrono-compatible low-level date algorithms": civil_from_days, for days after 1970
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

#[cfg(test)]
mod tests {
    use super::Moment;

    #[test]
    fn timestamps_are_formatted_in_utc() {
        let known = [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400_000, "2000-02-29T00:00:00Z"),
            (951_868_800_000, "2000-03-01T00:00:00Z"),
            (2_082_758_400_999, "2036-01-01T00:00:00Z"),
            (4_107_542_399_000, "2100-02-28T23:59:59Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00Z"),
        ];
        for (millis, text) in known {
            assert_eq!(Moment(millis).to_string(), text);
        }
        // the largest timestamp of a record, and more: no arithmetic overflows
        assert_eq!(Moment(i64::MAX as u64).to_string(), "292278994-08-17T07:12:55Z");
        assert!(Moment(u64::MAX).to_string().starts_with("584556019-"));
    }
}
