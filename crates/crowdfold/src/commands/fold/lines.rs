//! Lines of files.

use std::io::{self, BufRead};

/// Reads one line without its end, at most `most` bytes of it: the rest of a longer line is skipped. Returns `false` at
/// the end of the input.
pub(super) fn read_line(lines: &mut impl BufRead, line: &mut Vec<u8>, most: usize) -> io::Result<bool> {
    line.clear();
    let mut any = false;
    loop {
        let chunk = match lines.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            chunk => chunk?,
        };
        if chunk.is_empty() {
            break;
        }
        any = true;
        let end = memchr::memchr(b'\n', chunk);
        let part = &chunk[..end.unwrap_or(chunk.len())];
        line.extend_from_slice(&part[..part.len().min(most - line.len())]);
        let read = end.map_or(chunk.len(), |end| end + 1);
        lines.consume(read);
        if end.is_some() {
            break;
        }
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Ok(any)
}
