//! Decodes the contents of strings.

use std::borrow::Cow;

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

/// Returns the content of a string as it is, or `None` if it must be decoded.
pub(crate) fn plain_text(raw: &[u8]) -> Option<&str> {
    if escape(raw).is_some() { None } else { std::str::from_utf8(raw).ok() }
}

/// Decodes the content of a string like [`text`], and passes both results to `read`. If the content is short, no memory
/// is allocated.
pub(crate) fn with_text<T>(raw: &[u8], read: impl FnOnce(&str, bool) -> T) -> T {
    if raw.len() > LONGEST_ESCAPE * SHORT {
        let (text, replaced) = text(raw);
        return read(&text, replaced);
    }
    let mut unescaped = Short::default();
    let (mut bytes, mut replaced) = (raw, false);
    if escape(raw).is_some() {
        replaced = unescape(raw, &mut unescaped);
        let Some(short) = unescaped.get() else {
            let (text, replaced) = text(raw);
            return read(&text, replaced);
        };
        bytes = short;
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return read(text, replaced);
    }
    let mut sound = Short::default();
    for chunk in bytes.utf8_chunks() {
        sound.add(chunk.valid().as_bytes());
        if !chunk.invalid().is_empty() {
            sound.add(REPLACEMENT);
        }
    }
    match sound.get().and_then(|bytes| std::str::from_utf8(bytes).ok()) {
        Some(text) => read(text, true),
        None => read(&String::from_utf8_lossy(bytes), true),
    }
}

/// Passes the decoded bytes of a key to `read`. They are not checked, because a key that is not UTF-8 is unknown.
pub(crate) fn with_key<T>(raw: &[u8], read: impl FnOnce(&[u8]) -> T) -> T {
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

const REPLACEMENT: &[u8] = "\u{fffd}".as_bytes();

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
    let mut rest = raw;
    while let Some(at) = escape(rest) {
        buffer.add(&rest[..at]);
        let escape = rest.get(at + 1).copied().unwrap_or(b'\\');
        let mut length = 2;
        match escape {
            b'b' => buffer.push(8),
            b'f' => buffer.push(12),
            b'n' => buffer.push(b'\n'),
            b'r' => buffer.push(b'\r'),
            b't' => buffer.push(b'\t'),
            b'x' if let Some(byte) = rest.get(at + 2..at + 4).and_then(hexadecimal) => {
                length = 4;
                buffer.push(byte as u8);
            }
            b'u' if unit(rest, at + 2).is_none() => {
                replaced = true;
                buffer.add(REPLACEMENT);
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
                buffer.add(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
            other => buffer.push(other),
        }
        rest = rest.get(at + length..).unwrap_or_default();
    }
    buffer.add(rest);
    replaced
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
