//! Reads field values in unusual notations, such as numbers in quotes. [`super::quick`] reads values in the usual
//! notation.

use super::envelope::add_nested;
use super::syntax::{self, Content, Raw};
use crate::fields::Field;
use crate::{Amount, Beacon, Number, Text, time, trimmed};

/// Reads the value of a field. Returns the position after the value. If the value is invalid, the field is absent, and
/// is recorded as ignored. If a field has several values, the last one counts, so this function removes the value that
/// was read before.
pub(super) fn read<'a>(field: Field, bytes: &'a [u8], at: usize, beacon: &mut Beacon<'a>) -> Option<usize> {
    let (raw, end) = syntax::raw(bytes, at)?;
    if set(field, raw, beacon).is_none() {
        beacon.refuse(field);
        if matches!(raw, Raw::Object | Raw::Array) {
            add_nested(beacon, at);
        }
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
            let index = field.index();
            let is_session = index == Text::Session.index();
            syntax::with_content(beginning(raw), |content| {
                match content {
                    Content::Decoded(_, true) | Content::Damaged(_) if is_session => return None,
                    Content::Plain(text) => beacon.set_borrowed(index, text),
                    Content::Decoded(text, _) => beacon.set_decoded(index, |decoded| decoded.push_str(text)),
                    Content::Damaged(parts) => {
                        beacon.set_decoded(index, |decoded| parts.replace(|part| decoded.push_str(part)));
                    }
                }
                Some(())
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
        Raw::Number(number) if field != Number::Ts => plain_amount(field, number),
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

/// Returns the amount of a number in the notation of JSON, except that of a time.
fn plain_amount(field: Number, number: &str) -> Option<Amount> {
    if let Some(value) = exact(number) {
        return Amount::fraction(field, value);
    }
    match number.parse() {
        Ok(whole) => Amount::whole(field, whole),
        Err(_) => Amount::fraction(field, number.parse().ok()?),
    }
}

/// The powers of ten that are exact as a floating-point number, for [`exact`].
const POWERS: [f64; 16] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/// Returns a number with at most 15 digits and a small exponent. Its digits and the power of ten are exact, so the
/// result is rounded once, like the result of `str::parse`. Returns `None` for other numbers.
pub(crate) fn exact(number: &str) -> Option<f64> {
    let digit = |byte: u8| byte.is_ascii_digit().then(|| byte - b'0');
    let (mut rest, mut value, mut count, mut scale) = (number.as_bytes(), 0_u64, 0, 0_i32);
    let mut step = 0;
    while let [byte, after @ ..] = rest {
        match digit(*byte) {
            Some(digit) if count < 15 => {
                (value, count, scale) = (value * 10 + u64::from(digit), count + 1, scale + step)
            }
            None if *byte == b'.' && step == 0 && count > 0 => step = -1,
            _ => break,
        }
        rest = after;
    }
    let exponent = match rest {
        [] => Some(0),
        [b'e' | b'E', one] | [b'e' | b'E', b'+', one] => digit(*one).map(i32::from),
        [b'e' | b'E', b'-', one] => digit(*one).map(|one| -i32::from(one)),
        [b'e' | b'E', ten, one] => {
            digit(*ten).zip(digit(*one)).map(|(ten, one)| i32::from(ten) * 10 + i32::from(one))
        }
        _ => None,
    };
    let scale = scale + exponent.filter(|_| count > 0)?;
    let power = POWERS.get(scale.unsigned_abs() as usize)?;
    Some(if scale < 0 { value as f64 / power } else { value as f64 * power })
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::exact;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn exact_number_equals_the_parsed_number(text in "[0-9]{1,17}(\\.[0-9]{0,9})?([eE][+-]?[0-9]{1,2})?") {
            if let Some(value) = exact(&text) {
                prop_assert_eq!(value.to_bits(), text.parse::<f64>().unwrap().to_bits(), "{}", text);
            }
            let digits = text.bytes().filter(u8::is_ascii_digit).count();
            prop_assert!(digits > 15 || text.contains(['e', 'E']) || exact(&text).is_some(), "{}", text);
        }

        #[test]
        fn other_text_is_not_an_exact_number(text in "[0-9]{0,3}[-+.eE ]{1,3}[0-9]{0,3}") {
            if exact(&text).is_some() {
                prop_assert!(text.parse::<f64>().is_ok(), "{}", text);
            }
        }
    }
}
