//! Lines of files.

use std::io::{self, BufRead};

/// The reason why reading stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The line is complete.
    Line,
    /// The input ended.
    Input,
    /// The line is longer than the limit.
    Limit,
}

/// Reads the rest of a line, or until `line` has `most` bytes. The line end is not included.
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

/// Skips the rest of a line.
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
    // a signal is not an error
    while let Err(error) = lines.fill_buf() {
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
    lines.fill_buf()
}
