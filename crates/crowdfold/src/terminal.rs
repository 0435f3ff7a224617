//! Returns the size of the terminal.

use std::io::IsTerminal;
use std::os::fd::AsFd;

/// The width in columns that is assumed if the output is not a terminal.
const USUAL: usize = 120;

/// Returns the width of the output, in columns.
#[must_use]
pub(crate) fn width(output: impl AsFd + IsTerminal) -> usize {
    size(output).map_or(USUAL, |(columns, _)| columns)
}

/// Returns the columns and lines of the terminal. Returns `None` if the output is not a terminal or the terminal does
/// not report its size.
#[must_use]
pub(crate) fn size(output: impl AsFd + IsTerminal) -> Option<(usize, usize)> {
    if !output.is_terminal() {
        return None;
    }
    let size = rustix::termios::tcgetwinsize(output).ok()?;
    (size.ws_col > 0 && size.ws_row > 0).then(|| (size.ws_col.into(), size.ws_row.into()))
}
