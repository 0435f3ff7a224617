//! Records into JSON values, without reading them.

use crate::Malformed;

/// How deep the values of a beacon may lie in one another.
pub(crate) const MAX_DEPTH: u8 = 32;

/// Offers every JSON value of a record to `each`, which says whether it took it: the elements of an array, the lines of
/// NDJSON, or objects written over several lines. `None` stands for what cannot be split, or was not taken. `ends` is
/// room for splitting.
pub(crate) fn values<'a>(
    record: &'a [u8],
    ends: &mut Vec<usize>,
    each: &mut impl FnMut(Option<&'a [u8]>) -> bool,
) {
    let split = split(record, ends, &mut |_, _| None);
    offer(&split, ends, each);
}

/// How a record is to be split.
pub(crate) enum Split<'a> {
    /// Not at all.
    Broken,
    /// An array, at the ends of its elements: none is offered before all are known.
    Elements(&'a [u8]),
    /// Into lines.
    Lines(&'a [u8]),
}

/// Sees how a record is to be split. `known_end` may tell where an object in an array ends, if it knows without a search:
/// it must be where all its brackets are closed.
pub(crate) fn split<'a>(
    record: &'a [u8],
    ends: &mut Vec<usize>,
    known_end: &mut impl FnMut(&'a [u8], usize) -> Option<usize>,
) -> Split<'a> {
    let record = record.strip_prefix(b"\xef\xbb\xbf").unwrap_or(record).trim_ascii();
    match record.first() {
        None => Split::Broken,
        Some(b'[') => match elements(record, ends, known_end) {
            Ok(()) if !ends.is_empty() => Split::Elements(record),
            _ => Split::Broken,
        },
        Some(_) => Split::Lines(record),
    }
}

/// Offers the values of a record that was split, as [`values`] does.
pub(crate) fn offer<'a>(split: &Split<'a>, ends: &[usize], each: &mut impl FnMut(Option<&'a [u8]>) -> bool) {
    match *split {
        Split::Broken => drop(each(None)),
        Split::Elements(record) => {
            let mut start = 1;
            for end in ends {
                offer_one(record[start..*end].trim_ascii(), each);
                start = *end + 1;
            }
        }
        Split::Lines(record) if memchr::memchr(b'\n', record).is_none() => offer_one(record, each),
        Split::Lines(record) => lines(record, each),
    }
}

fn offer_one<'a>(value: &'a [u8], each: &mut impl FnMut(Option<&'a [u8]>) -> bool) {
    if !each(Some(value)) {
        each(None);
    }
}

/// Finds the ends of the elements of an array that makes up all of `record`.
fn elements<'a>(
    record: &'a [u8],
    ends: &mut Vec<usize>,
    known_end: &mut impl FnMut(&'a [u8], usize) -> Option<usize>,
) -> Result<(), Malformed> {
    ends.clear();
    let mut start = 1;
    loop {
        let known = known_end(record, blank(record, start)).map(|end| blank(record, end));
        let end = match known {
            Some(end) if matches!(record.get(end), Some(b',' | b']')) => end,
            _ => element_end(record, start)?,
        };
        if record[end] == b',' {
            ends.push(end);
            start = end + 1;
        } else if end + 1 == record.len() {
            if !ends.is_empty() || !record[start..end].trim_ascii().is_empty() {
                ends.push(end);
            }
            return Ok(());
        } else {
            return Err(Malformed);
        }
    }
}

/// The comma or bracket that ends the element of an array from `start` on.
fn element_end(record: &[u8], start: usize) -> Result<usize, Malformed> {
    let mut scan = Scan { at: start, depth: 1 };
    while let Some((at, byte)) = scan.step(record)? {
        match (byte, scan.depth) {
            (b',', 1) | (b']', 0) => return Ok(at),
            (_, 0) => return Err(Malformed),
            _ => {}
        }
    }
    Err(Malformed)
}

/// Past white space.
pub(crate) fn blank(bytes: &[u8], mut at: usize) -> usize {
    while matches!(bytes.get(at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
        at += 1;
    }
    at
}

/// Objects one after another. A line that is no good value by itself may be the start of an object over several lines;
/// if that never ends, it is one bad line and the next one that starts an object is tried.
fn lines<'a>(record: &'a [u8], each: &mut impl FnMut(Option<&'a [u8]>) -> bool) {
    let mut rest = record;
    while !rest.is_empty() {
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let line = rest[..end].trim_ascii();
        let after = rest.get(end + 1..).unwrap_or_default();
        if line.is_empty() || each(Some(line)) {
            rest = after;
        } else if line[0] != b'{' || depth(line) == Ok(0) {
            each(None);
            rest = after;
        } else if let Ok(length) = object(rest) {
            offer_one(&rest[..length], each);
            rest = &rest[length..];
        } else {
            each(None);
            rest = next_object(after);
        }
    }
}

/// How many brackets a line leaves open.
fn depth(line: &[u8]) -> Result<u32, Malformed> {
    let mut scan = Scan::default();
    while scan.step(line)?.is_some() {}
    Ok(scan.depth)
}

/// The length of the object that `text` starts with, if it ends, and at the end of a line.
fn object(text: &[u8]) -> Result<usize, Malformed> {
    let mut scan = Scan::default();
    while let Some((at, byte)) = scan.step(text)? {
        // In the object itself another one follows a colon alone, or the first was cut short.
        let cut_short = byte == b'{' && scan.depth == 2 && text[..at].trim_ascii_end().last() != Some(&b':');
        if cut_short || scan.depth > u32::from(MAX_DEPTH) {
            return Err(Malformed);
        }
        if scan.depth == 0 {
            let rest = &text[at + 1..];
            let line = &rest[..memchr::memchr(b'\n', rest).unwrap_or(rest.len())];
            return if line.trim_ascii().is_empty() { Ok(at + 1) } else { Err(Malformed) };
        }
    }
    Err(Malformed)
}

/// From the next line on that starts an object.
fn next_object(text: &[u8]) -> &[u8] {
    let mut rest = text;
    while !rest.is_empty() && rest.trim_ascii_start().first() != Some(&b'{') {
        rest = memchr::memchr(b'\n', rest).and_then(|end| rest.get(end + 1..)).unwrap_or_default();
    }
    rest
}

/// Where the value that starts at `at` ends. What is inside it is not read, so it may still be none.
pub(crate) fn value_end(text: &[u8], at: usize) -> Option<usize> {
    let mut scan = Scan { at, depth: 0 };
    match text.get(at)? {
        b'"' => {
            scan.at += 1;
            scan.string(text).ok()?;
            Some(scan.at)
        }
        b'{' | b'[' => {
            while let Some((at, _)) = scan.step(text).ok()? {
                if scan.depth == 0 {
                    return Some(at + 1);
                }
            }
            None
        }
        _ => {
            let ends = |byte: &u8| {
                matches!(byte, b',' | b'}' | b']' | b'"' | b'{' | b'[' | b' ' | b'\t' | b'\n' | b'\r')
            };
            text[at..].iter().position(ends).map(|length| at + length)
        }
    }
}

/// Brackets and commas outside of strings.
#[derive(Default)]
struct Scan {
    at: usize,
    depth: u32,
}

impl Scan {
    /// The next bracket or comma, and where it is; the depth counts it already. A string that does not end, or not on
    /// its line, and a bracket that closes nothing cannot be split.
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

    /// Past a string. Strings are short, so a plain loop is quicker than a search that has to be set up.
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
