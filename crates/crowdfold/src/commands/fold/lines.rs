//! Reads files line by line, with a limit on the length of a line.

use std::io::{self, BufRead};

/// The reason why [`read_line`] returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The end of the line was reached.
    Line,
    /// The input ended before the end of the line.
    Input,
    /// The line has reached the limit, and the rest of the line is not read yet.
    Limit,
}

/// Appends the rest of the current line to `line`, until `line` has `most` bytes. The line break is not included.
pub(super) fn read_line(lines: &mut impl BufRead, line: &mut Vec<u8>, most: usize) -> io::Result<End> {
    loop {
        let left = most.saturating_sub(line.len());
        if left == 0 {
            return Ok(End::Limit);
        }
        let chunk = fill(lines)?;
        if chunk.is_empty() {
            return Ok(End::Input);
        }
        let chunk = &chunk[..chunk.len().min(left)];
        let end = memchr::memchr(b'\n', chunk);
        line.extend_from_slice(&chunk[..end.unwrap_or(chunk.len())]);
        let read = end.map_or(chunk.len(), |end| end + 1);
        lines.consume(read);
        if end.is_some() {
            if line.last() == Some(&b'\r') {
                line.pop();
            }
            return Ok(End::Line);
        }
    }
}

/// Skips the rest of the current line.
pub(super) fn skip_line(lines: &mut impl BufRead) -> io::Result<()> {
    loop {
        let chunk = fill(lines)?;
        let end = memchr::memchr(b'\n', chunk);
        let (read, is_over) = (end.map_or(chunk.len(), |end| end + 1), end.is_some() || chunk.is_empty());
        lines.consume(read);
        if is_over {
            return Ok(());
        }
    }
}

fn fill(lines: &mut impl BufRead) -> io::Result<&[u8]> {
    // If a signal interrupts the read, the read is repeated.
    while let Err(error) = lines.fill_buf() {
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
    lines.fill_buf()
}
