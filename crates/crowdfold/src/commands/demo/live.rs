//! Output on a terminal: one screen that is drawn again twice per second.

use std::fmt::Write as _;
use std::io::{self, Write};

use crowdfold_model::{Span, Timestamp};

use super::rate_meter::RateMeter;
use super::stats::Stats;
use super::table::{self, Line, Style};
use super::text::{cut, labelled};
use super::view::{DashboardView, View};
use crate::terminal;

/// The minimum time between two drawings of the screen.
const OFTEN: Span = Span::from_millis(450);

/// The size that is assumed if the terminal does not report its size: columns and lines.
const USUAL: (usize, usize) = (120, 40);

/// A second table is shown only if this number of lines is available for its rows.
const FEWEST: usize = 6;

/// Notes are shown below the tables only if the terminal has this number of lines.
const ROOMY: usize = 34;

const OPEN: &str = "\x1b[?1049h\x1b[?25l";
const CLOSE: &str = "\x1b[?25h\x1b[?1049l";

/// The alternate screen of the terminal. Dropping this value switches back to the normal screen.
pub(super) struct Live {
    drawn: Timestamp,
    open: bool,
}

impl Live {
    /// Switches to the alternate screen.
    pub(super) fn open(out: &mut dyn Write) -> io::Result<Self> {
        out.write_all(OPEN.as_bytes())?;
        out.flush()?;
        Ok(Self { drawn: Timestamp::EPOCH, open: true })
    }
}

impl View for Live {
    fn show(
        &mut self,
        dashboard: &DashboardView<'_>,
        stats: &Stats,
        rate_meter: &RateMeter,
        now: Timestamp,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        if now.saturating_since(self.drawn) < OFTEN {
            return Ok(());
        }
        self.drawn = now;
        let size = terminal::size(io::stdout()).unwrap_or(USUAL);
        out.write_all(frame(&screen(dashboard, stats, rate_meter, now, size), size).as_bytes())?;
        out.flush()
    }

    fn close(&mut self, out: &mut dyn Write) -> io::Result<()> {
        self.open = false;
        out.write_all(CLOSE.as_bytes())?;
        out.flush()
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        if self.open {
            // The terminal is restored even after an error. If restoring fails, the error is ignored, because there is
            // no remedy.
            let _ = self.close(&mut io::stdout());
        }
    }
}

/// Returns all lines of the screen, from the top to the bottom.
fn screen(
    dashboard: &DashboardView<'_>,
    stats: &Stats,
    rate_meter: &RateMeter,
    now: Timestamp,
    size: (usize, usize),
) -> Vec<Line> {
    let mut lines: Vec<Line> = vec![(Style::Bold, dashboard.title())];
    let heading = dashboard.heading(stats, rate_meter, now, size.0);
    lines.extend(heading.into_iter().map(|line| (Style::Plain, line)));
    let foot = foot(dashboard, size);
    tables(stats, size.1.saturating_sub(lines.len() + foot.len()), size.0, &mut lines);
    // Empty lines move the last lines to the bottom of the screen.
    let gap = size.1.saturating_sub(lines.len() + foot.len());
    lines.extend(std::iter::repeat_n((Style::Plain, String::new()), gap));
    lines.extend(foot);
    lines
}

/// Adds one or two tables, depending on the available lines, and divides the lines between them.
fn tables(stats: &Stats, room: usize, columns: usize, lines: &mut Vec<Line>) {
    // The lines of a table in addition to its rows: an empty line, the title, the names of the columns, and the number
    // of omitted rows.
    const AROUND: usize = 4;
    let tables: Vec<_> = stats.tables().collect();
    let mut room = room;
    let mut many = (room / (FEWEST + AROUND)).clamp(1, 2).min(tables.len());
    for table in tables {
        if many == 0 || room <= AROUND {
            break;
        }
        // The first table has more rows than the second table, so it receives three fifths of the lines.
        let share = if many == 2 { (room * 3).div_ceil(5) } else { room };
        let drawn = table::lines(table, share - AROUND, columns, true);
        room -= drawn.len() + 1;
        lines.push((Style::Plain, String::new()));
        lines.extend(drawn);
        many -= 1;
    }
}

fn foot(dashboard: &DashboardView<'_>, (columns, rows): (usize, usize)) -> Vec<Line> {
    let k = dashboard.k();
    let mut foot = vec![String::new()];
    foot.extend(labelled(
        "*",
        &format!("stands for the rest: groups of fewer than {k} sessions are folded together"),
        columns,
    ));
    if rows >= ROOMY {
        foot.extend(dashboard.noise(columns));
    }
    let [kcat, query] = dashboard.read_along();
    foot.extend(labelled("page", &dashboard.page.address(), columns));
    foot.extend(labelled("read along", &kcat, columns));
    foot.extend(labelled("or", &query, columns));
    // On a small terminal, these limitations are printed only in the summary at the end of the demo.
    if rows >= ROOMY {
        foot.extend(dashboard.limits(columns));
    }
    foot.push("Ctrl-C exits.".into());
    foot.into_iter().map(|line| (Style::Dim, line)).collect()
}

/// Returns the control sequences and text that draw the screen. Each line is overwritten in place instead of clearing
/// the whole screen first, which would flicker.
fn frame(lines: &[Line], (columns, rows): (usize, usize)) -> String {
    let mut frame = String::from("\x1b[?2026h\x1b[H");
    for (at, (style, line)) in lines.iter().take(rows).enumerate() {
        if at > 0 {
            frame.push_str("\r\n");
        }
        let (before, after) = match style {
            Style::Plain => ("", ""),
            Style::Bold => ("\x1b[1m", "\x1b[0m"),
            Style::Dim => ("\x1b[2m", "\x1b[0m"),
        };
        let _ = write!(frame, "{before}{}{after}\x1b[K", cut(line, columns));
    }
    frame.push_str("\x1b[J\x1b[?2026l");
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frame_is_no_larger_than_the_terminal() {
        let lines: Vec<Line> = (0..50).map(|_| (Style::Dim, "x".repeat(200))).collect();
        let frame = frame(&lines, (80, 24));
        assert_eq!(frame.matches("\r\n").count(), 23);
        assert!(frame.split("\r\n").all(|line| line.matches('x').count() == 79));
    }
}
