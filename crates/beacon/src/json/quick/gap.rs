//! Parses the bytes between two values without memory.

use super::step::{Target, What};
use super::{Source, bare_text, read_flag, read_number, skip};
use crate::fields;
use crate::json::syntax::{self, blank, plain, string_end};
use crate::json::value;
use crate::{Beacon, Fields};

/// Reads an object, or the rest of an object, without using or changing the memory. `at`, `begins` and `node` have the
/// same meaning as in [`gap`]. Returns the position after the outermost object, or `None` if it is invalid.
pub(super) fn read_plainly<'a>(
    source: &Source<'a>,
    (mut at, mut begins, mut node): (usize, bool, usize),
    fields: &Fields,
    beacon: &mut Beacon<'a>,
) -> Option<usize> {
    let bytes = source.bytes;
    loop {
        let (start, target) = gap(bytes, at, begins, node, fields)?;
        (node, begins) = (target.node, false);
        if let What::Inside(within) = target.what {
            beacon.remove_all(fields.node(within).fields);
        }
        let slowly = |beacon: &mut Beacon<'a>| value::read(target.field?, bytes, blank(bytes, start), beacon);
        at = match target.what {
            What::Text(index) | What::BareText(index) => match bare_text(source, start) {
                Some(text) => {
                    beacon.set_borrowed(index.into(), text);
                    start + text.len() + 2
                }
                None => slowly(beacon)?,
            },
            What::Number(index) => match read_number(index.into(), bytes, start, beacon) {
                Some(end) => end,
                None => slowly(beacon)?,
            },
            What::Flag => read_flag(target.field?, bytes, start, beacon)?,
            What::Skip => skip(bytes, blank(bytes, start), node == fields.root(), beacon)?,
            What::Inside(within) if bytes.get(blank(bytes, start)) == Some(&b'{') => {
                (node, begins) = (within, true);
                blank(bytes, start)
            }
            What::Inside(_) => syntax::skip(bytes, blank(bytes, start)).ok()?,
            What::End => return Some(start),
        };
    }
}

/// Parses the bytes between two values: brackets, commas, and the key with its colon. If `begins` is true, an object
/// begins at `at`. Otherwise, a value of the object `node` has ended at `at`. Returns the start of the next value, and
/// the target of its key.
pub(super) fn gap(
    bytes: &[u8],
    at: usize,
    begins: bool,
    mut node: usize,
    fields: &Fields,
) -> Option<(usize, Target)> {
    let mut at = at + usize::from(begins);
    let mut first = begins;
    loop {
        // the usual notation, without white space
        if !first && bytes.get(at..at + 2) == Some(b",\"") {
            at += 1;
            break;
        }
        at = blank(bytes, at);
        match bytes.get(at)? {
            b'}' if node == fields.root() => return Some((at + 1, Target::new(node, What::End))),
            b'}' => node = fields.node(node).outer,
            b',' if !first => {
                at = blank(bytes, at + 1);
                break;
            }
            b'"' if first => break,
            _ => return None,
        }
        first = false;
        at += 1;
    }
    if bytes.get(at) != Some(&b'"') {
        return None;
    }
    let (end, target) = match plain(bytes, at + 1) {
        Some(end) => (end, fields.node(node).target(&bytes[at + 1..end])),
        None => {
            let end = string_end(bytes, at + 1).ok()?;
            (end, syntax::with_key(&bytes[at + 1..end], |key| fields.node(node).target(key)))
        }
    };
    let target = match target {
        Some(fields::Target::Field(field)) => Target::of_field(node, field),
        Some(fields::Target::Inside(inner)) => Target::new(node, What::Inside(inner)),
        None => Target::new(node, What::Skip),
    };
    let colon = blank(bytes, end + 1);
    (bytes.get(colon) == Some(&b':')).then(|| (blank(bytes, colon + 1), target))
}
