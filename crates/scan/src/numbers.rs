//! Finds long numbers and phone numbers.

use crate::groups::{Group, groups, is_bracket};

/// The minimum number of digits of a long number.
const LONG: usize = 9;
/// The minimum number of digits of a long number in groups that belong neither to a date nor to a time.
const UNDATED: usize = 6;
/// The minimum and the maximum number of digits of a phone number with a country code.
const PHONE: std::ops::RangeInclusive<usize> = 7..=17;

/// The minimum number of digits of a phone number after a label such as `tel`.
const LABELLED: usize = 6;

/// Returns true if a text contains at least nine consecutive digits.
pub(crate) fn digits(text: &str) -> bool {
    let mut run = 0;
    text.bytes().any(|byte| {
        run = if byte.is_ascii_digit() { run + 1 } else { 0 };
        run >= LONG
    })
}

/// Finds a number of at least nine digits in groups. The groups are separated by spaces, brackets or punctuation, and
/// at least six of the digits belong neither to a date nor to a time. Groups separated by dots are found only if they
/// have three digits each, because version numbers contain dots.
pub(crate) fn grouped(text: &str) -> Option<Shape> {
    let groups = groups(text, u8::is_ascii_digit);
    if groups.len() < 2 {
        return None;
    }
    let dots = groups.chunk_by(|_, next| next.gap == ".");
    if dots.into_iter().any(|row| is_in_thousands(text, row)) {
        return Some(Shape::Number);
    }
    let joins = |gap: &str| !gap.is_empty() && gap.len() <= 3 && gap.chars().all(is_joint);
    groups.chunk_by(|_, next| joins(next.gap)).find_map(|chain| {
        let total: usize = chain.iter().map(|group| group.text.len()).sum();
        if chain.len() < 2 || total < LONG || undated(chain) < UNDATED {
            return None;
        }
        let trunk = chain[0].text.starts_with('0') || chain[0].gap.ends_with(['+', '(']);
        Some(if trunk { Shape::Phone } else { Shape::Number })
    })
}

/// Returns true if a number with dots between the thousands may be an IP address: `3.405.803.853`, `134.744.072`.
fn is_in_thousands(text: &str, row: &[Group<'_>]) -> bool {
    let (Some(first), Some(last)) = (row.first(), row.last()) else { return false };
    let bytes = text.as_bytes();
    let alone = (first.start == 0 || !bytes[first.start - 1].is_ascii_alphanumeric())
        && bytes.get(last.end()).is_none_or(|byte| !byte.is_ascii_alphanumeric());
    let lengths = row.iter().map(|group| group.text.len());
    alone && (lengths.clone().eq([3, 3, 3]) || lengths.eq([1, 3, 3, 3]))
}

/// The form of a number in groups.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Shape {
    Number,
    /// The number begins with `0`, `+` or `(`, like a phone number.
    Phone,
}

fn is_joint(character: char) -> bool {
    " /:+-_,".contains(character) || is_bracket(character)
}

/// Returns the number of digits in a chain of groups, without the digits of dates and times.
fn undated(chain: &[Group<'_>]) -> usize {
    let (mut at, mut count, mut after_date) = (0, 0, false);
    while at < chain.len() {
        let rest = &chain[at..];
        let taken = match () {
            () if is_date(rest) => 3,
            () if is_compact_date(rest[0].text) || is_year(rest[0].text) => 1,
            () if is_time(rest, after_date) => 2 + usize::from(is_second(rest)),
            () if after_date && is_compact_time(rest[0].text) => 1,
            () => 0,
        };
        if taken == 0 {
            count += rest[0].text.len();
        }
        after_date = taken > 0;
        at += taken.max(1);
    }
    count
}

fn within(text: &str, longest: usize, range: std::ops::RangeInclusive<u32>) -> bool {
    text.len() <= longest && text.parse().is_ok_and(|number| range.contains(&number))
}

fn is_year(text: &str) -> bool {
    text.len() == 4 && within(text, 4, 1900..=2099)
}

/// Recognises dates with the same separator twice: `2026-11-21`, `21/11/2026` and `11/21/2026`.
fn is_date(chain: &[Group<'_>]) -> bool {
    let [first, second, third, ..] = chain else { return false };
    let month = |text: &str| within(text, 2, 1..=12);
    let day = |text: &str| within(text, 2, 1..=31);
    let year_first = is_year(first.text) && month(second.text) && day(third.text);
    let year_last = is_year(third.text)
        && (day(first.text) && month(second.text) || month(first.text) && day(second.text));
    second.gap.len() == 1 && second.gap == third.gap && (year_first || year_last)
}

fn is_compact_date(text: &str) -> bool {
    text.len() == 8 && is_year(&text[..4]) && within(&text[4..6], 2, 1..=12) && within(&text[6..], 2, 1..=31)
}

/// Recognises a time of day such as `20:45`. After a date, any separator is accepted.
fn is_time(chain: &[Group<'_>], after_date: bool) -> bool {
    let [hour, minute, ..] = chain else { return false };
    within(hour.text, 2, 0..=24)
        && minute.text.len() == 2
        && within(minute.text, 2, 0..=59)
        && (minute.gap == ":" || after_date && minute.gap.len() == 1)
}

fn is_second(chain: &[Group<'_>]) -> bool {
    let [_, minute, second, ..] = chain else { return false };
    second.gap == minute.gap && second.text.len() == 2 && within(second.text, 2, 0..=60)
}

fn is_compact_time(text: &str) -> bool {
    matches!(text.len(), 4 | 6)
        && within(&text[..2], 2, 0..=24)
        && within(&text[2..4], 2, 0..=59)
        && (text.len() == 4 || within(&text[4..], 2, 0..=60))
}

/// Finds a phone number: a plus sign with country code and number, `415.555.2671`, or digits after a label such as
/// `tel`.
pub(crate) fn phone(text: &str) -> bool {
    let bytes = text.as_bytes();
    let begins = |at: usize| at == 0 || !bytes[at - 1].is_ascii_alphanumeric();
    let international = text.match_indices('+').any(|(at, _)| {
        let rest = &text[at + 1..];
        let plain = |character: char| character.is_ascii_digit() || " .-/()".contains(character);
        let number = &rest[..rest.find(|character| !plain(character)).unwrap_or(rest.len())];
        let count = number.bytes().filter(u8::is_ascii_digit).count();
        begins(at)
            && rest.starts_with(|first: char| first.is_ascii_digit() || first == '(')
            && PHONE.contains(&count)
    });
    let numbers = groups(text, u8::is_ascii_digit);
    let american = || {
        numbers.iter().enumerate().any(|(at, first)| {
            let [second, third] = [at + 1, at + 2].map(|at| numbers.get(at));
            let (Some(second), Some(third)) = (second, third) else { return false };
            let area = |text: &str| text.len() == 3 && text.as_bytes()[0] >= b'2';
            let alone = !(first.start > 0 && bytes[first.start - 1] == b'.')
                && bytes.get(third.end()).is_none_or(|next| !next.is_ascii_alphanumeric() && *next != b'.');
            area(first.text)
                && area(second.text)
                && third.text.len() == 4
                && second.gap == "."
                && third.gap == "."
                && begins(first.start)
                && alone
        })
    };
    let labelled = || {
        let lower = text.to_ascii_lowercase();
        ["tel", "phone", "fax", "msisdn"].iter().any(|label| {
            lower.match_indices(label).any(|(at, _)| {
                let rest = &lower[at + label.len()..];
                let plain = |character: char| character.is_ascii_digit() || " .:=-+/()".contains(character);
                let number = &rest[..rest.find(|character| !plain(character)).unwrap_or(rest.len())];
                let marked = rest.starts_with([':', '=', '.', '+']) || *label == "tel";
                begins(at) && marked && number.bytes().filter(u8::is_ascii_digit).count() >= LABELLED
            })
        })
    };
    international || american() || labelled()
}
