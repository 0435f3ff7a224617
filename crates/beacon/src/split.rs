//! Splits a record into JSON objects. A record is one object, an array, lines (NDJSON), objects over several lines,
//! or objects without separators.

use crate::Malformed;
use crate::json::syntax::{self, blank};

/// A part of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    /// An object begins at this position.
    Object(usize),
    /// A part of the record is not an object, or `each` could not read it.
    Bad,
    /// The record contains more objects than allowed. No other frame follows.
    Beyond,
}

/// Passes every object of a record to `each`. `each` returns the position after the object, or `None` if it cannot read
/// the object. For an object that cannot be read, and for everything else in the record, `each` receives
/// [`Frame::Bad`]. There is at least one frame. `left` is the number of objects and bad frames that are still allowed.
/// The time is proportional to the length of the record, even if the record is damaged.
pub(crate) fn frames(record: &[u8], left: &mut usize, each: &mut impl FnMut(Frame) -> Option<usize>) {
    let mut at = space(record, 0);
    if at == record.len() {
        each(Frame::Bad);
        return;
    }
    let mut walk = Walk { record, left, again: record.len() };
    while at < record.len() {
        let end = match record[at] {
            b'[' => walk.elements(at, each),
            b'{' => walk.one(at, each).map(|read| read.unwrap_or_else(|| walk.recover(at))),
            _ => walk.one_bad(each).map(|()| line_end(record, at)),
        };
        let Some(end) = end else { return };
        at = space(record, end);
    }
}

/// Passes the elements of the array that begins at `at` to `each`, in the same way as [`frames`]. Returns the position
/// after the array. If the array has no end, the result is `Err`, with the position at which to continue. Returns `None`
/// if the limit of frames is reached.
pub(crate) fn elements(
    record: &[u8],
    at: usize,
    left: &mut usize,
    each: &mut impl FnMut(Frame) -> Option<usize>,
) -> Option<Result<usize, usize>> {
    Walk { record, left, again: 0 }.array(at, true, each)
}

/// Returns the start of the next line after `at` that begins with an object or an array.
pub(crate) fn next_line(record: &[u8], at: usize) -> usize {
    next_object(record, line_end(record, at))
}

/// The state while a record is split.
struct Walk<'r> {
    record: &'r [u8],
    /// The number of frames that are still allowed.
    left: &'r mut usize,
    /// The number of bytes that may still be scanned a second time.
    again: usize,
}

impl Walk<'_> {
    /// Passes the object at `at` to `each`. Returns `None` if the limit of frames is reached. Otherwise, returns the
    /// position after the object, or `Some(None)` if the object could not be read.
    fn one(&mut self, at: usize, each: &mut impl FnMut(Frame) -> Option<usize>) -> Option<Option<usize>> {
        let Some(rest) = self.left.checked_sub(1) else {
            each(Frame::Beyond);
            return None;
        };
        *self.left = rest;
        let end = each(Frame::Object(at));
        if end.is_none() {
            each(Frame::Bad);
        }
        Some(end)
    }

    fn one_bad(&mut self, each: &mut impl FnMut(Frame) -> Option<usize>) -> Option<()> {
        let rest = self.left.checked_sub(1);
        each(if rest.is_some() { Frame::Bad } else { Frame::Beyond });
        *self.left = rest?;
        Some(())
    }

    /// Passes the elements of the array that begins at `at` to `each`. If an element is an array that begins with an
    /// object, passes the elements of this inner array. Returns the position after the array. If the array has no end,
    /// returns the position at which to continue. Returns `None` if the limit of frames is reached.
    fn elements(&mut self, at: usize, each: &mut impl FnMut(Frame) -> Option<usize>) -> Option<usize> {
        let (Ok(end) | Err(end)) = self.array(at, true, each)?;
        Some(end)
    }

    /// Works like [`Walk::elements`], except that the position is `Err` if the array has no end.
    fn array(
        &mut self,
        at: usize,
        is_outer: bool,
        each: &mut impl FnMut(Frame) -> Option<usize>,
    ) -> Option<Result<usize, usize>> {
        let record = self.record;
        let mut at = blank(record, at + 1);
        if record.get(at) == Some(&b']') {
            return self.one_bad(each).map(|()| Ok(at + 1));
        }
        loop {
            let read = match record.get(at) {
                Some(b'{') => self.one(at, each)?,
                Some(b'[') if is_outer && record.get(blank(record, at + 1)) == Some(&b'{') => {
                    match self.array(at, false, each)? {
                        Ok(end) => Some(end),
                        no_end => return Some(no_end),
                    }
                }
                _ => self.one_bad(each).map(|()| None)?,
            };
            let end = match read.map_or_else(|| value_end(record, at), Ok) {
                Ok(end) => end,
                Err(scanned) => return Some(Err(self.after(at, scanned))),
            };
            at = blank(record, end);
            match record.get(at) {
                Some(b',') => at = blank(record, at + 1),
                Some(b']') => return Some(Ok(at + 1)),
                // Commas between the objects in an array may be missing.
                Some(b'{') => {}
                _ => {
                    self.one_bad(each)?;
                    return Some(Err(next_object(record, line_end(record, end))));
                }
            }
        }
    }

    /// Returns the position at which to continue after an unreadable object at `at`. This is the position after its
    /// closing bracket. If it has no closing bracket, this is the start of the next line that begins with an object or
    /// an array.
    #[cold]
    fn recover(&mut self, at: usize) -> usize {
        object(self.record, at).unwrap_or_else(|scanned| {
            let read = syntax::skip(self.record, at).unwrap_or_else(|fault| fault);
            self.after(at, scanned.max(read))
        })
    }

    /// Returns the start of the next line that begins with an object or an array. The search begins after the line of
    /// `at`. The bytes from this line to `scanned` are then scanned a second time. If too many bytes have been scanned
    /// twice, the search begins after `scanned` instead.
    fn after(&mut self, at: usize, scanned: usize) -> usize {
        let line = line_end(self.record, at);
        if let Some(rest) = self.again.checked_sub(scanned.saturating_sub(line)) {
            self.again = rest;
            return next_object(self.record, line);
        }
        next_object(self.record, line_end(self.record, scanned))
    }
}

/// The byte order mark in UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// Returns the position of the first byte, from `at` on, that does not separate two values. Separators are white space,
/// as in `trim_ascii`, and the bytes that loggers write between values or at the start of a file: commas, byte order
/// marks, zero bytes, and the separator of JSON text sequences (RFC 7464).
fn space(record: &[u8], mut at: usize) -> usize {
    loop {
        match record.get(at) {
            Some(b',' | b'\0' | 0x1e) => at += 1,
            Some(byte) if byte.is_ascii_whitespace() => at += 1,
            Some(0xef) if record[at..].starts_with(MARK) => at += MARK.len(),
            _ => return at.min(record.len()),
        }
    }
}

/// Returns the position of the line feed that ends the line of `at`, or the end of the record.
fn line_end(record: &[u8], at: usize) -> usize {
    let at = at.min(record.len());
    memchr::memchr(b'\n', &record[at..]).map_or(record.len(), |length| at + length)
}

/// Returns the position after the object that begins at `at`. The error is the position at which the scan found that
/// the object has no end.
fn object(record: &[u8], at: usize) -> Result<usize, usize> {
    let mut scan = Scan { at, depth: 0 };
    let mut before = at;
    loop {
        let (found, byte) = match scan.step(record) {
            Ok(Some(step)) => step,
            Ok(None) | Err(Malformed) => return Err(scan.at),
        };
        // An object inside an object is a value, so it follows a colon. If there is no colon, the outer object is
        // truncated, and the next object begins here.
        let follows = || record[before..found].trim_ascii_end().last() == Some(&b':');
        if byte == b'{' && scan.depth == 2 && !follows() {
            return Err(found);
        }
        if scan.depth == 0 {
            return Ok(found + 1);
        }
        before = found;
    }
}

/// Returns the start of the next object or array that begins a line. `at` is the end of a line.
fn next_object(record: &[u8], at: usize) -> usize {
    let mut at = at;
    while at < record.len() {
        let begins = space(record, at);
        if matches!(record.get(begins), None | Some(b'{' | b'[')) {
            return begins;
        }
        at = line_end(record, begins);
    }
    at
}

/// Returns the position after the value that begins at `at`. The error is the position at which the scan found that the
/// value has no end. The content of the value is not checked.
fn value_end(text: &[u8], at: usize) -> Result<usize, usize> {
    let mut scan = Scan { at, depth: 0 };
    match text.get(at) {
        Some(b'"') => {
            scan.at += 1;
            scan.string(text).map_err(|Malformed| scan.at)?;
            Ok(scan.at)
        }
        Some(b'{' | b'[') => loop {
            match scan.step(text) {
                Ok(Some((at, _))) if scan.depth == 0 => return Ok(at + 1),
                Ok(Some(_)) => {}
                Ok(None) | Err(Malformed) => return Err(scan.at),
            }
        },
        _ => {
            let ends = |byte: &u8| matches!(byte, b',' | b']' | b'}' | b'\n');
            let rest = text.get(at..).unwrap_or_default();
            rest.iter().position(ends).map(|length| at + length).ok_or(text.len())
        }
    }
}

/// A scanner for brackets and commas outside strings.
struct Scan {
    at: usize,
    depth: u32,
}

impl Scan {
    /// Returns the position of the next bracket or comma, and its character. `depth` is the depth after this character.
    /// Returns an error if a string does not end on its line, or if a closing bracket has no opening bracket.
    fn step(&mut self, text: &[u8]) -> Result<Option<(usize, u8)>, Malformed> {
        while let Some(byte) = text.get(self.at) {
            let at = self.at;
            self.at += 1;
            match byte {
                b'"' => {
                    self.string(text)?;
                    continue;
                }
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => self.depth = self.depth.checked_sub(1).ok_or(Malformed)?,
                b',' => {}
                _ => continue,
            }
            return Ok(Some((at, *byte)));
        }
        Ok(None)
    }

    /// Skips the rest of a string. Strings are short, so a plain loop is faster than a vectorised search.
    fn string(&mut self, text: &[u8]) -> Result<(), Malformed> {
        while let Some(byte) = text.get(self.at) {
            self.at += 1;
            match byte {
                b'"' => return Ok(()),
                b'\\' => self.at += 1,
                b'\n' => return Err(Malformed),
                _ => {}
            }
        }
        Err(Malformed)
    }
}

#[cfg(test)]
mod tests;
