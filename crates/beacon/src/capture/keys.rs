//! Decodes the values of CDN logs. CMCD members may be in separate fields, and values may contain escapes.

use std::borrow::Cow;

/// The syntax of the value of a CMCD member.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// A number, a token or an inner list. These have no quotes.
    Plain,
    String,
    Flag,
}

/// The CMCD members of both versions that a log may contain in separate fields. `nor` and `url` are not in the list,
/// because they are never read.
pub(super) const KEYS: [(&str, Kind); 24] = [
    ("bl", Kind::Plain),
    ("br", Kind::Plain),
    ("bs", Kind::Flag),
    ("bsd", Kind::Plain),
    ("cid", Kind::String),
    ("d", Kind::Plain),
    ("dfa", Kind::Plain),
    ("dl", Kind::Plain),
    ("e", Kind::Plain),
    ("ec", Kind::String),
    ("msd", Kind::Plain),
    ("mtp", Kind::Plain),
    ("ot", Kind::Plain),
    ("pr", Kind::Plain),
    ("rtp", Kind::Plain),
    ("sf", Kind::Plain),
    ("sid", Kind::String),
    ("sn", Kind::Plain),
    ("st", Kind::Plain),
    ("sta", Kind::Plain),
    ("su", Kind::Flag),
    ("tb", Kind::Plain),
    ("ts", Kind::Plain),
    ("v", Kind::Plain),
];

/// Adds a member from a log to a CMCD dictionary. If the value is invalid for the member, it is not added, and a
/// previous value of the same member is removed. A flag that was set remains set.
pub(super) fn add(dictionary: &mut String, index: usize, value: &str) {
    let (key, kind) = KEYS[index];
    let value = value.trim();
    let before = dictionary.len();
    if !dictionary.is_empty() {
        dictionary.push(',');
    }
    dictionary.push_str(key);
    let taken = match kind {
        Kind::Flag => matches!(value, "1" | "?1") || value.eq_ignore_ascii_case("true"),
        Kind::Plain => {
            let alone = |byte: u8| byte.is_ascii_alphanumeric() || b".-(); ".contains(&byte);
            dictionary.push('=');
            dictionary.push_str(value);
            !value.is_empty() && value.bytes().all(alone)
        }
        Kind::String => {
            let text = value.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(value);
            dictionary.push_str("=\"");
            text.chars().for_each(|sign| {
                if matches!(sign, '"' | '\\') {
                    dictionary.push('\\');
                }
                dictionary.push(sign);
            });
            dictionary.push('"');
            true
        }
    };
    if !taken {
        dictionary.truncate(before);
        remove(dictionary, index);
    }
}

/// Makes a member of a dictionary unusable. If a key occurs several times, its last value counts, so the function
/// appends the key with an unusable value.
pub(super) fn remove(dictionary: &mut String, key: usize) {
    let (key, kind) = KEYS[key];
    let members = || dictionary.split(',').map(|member| member.split('=').next().unwrap_or(member));
    if !matches!(kind, Kind::Flag) && members().any(|member| member == key) {
        dictionary.extend([",", key, "=?0"]);
    }
}

/// Decodes percent escapes in a value of a log. If the value contains no `%20`, `+` is decoded as a space, as in HTML
/// forms. A value that was escaped twice is decoded twice.
pub(super) fn unescaped(value: Cow<'_, str>) -> Cow<'_, str> {
    let mut value = value;
    for _ in 0..2 {
        // If a value contains spaces, it is not escaped, so its percent characters are literal.
        if value.contains(' ') || !escapes(&value) {
            break;
        }
        let plus = !value.contains("%20") && value.contains('+');
        let decoded = decoded(value.as_bytes(), plus);
        match String::from_utf8(decoded) {
            Ok(text) => value = Cow::Owned(text),
            Err(_) => break,
        }
    }
    value
}

/// Replaces `+` by a space in a value without spaces. Log files in the Extended Log File Format write user agents in
/// this way.
pub(super) fn with_blanks(value: Cow<'_, str>) -> Cow<'_, str> {
    if value.contains(' ') || !value.contains('+') {
        return value;
    }
    Cow::Owned(value.replace('+', " "))
}

fn escapes(value: &str) -> bool {
    let hexadecimal = |at: usize| value.as_bytes().get(at).is_some_and(u8::is_ascii_hexdigit);
    memchr::memchr_iter(b'%', value.as_bytes()).any(|at| hexadecimal(at + 1) && hexadecimal(at + 2))
}

fn decoded(value: &[u8], plus: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    let mut at = 0;
    while let Some(byte) = value.get(at) {
        let digit = |at: usize| value.get(at).and_then(|byte| (*byte as char).to_digit(16));
        match (byte, digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high << 4 | low) as u8);
                at += 3;
                continue;
            }
            (b'+', ..) if plus => out.push(b' '),
            _ => out.push(*byte),
        }
        at += 1;
    }
    out
}

#[cfg(test)]
mod tests;
