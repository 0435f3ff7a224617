//! Output to a file or pipe: tables that are printed every few seconds.

use std::io::{self, Write};

use crowdfold_model::{Span, Timestamp};

use super::rate_meter::RateMeter;
use super::stats::Stats;
use super::table;
use super::text::seconds;
use super::view::{DashboardView, View};

/// The minimum time between two prints of tables.
const OFTEN: Span = Span::SECOND.times(4);

/// The time between two prints of the state if there is no new table.
const SELDOM: Span = Span::SECOND.times(15);

/// The time to wait for more tables of a window after its first table.
const PAUSE: Span = Span::from_millis(250);

/// The maximum width of a line, in columns.
const WIDTH: usize = 100;

/// The maximum time for which a new table waits until the worker reports read beacons. The worker updates its
/// counters every second.
const COUNTED: Span = Span::from_millis(1_200);

/// The maximum numbers of rows of the first and the second table.
const ROWS: [usize; 2] = [10, 6];

/// Prints tables below each other.
#[derive(Default)]
pub(super) struct Plain {
    shown_at: Timestamp,
    shown: u64,
    new_since: Option<Timestamp>,
}

impl Plain {
    /// Prints the introduction.
    pub(super) fn open(dashboard: &DashboardView<'_>, out: &mut dyn Write) -> io::Result<Self> {
        writeln!(out, "{}", dashboard.title())?;
        for command in dashboard.read_along() {
            writeln!(out, "  read the rows: {command}")?;
        }
        let notes = [dashboard.legend(WIDTH), dashboard.noise(WIDTH), dashboard.limits(WIDTH)];
        for line in notes.iter().flatten() {
            writeln!(out, "{line}")?;
        }
        out.flush()?;
        Ok(Self { shown_at: dashboard.began, ..Self::default() })
    }
}

impl View for Plain {
    fn show(
        &mut self,
        dashboard: &DashboardView<'_>,
        stats: &Stats,
        rate_meter: &RateMeter,
        now: Timestamp,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let passed = now.saturating_since(self.shown_at);
        if stats.windows > self.shown {
            let since = *self.new_since.get_or_insert(now);
            let waited = now.saturating_since(since);
            let counted = waited >= COUNTED || dashboard.gauges.beacons("read") > 0;
            // For the first table, `OFTEN` is not applied.
            if waited < PAUSE || !counted || (self.shown > 0 && passed < OFTEN) {
                return Ok(());
            }
        } else if passed < SELDOM {
            return Ok(());
        }
        writeln!(out, "\n{} after the start", seconds(now.saturating_since(dashboard.began)))?;
        for line in dashboard.heading(stats, rate_meter, now, WIDTH) {
            writeln!(out, "{line}")?;
        }
        if stats.windows > self.shown {
            for (table, most) in stats.tables().zip(ROWS) {
                writeln!(out)?;
                for (_, line) in table::lines(table, most, WIDTH, false) {
                    writeln!(out, "{line}")?;
                }
            }
        }
        (self.shown_at, self.shown, self.new_since) = (now, stats.windows, None);
        out.flush()
    }

    fn close(&mut self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out)
    }
}
