//! Finds JSON values and their ends (RFC 8259).
//!
//! These deviations from the RFC are accepted in strings, because programs that write logs without a library for JSON
//! produce them:
//!
//! - lone surrogates, and bytes that are not UTF-8. They are replaced when the string is decoded.
//! - control characters, except line feeds. A line feed in a string shows that its line is truncated.
//! - `\x` and two hexadecimal digits, as nginx writes bytes, and a backslash before a character that needs none.
//!
//! Everything else must conform to the RFC. Only the decoding of a string with escapes allocates memory.

mod decode;
mod nested;
mod valid;

use wide::u8x16;

pub(crate) use decode::{Content, Parts, beginning, checked, text, with_content, with_key};
use nested::skip_nested;
pub(crate) use valid::{skip_valid, skip_valid_scalar};

/// The position after a value. If there is a syntax error, the error is the position of it.
pub(crate) type Position = Result<usize, usize>;

/// A value. Its kind is known, but its content is not parsed.
#[derive(Clone, Copy)]
pub(crate) enum Raw<'a> {
    /// The bytes between the quotes of a string. Escapes are not decoded.
    Text(&'a [u8]),
    /// A number as it is written, without conversion.
    Number(&'a str),
    Bool(bool),
    Null,
    Object,
    Array,
}

/// Returns the value that begins at `at`, and the position after it. Returns `None` if no valid value begins there.
#[inline(always)]
pub(crate) fn raw(bytes: &[u8], at: usize) -> Option<(Raw<'_>, usize)> {
    if bytes.get(at) == Some(&b'"') {
        let end = string_end(bytes, at + 1).ok()?;
        return Some((Raw::Text(bytes.get(at + 1..end)?), end + 1));
    }
    let end = skip(bytes, at).ok()?;
    let raw = match bytes.get(at)? {
        b'{' => Raw::Object,
        b'[' => Raw::Array,
        b't' => Raw::Bool(true),
        b'f' => Raw::Bool(false),
        b'n' => Raw::Null,
        _ => Raw::Number(std::str::from_utf8(bytes.get(at..end)?).ok()?),
    };
    Some((raw, end))
}

/// Returns the position of the first byte that is not white space, from `at` on.
#[inline(never)]
pub(crate) fn blank(bytes: &[u8], mut at: usize) -> usize {
    while matches!(bytes.get(at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
        at += 1;
    }
    at
}

/// Works like [`blank`], and is faster if there is no white space.
#[inline(always)]
pub(crate) fn rare_blank(bytes: &[u8], at: usize) -> usize {
    match bytes.get(at) {
        Some(..=b' ') => blank(bytes, at),
        _ => at,
    }
}

/// Returns the position after the value that begins at `at`.
pub(crate) fn skip(bytes: &[u8], at: usize) -> Position {
    match bytes.get(at) {
        Some(b'{') if bytes.get(at + 1) == Some(&b'}') => Ok(at + 2),
        Some(b'[') if bytes.get(at + 1) == Some(&b']') => Ok(at + 2),
        Some(b'{' | b'[') => skip_nested(bytes, at),
        _ => skip_scalar(bytes, at),
    }
}

/// Returns the position after the string, number or literal that begins at `at`.
#[inline(always)]
pub(crate) fn skip_scalar(bytes: &[u8], at: usize) -> Position {
    let literal = |word: &[u8]| {
        let found = bytes.get(at..).is_some_and(|rest| rest.starts_with(word));
        if found { Ok(at + word.len()) } else { Err(at) }
    };
    match bytes.get(at) {
        Some(b'"') => string_end(bytes, at + 1).map(|end| end + 1),
        Some(b'0'..=b'9') => number_end(bytes, at),
        Some(b'-') => uneven_number_end(bytes, at),
        Some(b't') => literal(b"true"),
        Some(b'f') => literal(b"false"),
        Some(b'n') => literal(b"null"),
        _ => Err(at),
    }
}

/// Returns the position of the value for the key that begins at `at`.
#[inline(always)]
fn key(bytes: &[u8], at: usize) -> Position {
    if bytes.get(at) == Some(&b'"') { open_key(bytes, at + 1) } else { Err(at) }
}

/// Returns the position of the value for the key whose content begins at `at`.
#[inline(always)]
fn open_key(bytes: &[u8], at: usize) -> Position {
    let first = run(bytes, at).ok_or(bytes.len())?;
    let end = if bytes[first] == b'"' { first } else { uneven_end(bytes, first)? };
    // the usual notation, without white space
    if let Some([b':', b'!'..=u8::MAX]) = bytes.get(end + 1..end + 3) {
        return Ok(end + 2);
    }
    let colon = rare_blank(bytes, end + 1);
    if bytes.get(colon) == Some(&b':') { Ok(rare_blank(bytes, colon + 1)) } else { Err(colon) }
}

/// Returns the bytes of the key that begins at `at`, and the position of its value. Returns `None` if there is no key.
pub(crate) fn member(bytes: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let value = key(bytes, at).ok()?;
    let end = string_end(bytes, at + 1).ok()?;
    Some((bytes.get(at + 1..end)?, value))
}

/// Passes each member of the object that begins at `at` to `each`. `each` receives the bytes of the key and the
/// position of the value, and returns the position after the value. The function returns the position after the object.
/// It returns `None` if the object is invalid, or if `each` returns `None`.
pub(crate) fn members<'a>(
    bytes: &'a [u8],
    at: usize,
    each: &mut impl FnMut(&'a [u8], usize) -> Option<usize>,
) -> Option<usize> {
    if bytes.get(at) != Some(&b'{') {
        return None;
    }
    let mut at = blank(bytes, at + 1);
    if bytes.get(at) == Some(&b'}') {
        return Some(at + 1);
    }
    loop {
        if bytes.get(at) != Some(&b'"') {
            return None;
        }
        let end = string_end(bytes, at + 1).ok()?;
        let colon = blank(bytes, end + 1);
        if bytes.get(colon) != Some(&b':') {
            return None;
        }
        at = blank(bytes, each(&bytes[at + 1..end], blank(bytes, colon + 1))?);
        match bytes.get(at)? {
            b',' => at = blank(bytes, at + 1),
            b'}' => return Some(at + 1),
            _ => return None,
        }
    }
}

/// Passes the position of each element of the array that begins at `at` to `each`, which returns the position after the
/// element. The function returns the position after the array. It returns `None` if the array is invalid, or if `each`
/// returns `None`.
pub(crate) fn elements(
    bytes: &[u8],
    at: usize,
    each: &mut impl FnMut(usize) -> Option<usize>,
) -> Option<usize> {
    let mut at = blank(bytes, at + 1);
    if bytes.get(at) == Some(&b']') {
        return Some(at + 1);
    }
    loop {
        at = blank(bytes, each(at)?);
        match bytes.get(at)? {
            b',' => at = blank(bytes, at + 1),
            b']' => return Some(at + 1),
            _ => return None,
        }
    }
}

/// Returns the position of the closing quote of a string whose content begins at `at`.
pub(crate) fn string_end(bytes: &[u8], at: usize) -> Position {
    key_end(bytes, at).map(|(end, _)| end)
}

/// Returns the position of the closing quote of a string whose content begins at `at`. The second result is true if the
/// string contains no escape and no control character.
#[inline(always)]
pub(crate) fn key_end(bytes: &[u8], at: usize) -> Result<(usize, bool), usize> {
    let at = run(bytes, at).ok_or(bytes.len())?;
    if bytes[at] == b'"' { Ok((at, true)) } else { uneven_end(bytes, at).map(|end| (end, false)) }
}

/// Returns the position of the closing quote of a string that contains escapes or control characters. `at` is the
/// position of the first of them.
fn uneven_end(bytes: &[u8], mut at: usize) -> Position {
    while let Some(block) = bytes.get(at..).and_then(|rest| rest.first_chunk()) {
        let mut left = specials(block);
        let mut next = at + block.len();
        while left != 0 {
            let nth = left.trailing_zeros() as usize;
            match block[nth] {
                b'"' => return Ok(at + nth),
                b'\\' if is_escape(bytes, at + nth) => {
                    // The escaped byte may be the first one of the next block.
                    left &= !(0b11 << nth);
                    next += nth / (block.len() - 1);
                }
                b'\\' | b'\n' => return Err(at + nth),
                _ => left &= left - 1,
            }
        }
        at = next;
    }
    loop {
        match bytes.get(at).ok_or(bytes.len())? {
            b'"' => return Ok(at),
            b'\\' if is_escape(bytes, at) => at += 2,
            b'\\' | b'\n' => return Err(at),
            _ => at += 1,
        }
    }
}

/// Returns true if the backslash at `at` precedes a byte that it can escape.
#[inline(always)]
fn is_escape(bytes: &[u8], at: usize) -> bool {
    bytes.get(at + 1).is_some_and(|escaped| *escaped != b'\n')
}

/// Returns the position of the first quote, backslash or control character from `at` on, or `None` if there is none.
#[inline(always)]
pub(crate) fn run(bytes: &[u8], mut at: usize) -> Option<usize> {
    while let Some(block) = bytes.get(at..).and_then(|rest| rest.first_chunk()) {
        if let Some(found) = special(block) {
            return Some(at + found);
        }
        at += 16;
    }
    let rest = bytes.get(at..)?;
    rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | ..0x20)).map(|length| at + length)
}

/// Returns the index of the first quote, backslash or control character in a block, or `None` if there is none.
#[inline(always)]
fn special(block: &[u8; 16]) -> Option<usize> {
    let found = specials(block);
    (found != 0).then(|| found.trailing_zeros() as usize)
}

/// Returns the quotes, backslashes and control characters in a block, as one bit for each byte.
#[inline(always)]
fn specials(block: &[u8; 16]) -> u32 {
    let block = u8x16::new(*block);
    let is_quote = block.simd_eq(u8x16::splat(b'"'));
    let is_escape = block.simd_eq(u8x16::splat(b'\\'));
    let is_control = block.simd_eq(block.min(u8x16::splat(0x1f)));
    (is_quote | is_escape | is_control).to_bitmask()
}

/// Returns the position after the number that begins with the digit at `at`.
#[inline(always)]
fn number_end(bytes: &[u8], at: usize) -> Position {
    let mut end = at + 1;
    let next = loop {
        match bytes.get(end) {
            Some(b'0'..=b'9') => end += 1,
            next => break next.copied().unwrap_or_default(),
        }
    };
    let is_padded = end > at + 1 && bytes[at] == b'0';
    if !is_padded && !matches!(next, b'.' | b'e' | b'E') {
        return Ok(end);
    }
    uneven_number_end(bytes, at)
}

/// Returns the position after a number that may have a sign, a fraction or an exponent.
#[inline(never)]
fn uneven_number_end(bytes: &[u8], at: usize) -> Position {
    let digits = |from: usize| {
        let mut at = from;
        while matches!(bytes.get(at), Some(b'0'..=b'9')) {
            at += 1;
        }
        if at > from { Ok(at) } else { Err(from) }
    };
    let mut at = at + usize::from(bytes.get(at) == Some(&b'-'));
    at = if bytes.get(at) == Some(&b'0') { at + 1 } else { digits(at)? };
    if bytes.get(at) == Some(&b'.') {
        at = digits(at + 1)?;
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        at = digits(at + 1 + sign)?;
    }
    Ok(at)
}

#[cfg(test)]
mod tests;
