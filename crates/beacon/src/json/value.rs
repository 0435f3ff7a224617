//! Reads field values in unusual notations, such as numbers in quotes. [`super::quick`] reads values in the usual
//! notation.

use super::syntax::{self, Raw};
use crate::fields::Field;
use crate::{Amount, Beacon, Number, Text, time, trimmed};

/// Reads the value of a field. Returns the position after the value. If the value is invalid, the field is absent, and
/// is recorded as ignored. If a field has several values, the last one counts, so this function removes the value that
/// was read before.
#[cold]
pub(super) fn read<'a>(field: Field, bytes: &'a [u8], at: usize, beacon: &mut Beacon<'a>) -> Option<usize> {
    let (raw, end) = syntax::raw(bytes, at)?;
    if set(field, raw, beacon).is_none() {
        beacon.ignore(field);
        beacon.remove(field);
        beacon.nested |= matches!(raw, Raw::Object | Raw::Array);
    }
    Some(end)
}

fn set<'a>(field: Field, raw: Raw<'a>, beacon: &mut Beacon<'a>) -> Option<()> {
    match field {
        Field::Text(field) => set_text(field, raw, beacon)?,
        Field::Number(field) => beacon.set_number(field, number(field, raw)?),
        Field::Fatal => beacon.fatal = flag(raw)?,
        // An opt-out remains set, even if the key occurs again with the value `false`.
        Field::OptOut => beacon.opt_out |= flag(raw)?,
    }
    beacon.mark_present(field);
    Some(())
}

/// Sets a field to a string, or to the text of a number. Returns `None` for a session id with replaced characters,
/// because the replacement may make different ids equal.
fn set_text<'a>(field: Text, raw: Raw<'a>, beacon: &mut Beacon<'a>) -> Option<()> {
    match raw {
        Raw::Text(raw) => {
            let raw = beginning(raw);
            if let Some(text) = syntax::plain_text(raw) {
                beacon.set_borrowed(field.index(), text);
                return Some(());
            }
            syntax::with_text(raw, |text, replaced| {
                (!replaced || field != Text::Session).then(|| beacon.set_decoded(field, text))
            })
        }
        Raw::Number(number) => {
            beacon.set_borrowed(field.index(), number);
            Some(())
        }
        _ => None,
    }
}

/// The maximum number of bytes that are decoded of a string. It is longer than the longest usable value of any field,
/// in any notation.
const DECODED: usize = 8 << 10;

/// Returns the beginning of a string that is too long for any field. The rest is not decoded, because its decoding
/// would take much time and memory, and the beginning is also too long.
fn beginning(raw: &[u8]) -> &[u8] {
    if raw.len() <= DECODED {
        return raw;
    }
    let is_start = |at: &usize| raw[*at] & 0xc0 != 0x80;
    &raw[..(DECODED - 3..=DECODED).rev().find(is_start).unwrap_or(DECODED)]
}

fn number(field: Number, raw: Raw<'_>) -> Option<Amount> {
    match raw {
        Raw::Number(number) => amount(field, number),
        Raw::Text(raw) => syntax::with_text(raw, |text, _| amount(field, trimmed(text))),
        _ => None,
    }
}

/// Returns the amount of a number in the notation of JSON or in a similar notation, such as `+5` or `007`. A time may
/// have any notation that [`time::read`] accepts.
pub(crate) fn amount(field: Number, number: &str) -> Option<Amount> {
    if field == Number::Ts {
        return Amount::whole(field, time::read(number)?);
    }
    if let Ok(whole) = number.parse() {
        return Amount::whole(field, whole);
    }
    let is_number = number.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte));
    if is_number { Amount::fraction(field, number.parse().ok()?) } else { None }
}

/// Returns a boolean. It may be written as a JSON boolean, as 0 or 1, or as a string such as `"yes"`.
fn flag(raw: Raw<'_>) -> Option<bool> {
    match raw {
        Raw::Bool(flag) => Some(flag),
        Raw::Number(number) => match number.parse() {
            Ok(0.0_f64) => Some(false),
            Ok(1.0) => Some(true),
            _ => None,
        },
        Raw::Text(raw) => syntax::with_text(raw, |text, _| {
            let text = trimmed(text);
            let is = |words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
            if is(&["true", "1", "yes", "on", "y", "t"]) {
                Some(true)
            } else if is(&["false", "0", "no", "off", "n", "f", ""]) {
                Some(false)
            } else {
                None
            }
        }),
        _ => None,
    }
}
