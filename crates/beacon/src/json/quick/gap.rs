//! Parses the bytes between two values without memory.

use super::step::{Target, What};
use super::{Source, read_flag, read_number, read_slowly, read_text, skip};
use crate::fields::{self, Node};
use crate::json::syntax::{self, blank, key_end, rare_blank, skip_scalar, skip_valid_scalar};
use crate::{Beacon, Fields};

/// Reads an object, or the rest of an object, without using or changing the memory. `at`, `begins` and `node` have the
/// same meaning as in [`gap`]. Returns the position after the outermost object, or `None` if it is invalid.
#[inline(never)]
pub(super) fn read_plainly<'a>(
    source: &Source<'a>,
    (mut at, mut begins, mut node): (usize, bool, usize),
    fields: &Fields,
    beacon: &mut Beacon<'a>,
) -> Option<usize> {
    let bytes = source.bytes;
    loop {
        if bytes.get(at) == Some(&b'}') && node == fields.root() && !begins {
            return Some(at + 1);
        }
        let (start, target) = match member(bytes, at, begins) {
            Some((key, value)) => match key.target(fields.node(node)) {
                None => {
                    at = match bytes.get(value) {
                        Some(b'{' | b'[') => skip(source, value, node == fields.root(), beacon)?,
                        _ if source.is_valid => skip_valid_scalar(bytes, value)?,
                        _ => skip_scalar(bytes, value).ok()?,
                    };
                    begins = false;
                    continue;
                }
                target => (value, target_of(node, target)),
            },
            None => gap(bytes, at, begins, node, fields)?,
        };
        (node, begins) = (target.node, false);
        if let What::Inside(within) = target.what {
            beacon.remove_all(fields.node(within).fields);
        }
        let slowly = |beacon: &mut Beacon<'a>| read_slowly(target.field, source, start, beacon);
        at = match target.what {
            What::Text(index) | What::BareText(index) if bytes.get(start) == Some(&b'"') => {
                read_text(index, target.field, source, start + 1, beacon)? + 1
            }
            What::Text(_) | What::BareText(_) => slowly(beacon)?,
            What::Number(index) => match read_number(index.into(), bytes, start, beacon) {
                Some(end) => end,
                None => slowly(beacon)?,
            },
            What::Flag => read_flag(target.field?, source, start, beacon)?,
            What::Skip => skip(source, start, node == fields.root(), beacon)?,
            What::Inside(within) if bytes.get(blank(bytes, start)) == Some(&b'{') => {
                (node, begins) = (within, true);
                blank(bytes, start)
            }
            What::Inside(_) => source.skip(blank(bytes, start))?,
            What::End => return Some(start),
        };
    }
}

/// Parses a comma or an opening bracket, and the key after it. Returns the key and the start of its value. Returns
/// `None` for any other notation, for example if there is white space before the colon.
#[inline(always)]
fn member(bytes: &[u8], at: usize, begins: bool) -> Option<(Key<'_>, usize)> {
    let lead = if begins { b"{\"" } else { b",\"" };
    if bytes.get(at..at + 2) != Some(lead) {
        return None;
    }
    let (end, is_plain) = key_end(bytes, at + 2).ok()?;
    let key = Key { raw: bytes.get(at + 2..end)?, is_plain };
    match bytes.get(end + 1..end + 3) {
        Some([b':', b'!'..=u8::MAX]) => Some((key, end + 2)),
        Some([b':', _]) => Some((key, blank(bytes, end + 2))),
        _ => None,
    }
}

/// A key of an object.
struct Key<'a> {
    /// The bytes between the quotes.
    raw: &'a [u8],
    /// True if the key contains no escape and no control character.
    is_plain: bool,
}

impl Key<'_> {
    /// Returns the target of the key in an object, or `None` for an unknown key.
    #[inline(always)]
    fn target(&self, node: &Node) -> Option<fields::Target> {
        if self.is_plain {
            return node.target(self.raw);
        }
        syntax::with_key(self.raw, |key| node.target(key))
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
        at = rare_blank(bytes, at);
        match bytes.get(at)? {
            b'}' if node == fields.root() => return Some((at + 1, Target::new(node, What::End))),
            b'}' => node = fields.node(node).outer,
            b',' if !first => {
                at = rare_blank(bytes, at + 1);
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
    let (end, is_plain) = key_end(bytes, at + 1).ok()?;
    let target = Key { raw: &bytes[at + 1..end], is_plain }.target(fields.node(node));
    let colon = rare_blank(bytes, end + 1);
    (bytes.get(colon) == Some(&b':')).then(|| (rare_blank(bytes, colon + 1), target_of(node, target)))
}

/// Returns the target of a key of an object.
fn target_of(node: usize, target: Option<fields::Target>) -> Target {
    match target {
        Some(fields::Target::Field(field)) => Target::of_field(node, field),
        Some(fields::Target::Inside(inner)) => Target::new(node, What::Inside(inner)),
        None => Target::new(node, What::Skip),
    }
}
