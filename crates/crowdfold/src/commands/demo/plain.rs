//! Without a terminal: a table every few seconds, for logs and pipes.

use std::io::{self, Write};

use crowdfold_airlock::Millis;

use super::board::Board;
use super::meter::Meter;
use super::table;
use super::text::{number, seconds};
use super::view::{Scene, View, released};

/// Between two tables at least, ms.
const OFTEN: Millis = 4_000;

/// Without anything new a line comes after this, ms.
const SELDOM: Millis = 15_000;

/// The tables of a window come one after the other: this long, ms, the rest is waited for.
const SETTLE: Millis = 250;

/// Rows of the first table and of the second.
const ROWS: [usize; 2] = [10, 6];

/// Lines, one after the other.
#[derive(Default)]
pub(super) struct Plain {
    shown_at: Millis,
    shown: u64,
    new_since: Option<Millis>,
}

impl Plain {
    /// Says what there will be to see.
    pub(super) fn open(scene: &Scene<'_>, out: &mut dyn Write) -> io::Result<Self> {
        writeln!(out, "{}", scene.title())?;
        for command in scene.read_along() {
            writeln!(out, "  read along: {command}")?;
        }
        if let Some(limits) = scene.limits() {
            writeln!(out, "{limits}")?;
        }
        out.flush()?;
        Ok(Self { shown_at: scene.began, ..Self::default() })
    }
}

impl View for Plain {
    fn show(
        &mut self,
        scene: &Scene<'_>,
        board: &Board,
        meter: &Meter,
        now: Millis,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let passed = now.saturating_sub(self.shown_at);
        if board.windows > self.shown {
            let since = *self.new_since.get_or_insert(now);
            // the first does not wait for its turn
            if now.saturating_sub(since) < SETTLE || (self.shown > 0 && passed < OFTEN) {
                return Ok(());
            }
        } else if passed < SELDOM {
            return Ok(());
        }
        writeln!(out, "\n{} after the start", seconds(now.saturating_sub(scene.began)))?;
        writeln!(out, "event time {}", scene.event_time(now))?;
        let (sent, rate) = (number(scene.progress.sent()), number(meter.per_second()));
        writeln!(out, "beacons    {sent} sent, {rate} a second; {}", scene.verdicts())?;
        writeln!(out, "released   {}", released(board))?;
        if let Some(withheld) = scene.withheld(board) {
            writeln!(out, "withheld   {withheld}")?;
        }
        if board.windows == 0 {
            writeln!(out, "{}", scene.waiting(now))?;
        }
        if board.windows > self.shown {
            for (table, most) in board.tables().zip(ROWS) {
                writeln!(out)?;
                for (_, line) in table::lines(table, most, false) {
                    writeln!(out, "{line}")?;
                }
            }
        }
        (self.shown_at, self.shown, self.new_since) = (now, board.windows, None);
        out.flush()
    }

    fn close(&mut self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out)
    }
}
