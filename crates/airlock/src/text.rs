//! Applies the rules for dimension values to the text that producers send.

use std::borrow::Cow;

use crowdfold_beacon::is_nothing;
use crowdfold_model::{Dimension, TextRule};
use crowdfold_scan::{PublicIds, Scanner, is_dimension_value, is_place_name};

use crate::catalogue;
use crate::client::{Named, explicit};

/// The result of applying a rule to a text.
pub(crate) enum Word<'a> {
    /// The text represents an absent value.
    None,
    /// The value is not in the catalogue, or has an invalid form.
    Other,
    /// The value is not published, because it may identify a person or a device.
    Redacted,
    /// The value may be published.
    Is(Cow<'a, str>),
}

/// The maximum length of an error code in bytes.
const LONGEST_CODE: usize = 32;

/// The maximum number of bytes of a firmware version that are scanned for identifiers. Fewer bytes are kept than
/// scanned.
const SCANNED: usize = 512;

/// Applies a rule to a text that a producer sent.
pub(crate) fn word<'a>(rule: TextRule, raw: &'a str, scanner: &Scanner) -> Word<'a> {
    let raw = raw.trim();
    if is_nothing(raw) {
        return Word::None;
    }
    match rule {
        TextRule::Closed(words) => {
            catalogue::named(words, raw).map_or(Word::Other, |name| Word::Is(name.into()))
        }
        TextRule::Named(list) => match explicit(list, raw) {
            Named::Nothing => Word::None,
            Named::Unknown => Word::Other,
            Named::Is(name) => Word::Is(name.into()),
        },
        TextRule::Free => free(raw, scanner),
        TextRule::Region => place(raw, scanner),
        TextRule::Firmware if hides_address(raw, scanner) => Word::Redacted,
        TextRule::Firmware => free(components(raw, 3), scanner),
        TextRule::Code => code(raw, scanner),
        TextRule::Version { parts } => version(raw, parts.into()),
        TextRule::Country if raw.len() == 2 && raw.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
            Word::Is(raw.to_ascii_uppercase().into())
        }
        TextRule::Country => place(raw, scanner),
        TextRule::Asn => asn(raw),
    }
}

/// Returns true if a text may be a value of a closed list. This is the case if the rule for free text does not change
/// it.
#[must_use]
pub fn is_publishable(text: &str, scanner: &Scanner) -> bool {
    matches!(word(TextRule::Free, text, scanner), Word::Is(word) if word == text)
}

/// Returns true if a firmware version contains an identifier. The version is scanned before it is cut to three parts,
/// because an address without its last part would not be found. Four octets of which the last one is 0 count as a
/// version, because hardly any host has such an address.
fn hides_address(raw: &str, scanner: &Scanner) -> bool {
    let octet = |part: &str| !part.starts_with('+') && part.parse::<u8>().is_ok();
    let is_version =
        raw.strip_suffix(".0").is_some_and(|rest| rest.split('.').count() == 3 && rest.split('.').all(octet));
    !is_version && !scanner.is_clean(&raw[..raw.floor_char_boundary(SCANNED)])
}

/// Returns the first `count` parts of a text. Parts are separated by dots.
fn components(raw: &str, count: usize) -> &str {
    raw.match_indices('.').nth(count - 1).map_or(raw, |(end, _)| &raw[..end])
}

/// Returns the first `count` numbers of a version. Each number has at most five digits. The version may begin with `v`,
/// and its numbers may be separated by `_` instead of dots.
fn version(raw: &str, count: usize) -> Word<'_> {
    let raw = raw.strip_prefix(['v', 'V']).unwrap_or(raw);
    let mut text = String::new();
    let mut rest = raw;
    for index in 0..count {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        match digits {
            0 if index == 0 => return Word::Other,
            0 => break,
            1..=5 => {}
            _ => return Word::Other,
        }
        if index > 0 {
            text.push('.');
        }
        text.push_str(&rest[..digits]);
        let Some(after) = rest[digits..].strip_prefix(['.', '_']) else { break };
        rest = after;
    }
    Word::Is(text.into())
}

fn asn(raw: &str) -> Word<'_> {
    let digits = raw.get(..2).filter(|prefix| prefix.eq_ignore_ascii_case("as")).map_or(raw, |_| &raw[2..]);
    let number =
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse::<u32>().ok()).flatten();
    number
        .filter(|number| is_assigned(*number))
        .map_or(Word::Redacted, |number| Word::Is(format!("AS{number}").into()))
}

/// Returns true if a number may be the number of an autonomous system. Other numbers with nine or more digits are more
/// likely IP addresses. Numbers from 4,200,000,000 on are for private use (RFC 6996).
const fn is_assigned(number: u32) -> bool {
    number < 100_000_000 || matches!(number, 4_200_000_000..=4_294_967_294)
}

fn code<'a>(text: &'a str, scanner: &Scanner) -> Word<'a> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    match text {
        _ if text.eq_ignore_ascii_case(Dimension::ErrorCode.absent()) => Word::None,
        // These words identify no person. They mean that the player knows no code. `none` means that the session has
        // no error.
        _ if ["other", "unknown"].iter().any(|word| word.eq_ignore_ascii_case(text)) => Word::Other,
        _ if text.len() > LONGEST_CODE || !text.bytes().all(is_plain) => Word::Other,
        _ => free(text, scanner),
    }
}

fn free<'a>(text: &'a str, scanner: &Scanner) -> Word<'a> {
    let publishable = is_dimension_value(text) && !is_reserved(text) && scanner.is_clean(text);
    if publishable { Word::Is(text.into()) } else { Word::Redacted }
}

fn place<'a>(text: &'a str, scanner: &Scanner) -> Word<'a> {
    let publishable = is_place_name(text) && !is_reserved(text) && scanner.is_clean(text);
    if publishable { Word::Is(text.into()) } else { Word::Redacted }
}

/// Returns a content id that the operator declares public. Returns `None` if the pattern does not match the id,
/// or if the id contains an identifier that no public id may contain.
pub(crate) fn public<'a>(raw: &'a str, ids: &PublicIds, scanner: &Scanner) -> Option<Word<'a>> {
    let text = raw.trim();
    let publishable =
        !is_nothing(text) && ids.contain(text) && !is_reserved(text) && scanner.is_clean_public(text);
    publishable.then(|| Word::Is(text.into()))
}

/// Returns true if a text has a special meaning in rows.
fn is_reserved(text: &str) -> bool {
    ["other", "unknown", "redacted"].iter().any(|word| word.eq_ignore_ascii_case(text))
}

#[cfg(test)]
mod tests;
