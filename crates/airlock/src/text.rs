//! What of a text may become a dimension value.

use std::borrow::Cow;

use crate::catalogue;

/// The word a raw text turns into.
pub(crate) enum Word<'a> {
    /// Nothing was said.
    None,
    /// Something outside the catalogue.
    Other,
    /// Something that is not let through.
    Redacted,
    /// This.
    Is(Cow<'a, str>),
}

/// The rules for raw texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// One of a closed catalogue, without regard to case.
    Closed(&'static [&'static str]),
    /// Free text.
    Free,
    /// Free text, to three components.
    Firmware,
    /// The major version.
    Major,
    /// The major and minor version.
    MajorMinor,
    /// A country: two letters, else free text.
    Country,
    /// An autonomous system, `AS64500`.
    Asn,
}

/// The longest free text, characters.
const LONGEST: usize = 64;

impl Rule {
    /// The word a raw text turns into.
    pub(crate) fn word(self, raw: &str) -> Word<'_> {
        let raw = raw.trim();
        if raw.is_empty() {
            return Word::None;
        }
        match self {
            Self::Closed(catalogue) => {
                catalogue::named(catalogue, raw).map_or(Word::Other, |name| Word::Is(name.into()))
            }
            Self::Free => free(raw.into()),
            Self::Firmware => free(components(raw, 3).into()),
            Self::Major => version(raw, 1),
            Self::MajorMinor => version(raw, 2),
            Self::Country if raw.len() == 2 && raw.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
                Word::Is(raw.to_ascii_uppercase().into())
            }
            Self::Country => free(raw.into()),
            Self::Asn => asn(raw),
        }
    }
}

/// The first `count` parts between dots.
fn components(raw: &str, count: usize) -> &str {
    raw.match_indices('.').nth(count - 1).map_or(raw, |(end, _)| &raw[..end])
}

/// The first `count` numbers of a version, of at most five digits each; `v` may stand before, `_` for a dot.
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
    number.map_or(Word::Redacted, |number| Word::Is(format!("AS{number}").into()))
}

fn free(text: Cow<'_, str>) -> Word<'_> {
    let reserved = ["other", "unknown", "redacted"].iter().any(|word| word.eq_ignore_ascii_case(&text));
    let plain = text.chars().all(|sign| sign.is_alphanumeric() || " ._-:/+()&".contains(sign));
    if reserved || !plain || text.chars().count() > LONGEST || identifies(&text) {
        return Word::Redacted;
    }
    Word::Is(text)
}

/// Whether a text holds an address (IPv4 with dots, dashes or underscores; IPv6; MAC) or nine digits in a row. An
/// e-mail has been refused by its sign before.
fn identifies(text: &str) -> bool {
    long_number(text) || quad(text) || groups(text)
}

fn long_number(text: &str) -> bool {
    let mut run = 0;
    text.chars().any(|sign| {
        run = if sign.is_numeric() { run + 1 } else { 0 };
        run >= 9
    })
}

/// Four numbers of one to three digits, up to 255, with the same sign between.
fn quad(text: &str) -> bool {
    let mut numbers = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(char::is_numeric) {
        let end = rest[start..].find(|sign: char| !sign.is_numeric()).map_or(rest.len(), |end| start + end);
        let digits = &rest[start..end];
        let small = digits.chars().count() <= 3 && digits.parse::<u16>().is_ok_and(|number| number <= 255);
        // Digits of other scripts are taken for what they may stand for.
        let foreign = digits.chars().count() <= 3 && !digits.is_ascii();
        numbers.push((rest[..start].to_owned(), small || foreign));
        rest = &rest[end..];
    }
    numbers.windows(4).any(|four| {
        let separator = four[1].0.as_str();
        matches!(separator, "." | "-" | "_")
            && four.iter().all(|(_, small)| *small)
            && four[1..].iter().all(|(before, _)| before == separator)
    })
}

/// Hexadecimal groups with colons, as in IPv6 and MAC addresses, or six pairs with dashes.
fn groups(text: &str) -> bool {
    let hexadecimal = |group: &str| group.len() <= 4 && group.bytes().all(|byte| byte.is_ascii_hexdigit());
    let mut runs = text.split(|sign: char| !(sign.is_ascii_hexdigit() || sign == ':'));
    let colons = runs.any(|run| {
        let count = run.split(':').count();
        (count >= 3 && run.contains("::") || count >= 6) && run.split(':').all(hexadecimal)
    });
    let mut runs = text.split(|sign: char| !(sign.is_ascii_hexdigit() || sign == '-'));
    let dashes = runs.any(|run| {
        let pairs: Vec<_> = run.split('-').map(|group| group.len() == 2).collect();
        pairs.windows(6).any(|six| six.iter().all(|pair| *pair))
    });
    colons || dashes
}

#[cfg(test)]
mod tests;
