//! Parses the notations of time that players and logs use.

use crate::json::value::exact;
use crate::trimmed;

/// Returns a time in milliseconds since the epoch, or `None` if the text is not a time. The text may be an RFC 3339
/// time, or a time in the format of web servers, such as `[26/Nov/2026:14:00:00 +0000]`. If it has no zone, it is in
/// UTC. The text may also be a number of seconds (with or without a fraction),
/// milliseconds, microseconds or nanoseconds since the epoch. The size of the number determines its unit, which is
/// unambiguous for the years 1973 to 5138.
pub(crate) fn read(text: &str) -> Option<u64> {
    let text = trimmed(text);
    // All notations begin with one of these characters. This test is fast and sufficient for most other texts.
    if !text.bytes().next().is_some_and(|first| first.is_ascii_digit() || b"[.+-".contains(&first)) {
        return None;
    }
    // No text has two of these notations, so the order affects only the speed.
    date(text).or_else(|| number(text)).or_else(|| of_web_server(text))
}

fn number(text: &str) -> Option<u64> {
    if text.bytes().any(|byte| byte.eq_ignore_ascii_case(&b'e')) {
        return power(text);
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 19 || !digits(whole) || !digits(fraction) {
        return None;
    }
    let whole: u64 = whole.parse().ok()?;
    Some(match whole {
        0..100_000_000_000 => whole * 1_000 + thousandths(fraction),
        100_000_000_000..100_000_000_000_000 => whole,
        100_000_000_000_000..100_000_000_000_000_000 => whole / 1_000,
        _ => whole / 1_000_000,
    })
}

/// Parses a number with an exponent, such as `1.795308528421E12`. Some languages write large numbers in this way.
fn power(text: &str) -> Option<u64> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte));
    if !is_number {
        return None;
    }
    let number = exact(text).or_else(|| text.parse().ok())?;
    let milliseconds = match number {
        0.0..1e11 => number * 1e3,
        1e11..1e14 => number,
        1e14..1e17 => number / 1e3,
        1e17..1e20 => number / 1e6,
        _ => return None,
    };
    Some(milliseconds as u64)
}

/// Returns the first three digits of a fraction of a second, which are milliseconds.
fn thousandths(fraction: &str) -> u64 {
    let digit = |at: usize| fraction.as_bytes().get(at).map_or(0, |byte| u64::from(byte - b'0'));
    digit(0) * 100 + digit(1) * 10 + digit(2)
}

/// Parses an RFC 3339 time such as `2026-11-26T14:00:00.123Z`. These variants are also accepted: a space instead of the
/// `T`, a comma before the fraction, and `+0100` or `+01` instead of `+01:00`.
fn date(text: &str) -> Option<u64> {
    let (date, clock) = text.split_at_checked(11)?;
    let date = date.as_bytes();
    if date[4] != b'-' || date[7] != b'-' || !matches!(date[10], b'T' | b't' | b' ') {
        return None;
    }
    moment(digits(&date[..4])?, digits(&date[5..7])?, digits(&date[8..10])?, clock)
}

/// Parses a time in the Common Log Format of web servers.
fn of_web_server(text: &str) -> Option<u64> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let text = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let (day, rest) = text.split_once('/')?;
    let (month, rest) = rest.split_once('/')?;
    let (year, clock) = rest.split_once(':')?;
    let month = MONTHS.iter().position(|name| name.eq_ignore_ascii_case(month))? as i64 + 1;
    if !(1..=2).contains(&day.len()) || year.len() != 4 {
        return None;
    }
    moment(digits(year.as_bytes())?, month, digits(day.as_bytes())?, clock)
}

/// Returns the number that ASCII digits represent.
fn digits(text: &[u8]) -> Option<i64> {
    text.iter().try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i64::from(byte - b'0')))
}

/// Returns the time of a date and a time of day, such as `14:00:00.123Z`.
fn moment(year: i64, month: i64, day: i64, clock: &str) -> Option<u64> {
    let (time, rest) = clock.split_at_checked(8)?;
    let time = time.as_bytes();
    if time[2] != b':' || time[5] != b':' {
        return None;
    }
    let (hour, minute, second) = (digits(&time[..2])?, digits(&time[3..5])?, digits(&time[6..])?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let longest = *days.get(usize::try_from(month - 1).ok()?)?;
    if !(1..=longest).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let (fraction, zone) = match rest.strip_prefix(['.', ',']) {
        Some(rest) => rest.split_at(rest.bytes().take_while(u8::is_ascii_digit).count()),
        None => ("", rest),
    };
    let past = day - 1 + days[..month as usize - 1].iter().sum::<i64>();
    let seconds =
        ((days_before(year) + past) * 24 + hour) * 3_600 + minute * 60 + second - offset(zone.trim())?;
    Some(u64::try_from(seconds).ok()? * 1_000 + thousandths(fraction))
}

/// Returns the number of days from 1970-01-01 to the first day of a year.
const fn days_before(year: i64) -> i64 {
    let before = year - 1;
    (year - 1970) * 365 + (before / 4 - before / 100 + before / 400) - (1969 / 4 - 1969 / 100 + 1969 / 400)
}

/// Returns the number of seconds by which a zone is ahead of UTC, or `None` if the zone is not recognised.
fn offset(zone: &str) -> Option<i64> {
    if matches!(zone, "" | "Z" | "z" | "UTC" | "GMT") {
        return Some(0);
    }
    let sign = match zone.as_bytes()[0] {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let [a, b, c, d] = match zone.as_bytes()[1..] {
        [a, b] => [a, b, b'0', b'0'],
        [a, b, c, d] | [a, b, b':', c, d] => [a, b, c, d],
        _ => return None,
    };
    let digit = |byte: u8| byte.is_ascii_digit().then(|| i64::from(byte - b'0'));
    let (hours, minutes) = (digit(a)? * 10 + digit(b)?, digit(c)? * 10 + digit(d)?);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3_600 + minutes * 60))
}

#[cfg(test)]
mod tests;
