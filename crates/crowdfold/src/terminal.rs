//! What there is to know of the terminal that output goes to, if it goes to one.

use std::io::IsTerminal;
use std::os::fd::AsFd;

/// Columns of a line where no terminal says.
const USUAL: usize = 120;

/// How many columns a line has.
#[must_use]
pub(crate) fn width(output: impl AsFd + IsTerminal) -> usize {
    size(output).map_or(USUAL, |(columns, _)| columns)
}

/// Columns and lines; `None` where there is no terminal, or it does not say.
#[must_use]
pub(crate) fn size(output: impl AsFd + IsTerminal) -> Option<(usize, usize)> {
    if !output.is_terminal() {
        return None;
    }
    let size = rustix::termios::tcgetwinsize(output).ok()?;
    (size.ws_col > 0 && size.ws_row > 0).then(|| (size.ws_col.into(), size.ws_row.into()))
}
