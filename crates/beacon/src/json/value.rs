//! Reads field values in unusual notations, such as numbers in quotes. [`super::quick`] reads values in the usual
//! notation.

use super::envelope::add_nested;
use super::quick::Source;
use super::syntax::{self, Content, Parts, Raw};
use crate::fields::Field;
use crate::{Amount, Beacon, Number, Text, time, trimmed};

/// Reads the value of a field. Returns the position after the value. If the value is invalid, the field is absent, and
/// is recorded as ignored. If a field has several values, the last one counts, so this function removes the value that
/// was read before.
pub(super) fn read<'a>(
    field: Field,
    source: &Source<'a>,
    at: usize,
    beacon: &mut Beacon<'a>,
) -> Option<usize> {
    let bytes = source.bytes;
    if bytes.get(at) == Some(&b'"') {
        let first = syntax::run(bytes, at + 1)?;
        return read_string(field, source, at + 1, first, beacon).map(|end| end + 1);
    }
    let (raw, end) = syntax::raw(bytes, at)?;
    if set(field, raw, beacon).is_none() {
        beacon.refuse(field);
        if matches!(raw, Raw::Object | Raw::Array) {
            add_nested(beacon, at);
        }
    }
    Some(end)
}

/// Works like [`read`] for the string whose content begins at `at`. `first` is the position of its first quote, escape
/// or control character. Returns the position of the closing quote.
pub(super) fn read_string<'a>(
    field: Field,
    source: &Source<'a>,
    at: usize,
    first: usize,
    beacon: &mut Beacon<'a>,
) -> Option<usize> {
    let bytes = source.bytes;
    let (is_set, end) = if bytes[first] != b'"' {
        syntax::with_content(bytes, at, first, |content| set_decoded(field, content, beacon))?
    } else if let Some(text) = source.text(at..first) {
        (set_plain(field, text, beacon), first)
    } else {
        (set_unchecked(field, &bytes[at..first], beacon), first)
    };
    if is_set.is_none() {
        beacon.refuse(field);
    }
    Some(end)
}

/// Sets a field to a value that is not a string.
fn set<'a>(field: Field, raw: Raw<'a>, beacon: &mut Beacon<'a>) -> Option<()> {
    match (field, raw) {
        (Field::Text(field), Raw::Number(number)) => beacon.set_borrowed(field.index(), number),
        (Field::Number(Number::Ts), Raw::Number(number)) => set_number(Number::Ts, number, beacon)?,
        (Field::Number(field), Raw::Number(number)) => beacon.set_number(field, plain_amount(field, number)?),
        (Field::Fatal | Field::OptOut, Raw::Bool(flag)) => set_flag(field, flag, beacon),
        (Field::Fatal | Field::OptOut, Raw::Number(number)) => match number.parse() {
            Ok(0.0_f64) => set_flag(field, false, beacon),
            Ok(1.0) => set_flag(field, true, beacon),
            _ => return None,
        },
        _ => return None,
    }
    Some(())
}

/// Sets a field to the content of a string without escapes and control characters.
#[inline(always)]
fn set_plain<'a>(field: Field, text: &'a str, beacon: &mut Beacon<'a>) -> Option<()> {
    match field {
        Field::Text(field) => beacon.set_borrowed(field.index(), text),
        Field::Number(field) => set_number(field, text, beacon)?,
        Field::Fatal | Field::OptOut => set_flag(field, flag(text)?, beacon),
    }
    Some(())
}

/// Works like [`set_plain`] for content that may be invalid UTF-8.
fn set_unchecked<'a>(field: Field, content: &'a [u8], beacon: &mut Beacon<'a>) -> Option<()> {
    match syntax::checked(syntax::beginning(content)) {
        Ok(text) => set_plain(field, text, beacon),
        Err(parts) => set_damaged(field, parts, beacon),
    }
}

/// Works like [`set_plain`] for decoded content.
#[inline(always)]
fn set_decoded(field: Field, content: Content<'_>, beacon: &mut Beacon<'_>) -> Option<()> {
    match (content, field) {
        (Content::Text(_, true), Field::Text(Text::Session)) => return None,
        (Content::Text(text, _), Field::Text(field)) => {
            beacon.set_decoded(field.index(), |decoded| decoded.push_str(text));
        }
        (Content::Text(text, _), Field::Number(field)) => set_number(field, text, beacon)?,
        (Content::Text(text, _), Field::Fatal | Field::OptOut) => set_flag(field, flag(text)?, beacon),
        (Content::Damaged(parts), _) => set_damaged(field, parts, beacon)?,
    }
    Some(())
}

/// Sets a string field to text with replaced characters. No other field has such a value.
#[inline(never)]
fn set_damaged(field: Field, parts: Parts<'_>, beacon: &mut Beacon<'_>) -> Option<()> {
    match field {
        // The replacement may make different session ids equal.
        Field::Text(Text::Session) | Field::Number(_) | Field::Fatal | Field::OptOut => None,
        Field::Text(field) => {
            beacon.set_decoded(field.index(), |decoded| parts.replace(|part| decoded.push_str(part)));
            Some(())
        }
    }
}

/// Sets a number to the amount that a text represents.
#[inline(always)]
fn set_number(field: Number, text: &str, beacon: &mut Beacon<'_>) -> Option<()> {
    beacon.set_number(field, amount(field, trimmed(text))?);
    Some(())
}

/// Sets one of the two boolean fields.
fn set_flag(field: Field, flag: bool, beacon: &mut Beacon<'_>) {
    if field == Field::Fatal {
        beacon.fatal = flag;
    } else {
        // An opt-out remains set, even if the key occurs again with the value `false`.
        beacon.opt_out |= flag;
    }
    beacon.mark_present(field);
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

/// Returns the boolean that a word represents.
fn flag(text: &str) -> Option<bool> {
    let text = trimmed(text);
    let is = |words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
    if is(&["true", "1", "yes", "on", "y", "t"]) {
        Some(true)
    } else if is(&["false", "0", "no", "off", "n", "f", ""]) {
        Some(false)
    } else {
        None
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
