//! Addresses of hosts and of hardware.

use std::net::Ipv6Addr;

use super::Care;
use super::words::uuid;

/// The shortest IPv6 address that is taken for one: `::1` and `a::b` are in many texts.
const SHORTEST: usize = 6;
/// The longest, with an IPv4 address at its end.
const LONGEST: usize = 45;

/// Four numbers up to 255 with the same sign between them: in decimal or octal, or in hexadecimal with `0x`. Also the 32
/// digits of an IPv6 address with dots, as names of the reverse DNS have them.
pub(super) fn quad(text: &str, care: Care) -> bool {
    let signs: &[&str] = if care == Care::Text { &[".", "-", "_"] } else { &["."] };
    let numbers = groups(text, |sign| sign.is_ascii_digit());
    let octal = |digits: &str| u32::from_str_radix(digits, 8).is_ok_and(|number| number <= 255);
    let decimal_or_octal = |digits: &str| match digits.len() {
        1..=3 => digits.parse::<u32>().is_ok_and(|number| number <= 255),
        4 => digits.starts_with('0') && octal(digits),
        _ => false,
    };
    let three_octal = |digits: &str| digits.len() == 3 && octal(digits);
    if chained(&numbers, 4, signs, decimal_or_octal) || chained(&numbers, 4, &["."], three_octal) {
        return true;
    }
    let words = groups(text, |sign| sign.is_ascii_alphanumeric());
    let with_prefix = |word: &str| {
        let digits = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")).unwrap_or_default();
        u32::from_str_radix(digits, 16).is_ok_and(|number| number <= 255)
    };
    let nibble = |word: &str| word.len() == 1 && is_hexadecimal(word);
    chained(&words, 4, &["."], with_prefix) || chained(&words, 32, &["."], nibble)
}

/// An IPv6 address in any of its text forms, wherever it stands between colons.
pub(super) fn v6(text: &str) -> bool {
    let runs = text.split(|sign: char| !(sign.is_ascii_hexdigit() || sign == ':' || sign == '.'));
    runs.filter(|run| run.len() >= SHORTEST && run.matches(':').count() >= 2).any(holds_v6)
}

fn holds_v6(run: &str) -> bool {
    let run = run.trim_matches('.');
    let colons = || run.match_indices(':').map(|(at, _)| at);
    let starts: Vec<usize> = std::iter::once(0).chain(colons().flat_map(|at| [at, at + 1])).collect();
    let ends: Vec<usize> = colons().flat_map(|at| [at, at + 1]).chain([run.len()]).collect();
    starts.iter().any(|start| {
        let reach = ends.iter().filter(|end| (start + SHORTEST..=start + LONGEST).contains(*end));
        reach
            .filter_map(|end| run.get(*start..*end))
            .any(|part| part.bytes().any(|byte| byte.is_ascii_digit()) && part.parse::<Ipv6Addr>().is_ok())
    })
}

/// An address as one number in hexadecimal with `0x`.
pub(super) fn prefixed(text: &str) -> bool {
    words(text).any(|word| {
        let digits = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")).unwrap_or_default();
        matches!(digits.len(), 8 | 32) && is_hexadecimal(digits)
    })
}

/// As many hexadecimal digits as an IPv4 or an IPv6 address has and no more, at least a letter and a digit among them,
/// all letters in one case; or four times one or two of them with dots.
pub(super) fn bare_hexadecimal(text: &str) -> bool {
    let mixed = |word: &str| {
        let has = |is: fn(&u8) -> bool| word.bytes().any(|byte| is(&byte));
        has(u8::is_ascii_digit) && has(u8::is_ascii_lowercase) != has(u8::is_ascii_uppercase)
    };
    // a UUID begins with eight of them
    let pieces = text.split(|sign: char| !(sign.is_ascii_alphanumeric() || sign == '-'));
    let mut words = pieces.filter(|piece| !uuid(piece)).flat_map(words);
    if words.any(|word| matches!(word.len(), 8 | 32) && is_hexadecimal(word) && mixed(word)) {
        return true;
    }
    let short = |word: &str| word.len() <= 2 && is_hexadecimal(word);
    let groups = groups(text, |sign| sign.is_ascii_alphanumeric());
    groups.windows(4).any(|four| {
        let digits = four.iter().filter(|(_, word)| word.bytes().any(|byte| byte.is_ascii_digit())).count();
        chained(four, 4, &["."], short)
            && digits >= 2
            && four.iter().any(|(_, word)| mixed(word) || word.bytes().all(|byte| byte.is_ascii_alphabetic()))
    })
}

/// Six pairs of hexadecimal digits with colons or dashes.
pub(super) fn mac(text: &str) -> bool {
    let words = groups(text, |sign| sign.is_ascii_alphanumeric());
    chained(&words, 6, &[":", "-"], |word| word.len() == 2 && is_hexadecimal(word))
}

fn is_hexadecimal(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|sign: char| !sign.is_ascii_alphanumeric())
}

/// The runs of signs that belong together, each with what stands before it.
fn groups(text: &str, belongs: fn(char) -> bool) -> Vec<(&str, &str)> {
    let mut groups = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(belongs) {
        let end = rest[start..].find(|sign| !belongs(sign)).map_or(rest.len(), |length| start + length);
        groups.push((&rest[..start], &rest[start..end]));
        rest = &rest[end..];
    }
    groups
}

/// Whether so many groups in a row are of a kind, with the same of these signs between each two.
fn chained(groups: &[(&str, &str)], count: usize, signs: &[&str], is: impl Fn(&str) -> bool) -> bool {
    groups.windows(count).any(|row| {
        let sign = row[1].0;
        signs.contains(&sign)
            && row[1..].iter().all(|(before, _)| *before == sign)
            && row.iter().all(|(_, group)| is(group))
    })
}
