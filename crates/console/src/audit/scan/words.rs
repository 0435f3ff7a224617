//! E-mail addresses, long numbers, UUIDs, user agents.

use super::Care;

/// The shortest e-mail address that is believed of something decoded.
const SHORTEST_DECODED: usize = 10;

/// Something, `@`, and a host with a dot in its name and letters at its end.
pub(super) fn email(text: &str, care: Care) -> bool {
    let name = |sign: char| sign.is_alphanumeric() || "._%+-'".contains(sign);
    let host = |sign: char| sign.is_alphanumeric() || ".-".contains(sign);
    text.match_indices('@').any(|(at, _)| {
        let before = &text[..at];
        let local = &before[before.rfind(|sign| !name(sign)).map_or(0, |end| end + width(before, end))..];
        let after = &text[at + 1..];
        let domain =
            after[..after.find(|sign| !host(sign)).unwrap_or(after.len())].trim_end_matches(['.', '-']);
        let Some((labels, last)) = domain.rsplit_once('.') else { return false };
        let long = care == Care::Text || local.len() + domain.len() + 1 >= SHORTEST_DECODED;
        long && !local.is_empty()
            && !labels.is_empty()
            && last.chars().count() >= 2
            && last.chars().all(char::is_alphabetic)
    })
}

fn width(text: &str, at: usize) -> usize {
    text[at..].chars().next().map_or(0, char::len_utf8)
}

/// Nine digits in a row.
pub(super) fn digits(text: &str) -> bool {
    let mut run = 0;
    text.bytes().any(|byte| {
        run = if byte.is_ascii_digit() { run + 1 } else { 0 };
        run >= 9
    })
}

/// 8-4-4-4-12 hexadecimal digits.
pub(super) fn uuid(text: &str) -> bool {
    let runs = text.split(|sign: char| !(sign.is_ascii_hexdigit() || sign == '-'));
    runs.filter(|run| run.len() >= 36).any(|run| {
        let lengths: Vec<usize> = run.split('-').map(str::len).collect();
        lengths.windows(5).any(|five| matches!(five, [first, 4, 4, 4, last] if *first >= 8 && *last >= 12))
    })
}

/// `Mozilla/5`; two products with versions; or one with a comment that has parts.
pub(super) fn user_agent(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let after = lower.split("mozilla/").nth(1);
    if after.is_some_and(|rest| rest.starts_with(|sign: char| sign.is_ascii_digit())) {
        return true;
    }
    let products = text.split_ascii_whitespace().filter(|word| is_product(word)).count();
    let comment = || {
        let (before, rest) = text.split_once(" (")?;
        let inside = rest.split_once(')').map_or(rest, |(inside, _)| inside);
        Some(before.split_ascii_whitespace().any(is_product) && inside.contains(';'))
    };
    products >= 2 || comment().unwrap_or(false)
}

/// `Chrome/120.0`, `AppleCoreMedia/1.0.0.20G75`.
fn is_product(word: &str) -> bool {
    let Some((name, version)) = word.split_once('/') else { return false };
    name.len() >= 2
        && name.starts_with(|sign: char| sign.is_ascii_alphabetic())
        && name.chars().all(|sign| sign.is_ascii_alphanumeric() || "-_.".contains(sign))
        && version.starts_with(|sign: char| sign.is_ascii_digit())
        && version.chars().all(|sign| sign.is_ascii_alphanumeric() || "-_.+".contains(sign))
        && version.contains('.')
}
