//! Finds IP addresses and hardware addresses.

use std::net::Ipv6Addr;

use crate::Care;
use crate::groups::{Group, chained, chained_by, groups, is_hexadecimal, is_mixed, separator, words};
use crate::words::uuid;

/// The minimum length in bytes of an IPv6 address that is recognised inside other text. A shorter address must be a
/// separate word ([`short_v6`]), because for example `d::` is also a part of `std::list`.
const SHORTEST: usize = 6;
/// The maximum length in bytes of an IPv6 address. The longest form ends with an IPv4 address.
const LONGEST: usize = 45;

/// Finds an IPv4 address: four numbers up to 255 with the same separator between them, in decimal, in octal, or in
/// hexadecimal with `0x`. Also finds an IPv6 address whose 32 hexadecimal digits are separated by dots, as in reverse
/// DNS names.
pub(crate) fn quad(text: &str, care: Care) -> bool {
    let numbers = groups(text, u8::is_ascii_digit);
    if numbers.len() < 2 {
        return false;
    }
    let octal = |digits: &str| u32::from_str_radix(digits, 8).is_ok_and(|number| number <= 255);
    let decimal_or_octal = |digits: &str| match digits.len() {
        1..=3 => is_octet(digits),
        4 => digits.starts_with('0') && octal(digits),
        _ => false,
    };
    let three_octal = |digits: &str| digits.len() == 3 && octal(digits);
    let found = match care {
        Care::Text => chained(&numbers, 4, decimal_or_octal) || with_different_separators(&numbers),
        Care::Decoded => chained_by(&numbers, 4, &["."], decimal_or_octal),
        Care::Backwards => return backwards(&numbers),
    };
    if found || chained_by(&numbers, 4, &["."], three_octal) {
        return true;
    }
    let words = words(text);
    let prefixed = |word: &str| {
        let digits = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")).unwrap_or_default();
        u32::from_str_radix(digits, 16).is_ok_and(|number| number <= 255)
    };
    let nibble = |word: &str| word.len() == 1 && is_hexadecimal(word);
    chained(&words, 4, prefixed) || chained_by(&words, 32, &["."], nibble)
}

fn is_octet(digits: &str) -> bool {
    digits.len() <= 3 && digits.parse::<u32>().is_ok_and(|number| number <= 255)
}

/// Finds an IPv4 address in a reversed text: four octets with dots and without leading zeros. Two of them must have
/// three digits, because a reversed version number may look like an address: `12.5.3.671` becomes `176.3.5.21`.
fn backwards(numbers: &[Group<'_>]) -> bool {
    let octet = |digits: &str| is_octet(digits) && (digits.len() == 1 || !digits.starts_with('0'));
    numbers.windows(4).any(|four| {
        let large = four.iter().filter(|group| group.text.len() == 3).count();
        large >= 2 && chained_by(four, 4, &["."], octet)
    })
}

/// Finds four octets with different separators. Two of them must have three digits, because version numbers also have
/// different separators (`1.2.3-4`, `5.15.0-104`).
fn with_different_separators(numbers: &[Group<'_>]) -> bool {
    numbers.windows(4).any(|four| {
        let octets = four.iter().all(|group| is_octet(group.text));
        let large = four.iter().filter(|group| group.text.len() == 3).count();
        octets && large >= 2 && four[1..].iter().all(|group| separator(group.gap).is_some())
    })
}

/// Finds an IPv6 address in any of its text forms, also with a separator other than a colon.
pub(crate) fn v6(text: &str, care: Care) -> bool {
    let runs = text.split(|c: char| !(c.is_ascii_hexdigit() || c == ':' || c == '.'));
    let colons = |run: &&str| run.len() >= SHORTEST && run.bytes().filter(|byte| *byte == b':').count() >= 2;
    if runs.filter(colons).any(|run| holds_v6(run, is_believable)) || care == Care::Text && short_v6(text) {
        return true;
    }
    let often = |c: char| text.bytes().filter(|byte| char::from(*byte) == c).count() >= 3;
    let dividers = ['-', '_', ' ', '/', '+', '.'];
    care == Care::Text && dividers.into_iter().any(|divider| often(divider) && v6_with(text, divider))
}

/// Finds a short IPv6 address that contains a digit and is a separate word, such as `8::1`, `1::` or `::1`. A label
/// with a colon may precede it (`ip:8::1`). Names with `::` between their parts are not found, because they contain
/// no digit (`a::b`) or are parts of longer words (`std::list`, `v2::run`, `list::1`).
fn short_v6(text: &str) -> bool {
    let is_inside = |byte: &u8| byte.is_ascii_hexdigit() || *byte == b':';
    let is_word = |character: char| character.is_alphanumeric() || character == '_';
    text.match_indices("::").any(|(at, _)| {
        let (before, after) = (&text.as_bytes()[..at], &text.as_bytes()[at..]);
        let start = at - before.iter().rev().take_while(|byte| is_inside(byte)).count();
        let end = at + after.iter().take_while(|byte| is_inside(byte)).count();
        let mut following = text[end..].chars();
        let continues = match following.next() {
            Some('.') => following.next().is_some_and(is_word),
            next => next.is_some_and(is_word),
        };
        let label = text[start..end].strip_prefix(':').filter(|rest| !rest.starts_with(':'));
        let begins = label.is_some() || !text[..start].ends_with(is_word);
        let address = label.unwrap_or(&text[start..end]);
        begins
            && !continues
            && address.len() < SHORTEST
            && address.bytes().any(|byte| byte.is_ascii_digit())
            && address.parse::<Ipv6Addr>().is_ok()
    })
}

/// Returns true if a part of a text is probably not a word, because it contains a digit or at least eight letters.
fn is_believable(part: &str) -> bool {
    let letters = part.bytes().filter(u8::is_ascii_alphabetic).count();
    part.bytes().any(|byte| byte.is_ascii_digit()) || letters >= 8
}

/// Finds an IPv6 address whose groups are separated by `divider`, or by a colon with spaces around it.
fn v6_with(text: &str, divider: char) -> bool {
    let runs = text.split(|other: char| !(other.is_ascii_hexdigit() || other == divider || other == ':'));
    let spaced = |run: &str| run.contains(':').then(|| run.replace(divider, ""));
    let joined = |run: &str| run.replace(divider, ":");
    let believable = |part: &str| {
        let groups = || part.split(':').filter(|group| !group.is_empty());
        groups().count() >= 4
            && groups().any(|group| group.len() >= 3)
            && part.bytes().any(|byte| byte.is_ascii_digit())
            && part.bytes().any(|byte| byte.is_ascii_alphabetic())
    };
    runs.filter(|run| run.len() >= SHORTEST && run.matches(divider).count() >= 3).any(|run| {
        holds_v6(&joined(run), believable)
            || divider == ' ' && spaced(run).is_some_and(|run| holds_v6(&run, believable))
    })
}

/// Returns true if a part of a run is an IPv6 address that `is_believable` accepts. Other text with colons or dots may
/// precede or follow the address (`edge.2001:db8::1`), so the parts between all colons and dots are tried.
fn holds_v6(run: &str, is_believable: impl Fn(&str) -> bool) -> bool {
    let separators = run.match_indices([':', '.']).flat_map(|(at, _)| [at, at + 1]);
    let bounds: Vec<usize> = std::iter::once(0).chain(separators).chain([run.len()]).collect();
    bounds.iter().enumerate().any(|(nth, start)| {
        let ends = bounds[nth..].iter().take_while(|end| **end <= start + LONGEST);
        ends.filter(|end| **end >= start + SHORTEST)
            .filter_map(|end| run.get(*start..*end))
            .any(|part| is_believable(part) && part.parse::<Ipv6Addr>().is_ok())
    })
}

/// Finds an IP address that is written as one hexadecimal number with `0x`.
pub(crate) fn prefixed(text: &str) -> bool {
    words(text).iter().any(|word| {
        let digits = word.text.strip_prefix("0x").or_else(|| word.text.strip_prefix("0X"));
        digits.is_some_and(|digits| matches!(digits.len(), 8 | 32) && is_hexadecimal(digits))
    })
}

/// Finds an IP address in hexadecimal without `0x`: 8 or 32 digits, or four groups of one or two digits with the same
/// separator.
pub(crate) fn bare_hexadecimal(text: &str) -> bool {
    outside_uuids(text, |word| matches!(word.len(), 8 | 32)) || hexadecimal_quad(&words(text))
}

/// Returns true if `is` accepts a word that consists of hexadecimal digits, contains digits and letters, and is not a
/// part of a UUID.
fn outside_uuids(text: &str, is: impl Fn(&str) -> bool) -> bool {
    let pieces = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
    let found = |word: &Group<'_>| is(word.text) && is_hexadecimal(word.text) && is_mixed(word.text);
    let mut pieces = pieces.filter(|piece| piece.len() >= 8 && !uuid(piece));
    pieces.any(|piece| words(piece).iter().any(found))
}

fn hexadecimal_quad(words: &[Group<'_>]) -> bool {
    let alphabetic = |word: &str| word.bytes().all(|byte| byte.is_ascii_alphabetic());
    words.windows(4).any(|four| {
        let texts = || four.iter().map(|word| word.text);
        let digits = texts().filter(|word| word.bytes().any(|byte| byte.is_ascii_digit())).count();
        let is_hex = digits >= 2
            && texts().all(|word| word.len() <= 2 && is_hexadecimal(word))
            && texts().any(|word| is_mixed(word) || alphabetic(word));
        let pairs = || texts().all(|word| word.len() == 2);
        let letters = || texts().filter(|word| !word.bytes().all(|byte| byte.is_ascii_digit()));
        // Four pairs that begin with the same letter, such as `E1 E2 E3 E4`, are a numbering.
        let counts = || {
            letters().count() == 4
                && letters().all(|word| word.as_bytes()[0].is_ascii_alphabetic())
                && letters().all(|word| word.as_bytes()[0] == four[0].text.as_bytes()[0])
        };
        is_hex
            && (chained_by(four, 4, &["."], |_| true) || pairs() && !counts() && chained(four, 4, |_| true))
    })
}

/// Finds a hardware address: twelve hexadecimal digits as six pairs with a separator, as three groups of four with
/// dots or colons, or without separators.
pub(crate) fn mac(text: &str, care: Care) -> bool {
    let words = words(text);
    let pair = |word: &str| word.len() == 2 && is_hexadecimal(word);
    if chained_by(&words, 6, &[":", "-"], pair) {
        return true;
    }
    if care != Care::Text {
        return false;
    }
    let has_digits =
        |row: &[Group<'_>]| row.iter().any(|word| word.text.bytes().any(|byte| byte.is_ascii_digit()));
    let all = |row: &[Group<'_>]| row.iter().map(|word| word.text).collect::<String>();
    words.windows(6).any(|six| has_digits(six) && chained(six, 6, pair))
        || words.windows(3).any(|three| {
            let four = |word: &str| word.len() == 4 && is_hexadecimal(word);
            chained_by(three, 3, &[".", ":"], four) && is_mixed(&all(three))
        })
        || outside_uuids(text, |word| word.len() == 12)
}
