//! On a terminal: one screen, drawn twice a second.

use std::fmt::Write as _;
use std::io::{self, Write};

use crowdfold_model::Millis;

use super::rate_meter::RateMeter;
use super::stats::Stats;
use super::table::{self, Line, Style};
use super::text::{cut, labelled};
use super::view::{DashboardView, View};
use crate::terminal;

/// Between two drawings, ms.
const OFTEN: Millis = 450;

/// Columns and lines where the terminal does not say.
const USUAL: (usize, usize) = (120, 40);

/// Rows below which another table is not worth its title.
const FEWEST: usize = 6;

/// Lines of a terminal that has room for more than the tables.
const ROOMY: usize = 34;

const OPEN: &str = "\x1b[?1049h\x1b[?25l";
const CLOSE: &str = "\x1b[?25h\x1b[?1049l";

/// A screen of its own, which ends with it.
pub(super) struct Live {
    drawn: Millis,
    open: bool,
}

impl Live {
    /// Turns to a screen of its own.
    pub(super) fn open(out: &mut dyn Write) -> io::Result<Self> {
        out.write_all(OPEN.as_bytes())?;
        out.flush()?;
        Ok(Self { drawn: 0, open: true })
    }
}

impl View for Live {
    fn show(
        &mut self,
        dashboard: &DashboardView<'_>,
        stats: &Stats,
        rate_meter: &RateMeter,
        now: Millis,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        if now.saturating_sub(self.drawn) < OFTEN {
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
            // whatever went wrong, the terminal is not to suffer; it may be gone itself
            let _ = self.close(&mut io::stdout());
        }
    }
}

/// All lines of the screen.
fn screen(
    dashboard: &DashboardView<'_>,
    stats: &Stats,
    rate_meter: &RateMeter,
    now: Millis,
    size: (usize, usize),
) -> Vec<Line> {
    let mut lines: Vec<Line> = vec![(Style::Bold, dashboard.title())];
    let heading = dashboard.heading(stats, rate_meter, now, size.0);
    lines.extend(heading.into_iter().map(|line| (Style::Plain, line)));
    let foot = foot(dashboard, size);
    tables(stats, size.1.saturating_sub(lines.len() + foot.len()), size.0, &mut lines);
    // the foot stands at the foot
    let gap = size.1.saturating_sub(lines.len() + foot.len());
    lines.extend(std::iter::repeat_n((Style::Plain, String::new()), gap));
    lines.extend(foot);
    lines
}

/// As many tables as there is room for, each with its share of it.
fn tables(stats: &Stats, room: usize, columns: usize, lines: &mut Vec<Line>) {
    // an empty line, a title, the names of the columns, what is left out
    const AROUND: usize = 4;
    let tables: Vec<_> = stats.tables().collect();
    let mut room = room;
    let mut many = (room / (FEWEST + AROUND)).clamp(1, 2).min(tables.len());
    for table in tables {
        if many == 0 || room <= AROUND {
            break;
        }
        // the first of two has more rows to show
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
        &format!("is the rest: fewer than {k} sessions fold together until they are a crowd"),
        columns,
    ));
    if rows >= ROOMY {
        foot.extend(dashboard.noise(columns));
    }
    let [kcat, query] = dashboard.read_along();
    foot.extend(labelled("read along", &kcat, columns));
    foot.extend(labelled("or", &query, columns));
    // a small terminal hears of it at the end
    if rows >= ROOMY {
        foot.extend(dashboard.limits(columns));
    }
    foot.push("Ctrl-C ends it.".into());
    foot.into_iter().map(|line| (Style::Dim, line)).collect()
}

/// What the terminal is told: every line anew, and nothing in between that could be seen as flicker.
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
    fn a_frame_is_no_larger_than_the_terminal() {
        let lines: Vec<Line> = (0..50).map(|_| (Style::Dim, "x".repeat(200))).collect();
        let frame = frame(&lines, (80, 24));
        assert_eq!(frame.matches("\r\n").count(), 23);
        assert!(frame.split("\r\n").all(|line| line.matches('x').count() == 79));
    }
}
