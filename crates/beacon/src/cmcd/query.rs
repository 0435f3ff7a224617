//! Reads CMCD in the query of a request.

use super::dictionary::members;
use crate::{Beacon, Fields, Malformed, Mode};

/// The maximum number of times that a query may have been encoded.
const ENCODED: usize = 3;

/// Returns the encoded value of the query parameter `CMCD`. If the parameter occurs several times, the last one that is
/// not empty counts.
/// Players append their own parameter to a URL from a manifest, which may already contain an old one.
///
/// A path may precede the query. Ampersands may be written as `&amp;`, as in a URL that was copied from XML.
pub(crate) fn find(query: &[u8]) -> Option<&[u8]> {
    query.rsplit(|byte| *byte == b'&').find_map(|parameter| {
        let after_path = || Some(&parameter[memchr::memchr(b'?', parameter)? + 1..]);
        value(parameter).or_else(|| value(parameter.strip_prefix(b"amp;")?)).or_else(|| value(after_path()?))
    })
}

/// Returns the value of a parameter with the name `CMCD`.
fn value(parameter: &[u8]) -> Option<&[u8]> {
    let (name, value) = parameter.split_at_checked(5)?;
    (name.eq_ignore_ascii_case(b"cmcd=") && !value.is_empty()).then_some(value)
}

/// Decodes a query that was encoded as a whole, once or twice. Returns `None` if the decoded query has no parameter
/// `CMCD` either.
pub(crate) fn decoded(query: &str) -> Option<String> {
    if !query.contains('%') {
        return None;
    }
    let mut bytes = query.as_bytes().to_vec();
    for _ in 1..ENCODED {
        decode(&mut bytes);
        if find(&bytes).is_some() {
            return Some(String::from_utf8_lossy(&bytes).into_owned());
        }
    }
    None
}

/// Reads one record from the encoded value of the query parameter `CMCD`. If the decoded value has no readable member
/// and contains escapes, it is decoded again, because some players encode the query twice (media3 #1075).
pub(crate) fn read_query<'a>(
    raw: &[u8],
    fields: &Fields,
    buffer: &'a mut Vec<u8>,
) -> Result<Beacon<'a>, Malformed> {
    buffer.clear();
    buffer.extend_from_slice(raw);
    // In a query, a plus sign represents a space. A literal plus sign is encoded.
    for byte in &mut *buffer {
        *byte = if *byte == b'+' { b' ' } else { *byte };
    }
    decode(buffer);
    for _ in 1..ENCODED {
        if memchr::memchr(b'%', buffer).is_none() || has_members(buffer) {
            break;
        }
        decode(buffer);
    }
    super::read(Mode::Request, fields, [buffer.trim_ascii()])
}

fn has_members(text: &[u8]) -> bool {
    members(&String::from_utf8_lossy(text.trim_ascii()), &mut |_, _| ()) > 0
}

/// Decodes percent escapes in place. Invalid escapes are not changed.
fn decode(text: &mut Vec<u8>) {
    let Some(first) = memchr::memchr(b'%', text) else { return };
    let (mut from, mut to) = (first, first);
    while let Some(byte) = text.get(from).copied() {
        let escaped = if byte == b'%' { escaped(&text[from + 1..]) } else { None };
        text[to] = escaped.unwrap_or(byte);
        from += if escaped.is_some() { 3 } else { 1 };
        to += 1;
    }
    text.truncate(to);
}

/// Returns the byte that two hexadecimal digits represent.
fn escaped(digits: &[u8]) -> Option<u8> {
    let [high, low] = digits.first_chunk()?;
    let digit = |byte: u8| (byte as char).to_digit(16);
    Some((digit(*high)? << 4 | digit(*low)?) as u8)
}

#[cfg(test)]
mod tests;
