//! Divides files into records. A record is a line, or a JSON value that extends over several lines.

use std::io::{self, BufRead};

use serde::de::IgnoredAny;

use super::lines::{End, read_line, skip_line};

/// The size in bytes at which a record ends within a long array or a long line. The record then consists of the
/// complete elements or objects so far.
const ENOUGH: usize = 64 << 10;

/// The maximum depth of nested brackets in a JSON value that extends over several lines.
const MAX_DEPTH: usize = 1_024;

/// The records of one file. Usually a record is a line without its line break. Empty lines are skipped.
///
/// In JSON, a line with an incomplete value is joined with the next lines until the value is complete or too long. If
/// the value cannot continue with an object or array, and the next line is a complete object or array, the incomplete
/// value ends before that line. A long array over several lines is divided into several records. The same applies to a
/// long line of consecutive objects, which Amazon Data Firehose writes, and to an array in one line that is too long for
/// a record.
pub(super) struct Records<R> {
    lines: R,
    joins: bool,
    most: usize,
    line: Vec<u8>,
    /// The part of a long line that was read but does not belong to the current record. It begins the next record.
    rest: Vec<u8>,
    /// True if `line` contains a line that is not processed yet.
    ahead: bool,
    /// The joined lines of the current record.
    held: Vec<u8>,
    open: Open,
    /// True if `held` continues an array whose first elements were already returned as a record.
    is_rest: bool,
}

impl<R: BufRead> Records<R> {
    /// Creates a reader of records. Records of more than `most` bytes are truncated to `most + 1` bytes, so a check of
    /// the length can still refuse them. `joins` is true for JSON.
    pub(super) fn new(lines: R, joins: bool, most: usize) -> Self {
        Self {
            lines,
            joins,
            most,
            line: Vec::new(),
            rest: Vec::new(),
            ahead: false,
            held: Vec::new(),
            open: Open::default(),
            is_rest: false,
        }
    }

    /// Reads the next record into `record`. Returns false at the end of the input.
    pub(super) fn next(&mut self, record: &mut Vec<u8>) -> io::Result<bool> {
        record.clear();
        loop {
            if !std::mem::take(&mut self.ahead) && !self.read()? {
                return Ok(self.take(record));
            }
            let line = self.line.trim_ascii();
            if line.is_empty() {
                continue;
            }
            if self.held.is_empty() {
                if !self.joins || line.starts_with(b"{") && line.ends_with(b"}") {
                    record.extend_from_slice(line);
                    return Ok(true);
                }
                self.open = Open::default();
            } else if !self.open.may_go_on_with_objects() && is_json(line) {
                self.ahead = true;
                return Ok(self.take(record));
            } else {
                self.held.push(b'\n');
            }
            let is_incomplete = self.open.after(line);
            self.held.extend_from_slice(line);
            if !is_incomplete || self.held.len() > self.most {
                self.held.truncate(self.most + 1);
                if self.take(record) {
                    return Ok(true);
                }
            } else if self.held.len() > ENOUGH && self.open.is_between_elements() {
                self.held.pop();
                self.held.push(b']');
                std::mem::swap(record, &mut self.held);
                self.held.push(b'[');
                self.is_rest = true;
                return Ok(true);
            }
        }
    }

    /// Reads the next line, or the next objects of a long line, into `self.line`. Returns false at the end of the
    /// input.
    fn read(&mut self) -> io::Result<bool> {
        self.line.clear();
        std::mem::swap(&mut self.line, &mut self.rest);
        let enough = if self.joins { ENOUGH.min(self.most) } else { self.most + 1 };
        for most in [enough.max(self.line.len() + 1), self.most + 1] {
            match read_line(&mut self.lines, &mut self.line, most)? {
                End::Line => return Ok(true),
                End::Input => return Ok(!self.line.is_empty()),
                End::Limit => {}
            }
            if let Some(end) = end_of_objects(&self.line).filter(|_| self.joins) {
                self.rest.extend_from_slice(&self.line[end..]);
                self.line.truncate(end);
                return Ok(true);
            }
        }
        if let Some(comma) = end_of_elements(&self.line[..self.most]).filter(|_| self.joins) {
            self.rest.push(b'[');
            self.rest.extend_from_slice(&self.line[comma + 1..]);
            self.line.truncate(comma);
            self.line.push(b']');
            return Ok(true);
        }
        skip_line(&mut self.lines)?;
        Ok(true)
    }

    /// Moves the joined lines to `record`. Returns false if there are no joined lines. Also returns false if they are
    /// only the closing bracket of an array whose elements were already returned.
    fn take(&mut self, record: &mut Vec<u8>) -> bool {
        let is_rest = std::mem::take(&mut self.is_rest);
        let is_bracket = |byte: &u8| matches!(byte, b'[' | b']' | b'\n');
        std::mem::swap(record, &mut self.held);
        self.held.clear();
        if is_rest && record.iter().all(is_bracket) {
            record.clear();
        }
        !record.is_empty()
    }
}

/// Returns the length of the complete objects and arrays at the beginning of a line. Returns `None` if there is no
/// complete object or array.
fn end_of_objects(line: &[u8]) -> Option<usize> {
    let mut end = None;
    for_each_delimiter(line, |at, byte, depth| {
        if matches!(byte, b'}' | b']') && depth == 0 {
            end = Some(at + 1);
        }
    });
    end
}

/// Returns the position of the last comma between two elements of the array with which a line begins. Returns `None` if
/// the line does not begin with an array, or if there is no such comma.
fn end_of_elements(line: &[u8]) -> Option<usize> {
    if line.trim_ascii_start().first() != Some(&b'[') {
        return None;
    }
    let mut comma = None;
    for_each_delimiter(line, |at, byte, depth| {
        if byte == b',' && depth == 1 {
            comma = Some(at);
        }
    });
    comma
}

/// Calls `each` for every bracket, brace and comma outside of strings, with its position and with the number of brackets
/// and braces that are open after it. The line need not be valid JSON.
fn for_each_delimiter(line: &[u8], mut each: impl FnMut(usize, u8, usize)) {
    let mut depth = 0_usize;
    let (mut in_string, mut is_escaped) = (false, false);
    for (at, byte) in line.iter().enumerate() {
        match byte {
            _ if is_escaped => {
                is_escaped = false;
                continue;
            }
            b'\\' => is_escaped = in_string,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if !in_string && matches!(byte, b'{' | b'[' | b'}' | b']' | b',') {
            each(at, *byte, depth);
        }
    }
}

/// Returns true if a line consists of one or more complete JSON values.
fn is_json(line: &[u8]) -> bool {
    matches!(line.first(), Some(b'{' | b'['))
        && serde_json::Deserializer::from_slice(line).into_iter::<IgnoredAny>().all(|value| value.is_ok())
}

/// The brackets that are open after the lines read so far.
#[derive(Default)]
struct Open {
    /// The closing brackets that are still missing. The last of them must occur first.
    brackets: Vec<u8>,
    /// The last byte that is outside of strings and not white space.
    last: u8,
}

impl Open {
    /// Adds a line. Returns true if the value is still incomplete and further lines can complete it.
    fn after(&mut self, line: &[u8]) -> bool {
        let mut bytes = line.iter();
        while let Some(byte) = bytes.next() {
            match byte {
                b'"' => {
                    let mut is_escaped = false;
                    let ends = |byte: &u8| {
                        let ends = *byte == b'"' && !is_escaped;
                        is_escaped = *byte == b'\\' && !is_escaped;
                        ends
                    };
                    // If a string does not end in its line, the value is invalid, because JSON strings contain no line
                    // breaks.
                    if !bytes.any(ends) {
                        return false;
                    }
                }
                b'{' if self.brackets.len() < MAX_DEPTH => self.brackets.push(b'}'),
                b'[' if self.brackets.len() < MAX_DEPTH => self.brackets.push(b']'),
                b'{' | b'[' => return false,
                b'}' | b']' if self.brackets.pop() != Some(*byte) => return false,
                byte if byte.is_ascii_whitespace() => continue,
                _ => {}
            }
            self.last = *byte;
        }
        !self.brackets.is_empty()
    }

    /// Returns true if the next value may be an object or an array. This is the case inside an array, and after a
    /// colon.
    fn may_go_on_with_objects(&self) -> bool {
        let in_array = self.brackets.last() == Some(&b']');
        self.last == b':' || in_array && matches!(self.last, b'[' | b',')
    }

    /// Returns true if exactly one array is open and the last byte is the comma after an element.
    fn is_between_elements(&self) -> bool {
        self.brackets == [b']'] && self.last == b','
    }
}

#[cfg(test)]
mod tests;
