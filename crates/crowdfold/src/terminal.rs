//! The size of the terminal that receives output.

use std::io::IsTerminal;
use std::os::fd::AsFd;

/// The width that is assumed without a terminal.
const USUAL: usize = 120;

/// Returns the width of a line.
#[must_use]
pub(crate) fn width(output: impl AsFd + IsTerminal) -> usize {
    size(output).map_or(USUAL, |(columns, _)| columns)
}

/// Returns the columns and lines; `None` if there is no terminal, or it does not report them.
#[must_use]
pub(crate) fn size(output: impl AsFd + IsTerminal) -> Option<(usize, usize)> {
    if !output.is_terminal() {
        return None;
    }
    let size = rustix::termios::tcgetwinsize(output).ok()?;
    (size.ws_col > 0 && size.ws_row > 0).then(|| (size.ws_col.into(), size.ws_row.into()))
}
