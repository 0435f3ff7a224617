//! Decodes the contents of strings.

use std::borrow::Cow;
use std::str::{Utf8Chunk, Utf8Chunks};

/// Decodes the content of a string. The second result is true if lone surrogates, escapes without a character, or bytes
/// that are not UTF-8 were replaced.
pub(crate) fn text(raw: &[u8]) -> (Cow<'_, str>, bool) {
    if memchr::memchr(b'\\', raw).is_some() {
        let mut bytes = Vec::with_capacity(raw.len());
        let replaced = unescape(raw, &mut bytes);
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

/// The decoded content of a string.
pub(crate) enum Content<'d> {
    /// The text. The flag is true if parts were replaced, as in [`text`].
    Text(&'d str, bool),
    /// A string that is not valid UTF-8, split into valid and invalid parts. The caller must replace the invalid parts.
    Damaged(Parts<'d>),
}

/// The valid and invalid parts of a string that is not valid UTF-8.
pub(crate) struct Parts<'d> {
    first: Utf8Chunk<'d>,
    others: Utf8Chunks<'d>,
}

impl<'d> Parts<'d> {
    /// Passes all parts to `each`, with a replacement character for each invalid part.
    pub(crate) fn replace(self, mut each: impl FnMut(&'d str)) {
        for part in std::iter::once(self.first).chain(self.others) {
            if !part.valid().is_empty() {
                each(part.valid());
            }
            if !part.invalid().is_empty() {
                each(REPLACEMENT);
            }
        }
    }
}

/// Decodes the string whose content begins at `at`, and passes its content to `read`. `first` is the position of the
/// first escape or control character. Returns the result of `read` and the position of the closing quote. Returns `None`
/// if the string has no end. If the content is short, it is decoded in one pass and without allocating memory. Content
/// that is too long for any field is decoded only in part.
#[inline(always)]
pub(crate) fn with_content<T>(
    bytes: &[u8],
    at: usize,
    first: usize,
    read: impl FnOnce(Content<'_>) -> T,
) -> Option<(T, usize)> {
    let mut decoded = Short::default();
    decoded.add(&bytes[at..first]);
    if let Some((end, replaced)) = unescape_short(bytes, first, &mut decoded)
        && let Some(decoded) = decoded.get()
    {
        let content = match checked(decoded) {
            Ok(text) => Content::Text(text, replaced),
            Err(parts) => Content::Damaged(parts),
        };
        return Some((read(content), end));
    }
    let end = super::uneven_end(bytes, first).ok()?;
    let (text, replaced) = text(beginning(&bytes[at..end]));
    Some((read(Content::Text(&text, replaced)), end))
}

/// The maximum number of bytes that are decoded of a string. It is longer than the longest usable value of any field,
/// in any notation.
const DECODED: usize = 8 << 10;

/// Returns the beginning of a string that is too long for any field. The rest is not decoded, because its decoding
/// would take much time and memory, and the beginning is also too long.
pub(crate) fn beginning(raw: &[u8]) -> &[u8] {
    if raw.len() <= DECODED {
        return raw;
    }
    let is_start = |at: &usize| raw[*at] & 0xc0 != 0x80;
    &raw[..(DECODED - 3..=DECODED).rev().find(is_start).unwrap_or(DECODED)]
}

/// Returns the bytes as a string. If they are not UTF-8, returns their parts.
pub(crate) fn checked(bytes: &[u8]) -> Result<&str, Parts<'_>> {
    // The conversion of a few bytes takes as long as the search of the first part, which is used again.
    if bytes.len() > FEW
        && let Ok(text) = std::str::from_utf8(bytes)
    {
        return Ok(text);
    }
    let mut others = bytes.utf8_chunks();
    match others.next() {
        None => Ok(""),
        Some(all) if all.invalid().is_empty() => Ok(all.valid()),
        Some(first) => Err(Parts { first, others }),
    }
}

/// Passes the decoded bytes of a key to `read`. They are not checked, because a key that is not UTF-8 is unknown.
pub(crate) fn with_key<T>(raw: &[u8], read: impl FnOnce(&[u8]) -> T) -> T {
    if escape(raw).is_none() {
        return read(raw);
    }
    if raw.len() > LONGEST_ESCAPE * SHORT {
        return read(text(raw).0.as_bytes());
    }
    let mut unescaped = Short::default();
    unescape(raw, &mut unescaped);
    match unescaped.get() {
        Some(key) => read(key),
        None => read(text(raw).0.as_bytes()),
    }
}

/// Returns the position of the first backslash.
#[inline(always)]
fn escape(raw: &[u8]) -> Option<usize> {
    // the search of a short part by `memchr` would be slower than a plain loop
    if raw.len() <= 32 { raw.iter().position(|byte| *byte == b'\\') } else { memchr::memchr(b'\\', raw) }
}

const REPLACEMENT: &str = "\u{fffd}";

/// The number of bytes that are few in [`checked`].
const FEW: usize = 8;

/// The number of bytes of the longest escape that represents one byte.
const LONGEST_ESCAPE: usize = 6;

/// The maximum number of bytes that are decoded without allocating memory. It is longer than the names of all fields
/// and than the words for their values.
const SHORT: usize = 64;

/// A buffer for decoded bytes.
trait Buffer {
    fn push(&mut self, byte: u8);
    fn add(&mut self, bytes: &[u8]);
}

impl Buffer for Vec<u8> {
    fn push(&mut self, byte: u8) {
        self.push(byte);
    }

    fn add(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// A buffer for at most [`SHORT`] bytes.
#[derive(Default)]
struct Short {
    bytes: [[u8; 16]; SHORT / 16],
    /// The number of bytes. It exceeds the space if bytes did not fit.
    length: usize,
}

impl Short {
    /// Returns the bytes, or `None` if some did not fit.
    fn get(&self) -> Option<&[u8]> {
        self.bytes.as_flattened().get(..self.length)
    }
}

impl Buffer for Short {
    fn push(&mut self, byte: u8) {
        if let Some(next) = self.bytes.as_flattened_mut().get_mut(self.length) {
            *next = byte;
        }
        self.length += 1;
    }

    fn add(&mut self, bytes: &[u8]) {
        // most parts have a few bytes, for which a call of `memcpy` would be slower
        bytes.iter().for_each(|byte| self.push(*byte));
    }
}

/// Appends the content of a string to `buffer` and decodes its escapes. Returns true if a lone surrogate, or an escape
/// without a character, was replaced.
fn unescape(raw: &[u8], buffer: &mut impl Buffer) -> bool {
    let mut replaced = false;
    let mut at = 0;
    while let Some(byte) = raw.get(at) {
        if *byte == b'\\' {
            let (length, also) = decode(raw, at, buffer);
            (at, replaced) = (at + length, replaced | also);
        } else {
            buffer.push(*byte);
            at += 1;
        }
    }
    replaced
}

/// Works like [`unescape`] for the content from `at` up to the closing quote. Returns the position of the quote, and the
/// result of [`unescape`]. Returns `None` if the content is too long for the buffer, or has no valid end.
#[inline(always)]
fn unescape_short(bytes: &[u8], mut at: usize, buffer: &mut Short) -> Option<(usize, bool)> {
    let mut replaced = false;
    while buffer.length <= SHORT {
        match bytes.get(at)? {
            b'"' => return Some((at, replaced)),
            b'\\' if super::is_escape(bytes, at) => {
                let (length, also) = decode(bytes, at, buffer);
                (at, replaced) = (at + length, replaced | also);
            }
            b'\\' | b'\n' => return None,
            byte => {
                buffer.push(*byte);
                at += 1;
            }
        }
    }
    None
}

/// Decodes the escape at `at` and appends its character to `buffer`. Returns the length of the escape, and true if it
/// has no character and was replaced.
#[inline(always)]
fn decode(raw: &[u8], at: usize, buffer: &mut impl Buffer) -> (usize, bool) {
    match raw.get(at + 1).copied().unwrap_or(b'\\') {
        b'b' => buffer.push(8),
        b'f' => buffer.push(12),
        b'n' => buffer.push(b'\n'),
        b'r' => buffer.push(b'\r'),
        b't' => buffer.push(b'\t'),
        b'x' if let Some(byte) = raw.get(at + 2..at + 4).and_then(hexadecimal) => {
            buffer.push(byte as u8);
            return (4, false);
        }
        b'u' => return decode_unit(raw, at, buffer),
        other => buffer.push(other),
    }
    (2, false)
}

/// Works like [`decode`] for the escape of one UTF-16 code unit, or of a surrogate pair.
fn decode_unit(raw: &[u8], at: usize, buffer: &mut impl Buffer) -> (usize, bool) {
    match unit(raw, at + 2) {
        Some(first @ 0..0x80) => {
            buffer.push(first as u8);
            (6, false)
        }
        Some(first) => {
            let (character, taken) = match first {
                0xd800..0xdc00 if raw[at + 6..].starts_with(b"\\u") => {
                    character([Some(first), unit(raw, at + 8)])
                }
                _ => (char::from_u32(first.into()), 1),
            };
            let is_lone = character.is_none();
            let character = character.unwrap_or(char::REPLACEMENT_CHARACTER);
            buffer.add(character.encode_utf8(&mut [0; 4]).as_bytes());
            (6 * taken, is_lone)
        }
        None => {
            buffer.add(REPLACEMENT.as_bytes());
            (2, true)
        }
    }
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
