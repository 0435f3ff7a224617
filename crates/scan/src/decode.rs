//! Decodes parts of a text, and recognises encodings by their form.

/// The minimum length in bytes of a decoded text that is searched. The shortest identifier is `1.1.1.1`.
pub(crate) const SHORTEST: usize = 7;

/// Decodes the percent escapes (`%xx`) of a text. Returns `None` if it contains none.
pub(crate) fn percent(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    if !bytes.contains(&b'%') {
        return None;
    }
    let mut decoded = Vec::with_capacity(bytes.len());
    let (mut at, mut turned) = (0, false);
    while at < bytes.len() {
        let pair =
            (bytes[at] == b'%').then(|| Some((digit(*bytes.get(at + 1)?)?, digit(*bytes.get(at + 2)?)?)));
        match pair.flatten() {
            Some((high, low)) => {
                decoded.push(high << 4 | low);
                (at, turned) = (at + 3, true);
            }
            None => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    turned.then(|| String::from_utf8_lossy(&decoded).into_owned())
}

/// Decodes each run of base64 characters. Because the first character of the run may be at any of the four positions
/// in its group, the run is decoded from each of its first four characters. `each` receives the decoded bytes.
pub(crate) fn base64(text: &str, shortest: usize, mut each: impl FnMut(&[u8])) {
    let letters = |c: char| c.is_ascii_alphanumeric() || "+/-_".contains(c);
    let mut decoded = Vec::new();
    for run in text.split(|c| !letters(c)).filter(|run| run.len() >= (shortest * 4).div_ceil(3)) {
        for skipped in 0..4 {
            unpack(run.bytes().skip(skipped).filter_map(letter), 6, &mut decoded);
            each(&decoded);
        }
    }
}

/// Decodes each run of base32 characters, from each of its first eight characters. Both alphabets are tried: the
/// standard alphabet of RFC 4648, and the extended alphabet, which begins with the digits. `each` receives the decoded
/// bytes.
pub(crate) fn base32(text: &str, shortest: usize, mut each: impl FnMut(&[u8])) {
    let mut decoded = Vec::new();
    for value in [letter32, letter32hex] {
        let runs = text.split(|c: char| u8::try_from(c).ok().and_then(value).is_none());
        for run in runs.filter(|run| run.len() >= (shortest * 8).div_ceil(5)) {
            for skipped in 0..8 {
                unpack(run.bytes().skip(skipped).filter_map(value), 5, &mut decoded);
                each(&decoded);
            }
        }
    }
}

fn unpack(values: impl Iterator<Item = u32>, width: u32, decoded: &mut Vec<u8>) {
    decoded.clear();
    let (mut bits, mut held) = (0_u32, 0);
    for value in values {
        bits = bits << width | value;
        held += width;
        if held >= 8 {
            held -= 8;
            decoded.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
}

/// Decodes each run of hexadecimal digits as pairs, from its first and from its second digit.
pub(crate) fn hexadecimal(text: &str, shortest: usize, mut each: impl FnMut(&[u8])) {
    for run in text.split(|c: char| !c.is_ascii_hexdigit()).filter(|run| run.len() >= 2 * shortest) {
        for skipped in 0..2 {
            let digits: Vec<u8> = run.bytes().skip(skipped).filter_map(digit).collect();
            let decoded: Vec<u8> = digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
            each(&decoded);
        }
    }
}

/// Returns the runs of printable ASCII characters in decoded bytes, without runs that are too short for an
/// identifier.
pub(crate) fn readable(bytes: &[u8]) -> impl Iterator<Item = &str> {
    let parts = bytes.split(|byte| !(b' '..=b'~').contains(byte));
    parts.filter(|part| part.len() >= SHORTEST).filter_map(|part| std::str::from_utf8(part).ok())
}

/// The minimum length of a padded value that is recognised, including the padding.
const PADDED: usize = 8;

/// Finds a value in base64 or base32 whose padding matches its length.
pub(crate) fn padded(text: &str) -> bool {
    let bytes = text.as_bytes();
    text.match_indices('=').any(|(at, _)| {
        if at > 0 && bytes[at - 1] == b'=' {
            return false;
        }
        let padding = bytes[at..].iter().take_while(|byte| **byte == b'=').count();
        let ends = bytes.get(at + padding).is_none_or(|next| !next.is_ascii_alphanumeric());
        let run = |is: fn(u8) -> bool| bytes[..at].iter().rev().take_while(|byte| is(**byte)).count();
        let whole = |length: usize, of: usize| {
            length > 0 && (length + padding).is_multiple_of(of) && length + padding >= PADDED
        };
        let last =
            |value: Option<u32>, unused: u32| value.is_some_and(|value| value & ((1 << unused) - 1) == 0);
        let run64 = run(|byte| letter(byte).is_some());
        let is_64 =
            padding <= 2 && whole(run64, 4) && last(letter(bytes[at.saturating_sub(1)]), 2 * padding as u32);
        let run32 = run(|byte| letter32(byte).is_some());
        // The number of unused bits in the last character. They must be zero.
        let filling = match padding {
            1 => 3,
            3 => 1,
            4 => 4,
            _ => 2,
        };
        let is_32 = matches!(padding, 1 | 3 | 4 | 6)
            && whole(run32, 8)
            && last(letter32(bytes[at.saturating_sub(1)]), filling);
        ends && (is_64 || is_32)
    })
}

/// Finds a JSON Web Token: the base64 of a JSON object that is followed by a dot and another part, or that contains a
/// field of a token header.
pub(crate) fn jwt(text: &str) -> bool {
    let mut decoded = Vec::new();
    text.match_indices("eyJ").any(|(at, _)| {
        let token = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        let rest = &text[at..];
        let part = &rest[..rest.find(|c| !token(c)).unwrap_or(rest.len())];
        unpack(part.bytes().filter_map(letter), 6, &mut decoded);
        let json = decoded.starts_with(b"{\"") && decoded.iter().all(|byte| (b' '..=b'~').contains(byte));
        let mut after = rest[part.len()..].chars();
        let continues = after.next() == Some('.') && after.next().is_some_and(token);
        let names = [&b"\"alg\""[..], b"\"typ\"", b"\"enc\"", b"\"kid\""];
        json && (continues || names.iter().any(|name| decoded.windows(name.len()).any(|part| part == *name)))
    })
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|digit| digit as u8)
}

fn letter(byte: u8) -> Option<u32> {
    Some(u32::from(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    }))
}

fn letter32(byte: u8) -> Option<u32> {
    Some(u32::from(match byte.to_ascii_uppercase() {
        upper @ b'A'..=b'Z' => upper - b'A',
        b'2'..=b'7' => byte - b'2' + 26,
        _ => return None,
    }))
}

fn letter32hex(byte: u8) -> Option<u32> {
    Some(u32::from(match byte.to_ascii_uppercase() {
        b'0'..=b'9' => byte - b'0',
        upper @ b'A'..=b'V' => upper - b'A' + 10,
        _ => return None,
    }))
}
