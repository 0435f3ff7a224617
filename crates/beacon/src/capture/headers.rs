//! Reads headers that a logger wrote as a list instead of an object.

use crate::json::syntax::{self, Raw, elements, members};

/// Passes the name and the position of the value of each header in the list that begins at `at` to `each`. A header is
/// an object with the keys `name` (or `key`) and `value`, an array of two elements, or two consecutive strings of the
/// list. Returns the position after the list, or `None` if it is invalid.
pub(super) fn listed<'a>(
    bytes: &'a [u8],
    at: usize,
    each: &mut impl FnMut(&'a [u8], usize) -> Option<usize>,
) -> Option<usize> {
    let mut name = None;
    elements(bytes, at, &mut |element| {
        let (raw, end) = syntax::raw(bytes, element)?;
        match (raw, name.take()) {
            (Raw::Object, _) => {
                if let (Some(name), Some(value)) = named(bytes, element)? {
                    each(name, value)?;
                }
            }
            (Raw::Array, _) => {
                let mut pair = Vec::new();
                elements(bytes, element, &mut |part| {
                    pair.push(part);
                    Some(syntax::raw(bytes, part)?.1)
                })?;
                if let [name, value] = pair[..]
                    && let Some((Raw::Text(name), _)) = syntax::raw(bytes, name)
                {
                    each(name, value)?;
                }
            }
            (_, Some(name)) => {
                each(name, element)?;
            }
            (Raw::Text(text), None) => name = Some(text),
            _ => {}
        }
        Some(end)
    })
}

/// Returns the positions of the values in an array of objects that represent headers, such as
/// `[{"key":"Sec-GPC","value":"1"}]`. Returns `None` if there is no such array at `at`.
pub(super) fn values(bytes: &[u8], at: usize) -> Option<Vec<usize>> {
    if bytes.get(at) != Some(&b'[') || bytes.get(syntax::blank(bytes, at + 1)) != Some(&b'{') {
        return None;
    }
    let mut values = Vec::new();
    elements(bytes, at, &mut |element| {
        let (raw, end) = syntax::raw(bytes, element)?;
        if matches!(raw, Raw::Object) {
            values.extend(named(bytes, element)?.1);
        }
        Some(end)
    })?;
    Some(values).filter(|values| !values.is_empty())
}

/// Returns the name and the position of the value in an object that represents a header.
fn named(bytes: &[u8], at: usize) -> Option<(Option<&[u8]>, Option<usize>)> {
    let (mut name, mut content) = (None, None);
    members(bytes, at, &mut |key, value| {
        let (raw, end) = syntax::raw(bytes, value)?;
        match raw {
            Raw::Text(text) if key.eq_ignore_ascii_case(b"name") || key.eq_ignore_ascii_case(b"key") => {
                name = Some(text);
            }
            _ if key.eq_ignore_ascii_case(b"value") => content = Some(value),
            _ => {}
        }
        Some(end)
    })?;
    Some((name, content))
}
