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

mod nested;

use std::borrow::Cow;

use wide::u8x16;

use nested::skip_nested;

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
pub(crate) fn raw(bytes: &[u8], at: usize) -> Option<(Raw<'_>, usize)> {
    let end = skip(bytes, at).ok()?;
    let raw = match bytes.get(at)? {
        b'"' => Raw::Text(bytes.get(at + 1..end - 1)?),
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
pub(crate) fn blank(bytes: &[u8], mut at: usize) -> usize {
    while matches!(bytes.get(at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
        at += 1;
    }
    at
}

/// Returns the position after the value that begins at `at`.
pub(crate) fn skip(bytes: &[u8], at: usize) -> Position {
    match bytes.get(at) {
        Some(b'{' | b'[') => skip_nested(bytes, at),
        _ => skip_scalar(bytes, at),
    }
}

fn skip_scalar(bytes: &[u8], at: usize) -> Position {
    let literal = |word: &[u8]| {
        let found = bytes.get(at..).is_some_and(|rest| rest.starts_with(word));
        if found { Ok(at + word.len()) } else { Err(at) }
    };
    match bytes.get(at) {
        Some(b'"') => string_end(bytes, at + 1).map(|end| end + 1),
        Some(b'-' | b'0'..=b'9') => number_end(bytes, at),
        Some(b't') => literal(b"true"),
        Some(b'f') => literal(b"false"),
        Some(b'n') => literal(b"null"),
        _ => Err(at),
    }
}

/// Returns the position of the value for the key that begins at `at`.
fn key(bytes: &[u8], at: usize) -> Position {
    if bytes.get(at) != Some(&b'"') {
        return Err(at);
    }
    let colon = blank(bytes, string_end(bytes, at + 1)? + 1);
    if bytes.get(colon) == Some(&b':') { Ok(blank(bytes, colon + 1)) } else { Err(colon) }
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

/// Returns the position of the closing quote of a string whose content begins at `at`. Returns `None` if the string
/// contains an escape or a control character.
#[inline(always)]
pub(crate) fn plain(bytes: &[u8], at: usize) -> Option<usize> {
    run(bytes, at).filter(|end| bytes[*end] == b'"')
}

/// Returns the position of the closing quote of a string whose content begins at `at`.
pub(crate) fn string_end(bytes: &[u8], at: usize) -> Position {
    let at = run(bytes, at).ok_or(bytes.len())?;
    if bytes[at] == b'"' { Ok(at) } else { uneven_end(bytes, at) }
}

/// Returns the position of the closing quote of a string that contains escapes or control characters. `at` is the
/// position of the first of them.
fn uneven_end(bytes: &[u8], mut at: usize) -> Position {
    let mut even = 0;
    loop {
        // a vectorised search of each short part between two escapes would be slower than a plain loop
        if even == 16 {
            at = run(bytes, at).ok_or(bytes.len())?;
            even = 0;
        }
        match bytes.get(at).ok_or(bytes.len())? {
            b'"' => return Ok(at),
            b'\\' if bytes.get(at + 1).is_some_and(|escaped| *escaped != b'\n') => (at, even) = (at + 2, 0),
            b'\\' | b'\n' => return Err(at),
            0..0x20 => (at, even) = (at + 1, 0),
            _ => (at, even) = (at + 1, even + 1),
        }
    }
}

/// Returns the UTF-16 code unit that four hexadecimal digits represent.
fn unit(bytes: &[u8], at: usize) -> Option<u16> {
    hexadecimal(bytes.get(at..at + 4)?)
}

/// Returns the number that up to four hexadecimal digits represent.
fn hexadecimal(digits: &[u8]) -> Option<u16> {
    let value = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    };
    digits.iter().try_fold(0, |number, byte| Some(number << 4 | u16::from(value(*byte)?)))
}

/// Returns the position of the first quote, backslash or control character from `at` on, or `None` if there is none.
#[inline(always)]
fn run(bytes: &[u8], mut at: usize) -> Option<usize> {
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
    let block = u8x16::new(*block);
    let is_quote = block.simd_eq(u8x16::splat(b'"'));
    let is_escape = block.simd_eq(u8x16::splat(b'\\'));
    let is_control = block.simd_eq(block.min(u8x16::splat(0x1f)));
    let found = (is_quote | is_escape | is_control).to_bitmask();
    (found != 0).then(|| found.trailing_zeros() as usize)
}

fn number_end(bytes: &[u8], at: usize) -> Position {
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

/// Decodes the content of a string. The second result is true if lone surrogates, escapes without a character, or bytes
/// that are not UTF-8 were replaced.
pub(crate) fn text(raw: &[u8]) -> (Cow<'_, str>, bool) {
    if memchr::memchr(b'\\', raw).is_some() {
        let (bytes, replaced) = unescaped(raw);
        return match String::from_utf8(bytes) {
            Ok(text) => (Cow::Owned(text), replaced),
            Err(error) => (Cow::Owned(String::from_utf8_lossy(error.as_bytes()).into_owned()), true),
        };
    }
    match std::str::from_utf8(raw) {
        Ok(text) => (Cow::Borrowed(text), false),
        Err(_) => (String::from_utf8_lossy(raw), true),
    }
}

/// Decodes the escapes of a string. The second result is true if a lone surrogate, or an escape without a character, was
/// replaced.
fn unescaped(raw: &[u8]) -> (Vec<u8>, bool) {
    let (mut bytes, mut replaced) = (Vec::with_capacity(raw.len()), false);
    let mut rest = raw;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        bytes.extend_from_slice(&rest[..at]);
        let escape = rest.get(at + 1).copied().unwrap_or(b'\\');
        let mut length = 2;
        match escape {
            b'b' => bytes.push(8),
            b'f' => bytes.push(12),
            b'n' => bytes.push(b'\n'),
            b'r' => bytes.push(b'\r'),
            b't' => bytes.push(b'\t'),
            b'x' if let Some(byte) = rest.get(at + 2..at + 4).and_then(hexadecimal) => {
                length = 4;
                bytes.push(byte as u8);
            }
            b'u' if unit(rest, at + 2).is_none() => {
                replaced = true;
                bytes.extend_from_slice("\u{fffd}".as_bytes());
            }
            b'u' => {
                let first = unit(rest, at + 2).unwrap_or_default();
                let (character, taken) = match first {
                    0xd800..0xdc00 if rest[at + 6..].starts_with(b"\\u") => {
                        character([Some(first), unit(rest, at + 8)])
                    }
                    _ => (char::from_u32(first.into()), 1),
                };
                length = 6 * taken;
                replaced |= character.is_none();
                let character = character.unwrap_or(char::REPLACEMENT_CHARACTER);
                bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
            other => bytes.push(other),
        }
        rest = rest.get(at + length..).unwrap_or_default();
    }
    bytes.extend_from_slice(rest);
    (bytes, replaced)
}

/// Returns the character that one code unit or a surrogate pair represents, and the number of code units of the
/// character. For a lone surrogate, returns `None` and one code unit.
fn character([first, second]: [Option<u16>; 2]) -> (Option<char>, usize) {
    let pair = first.into_iter().chain(second);
    match char::decode_utf16(pair).next() {
        Some(Ok(character)) => (Some(character), character.len_utf16()),
        _ => (None, 1),
    }
}

#[cfg(test)]
mod tests;
