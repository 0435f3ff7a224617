//! Parsing of durations and formatting of timestamps.

/// Parses `90s`, `1m`, `6h`, `7d`, `500ms` to milliseconds.
pub(crate) fn duration(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let number: u64 = text[..digits].parse().ok()?;
    let unit = match &text[digits..] {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.checked_mul(unit).filter(|ms| *ms > 0)
}

/// Formats ms since the epoch as `2026-11-22T18:04:00Z`, in the proleptic Gregorian calendar.
pub(crate) fn moment(ms: u64) -> String {
    let (days, seconds) = (ms / 86_400_000, ms / 1000 % 86_400);
    // Howard Hinnant, "chrono-compatible low-level date algorithms": civil_from_days, for days after 1970.
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::{duration, moment};

    #[test]
    fn durations_are_parsed_like_those_of_configurations() {
        let read = ["90s", "1m", "6h", "7d", "500ms"].map(duration);
        assert_eq!(read, [90_000, 60_000, 21_600_000, 604_800_000, 500].map(Some));
        for wrong in
            ["", "5", "m", "0m", "-1m", "1.5h", "1 h", "1w", "99999999999999999999s", "18446744073709551615d"]
        {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn timestamps_are_written_in_utc() {
        let known = [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399_999, "2000-02-28T23:59:59Z"),
            (951_782_400_000, "2000-02-29T00:00:00Z"),
            (951_868_800_000, "2000-03-01T00:00:00Z"),
            (1_795_308_480_000, "2026-11-22T00:48:00Z"),
            (4_107_542_399_000, "2100-02-28T23:59:59Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00Z"),
        ];
        for (ms, text) in known {
            assert_eq!(moment(ms), text);
        }
    }
}
