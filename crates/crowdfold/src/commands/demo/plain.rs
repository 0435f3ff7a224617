//! Without a terminal: a table every few seconds, for logs and pipes.

use std::io::{self, Write};

use crowdfold_model::Millis;

use super::rate_meter::RateMeter;
use super::stats::Stats;
use super::table;
use super::text::seconds;
use super::view::{DashboardView, View};

/// Between two tables at least, ms.
const OFTEN: Millis = 4_000;

/// Without anything new a line comes after this, ms.
const SELDOM: Millis = 15_000;

/// The tables of a window come one after the other: this long, ms, the rest is waited for.
const SETTLE: Millis = 250;

/// Columns of a line of text.
const WIDTH: usize = 100;

/// The worker counts by the second: this long, ms, the first table waits for it.
const COUNTED: Millis = 1_200;

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
    pub(super) fn open(dashboard: &DashboardView<'_>, out: &mut dyn Write) -> io::Result<Self> {
        writeln!(out, "{}", dashboard.title())?;
        for command in dashboard.read_along() {
            writeln!(out, "  read along: {command}")?;
        }
        for line in dashboard.noise(WIDTH).into_iter().chain(dashboard.limits(WIDTH)) {
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
        now: Millis,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let passed = now.saturating_sub(self.shown_at);
        if stats.windows > self.shown {
            let since = *self.new_since.get_or_insert(now);
            let waited = now.saturating_sub(since);
            let counted = waited >= COUNTED || dashboard.gauges.beacons("released") > 0;
            // the first does not wait for its turn
            if waited < SETTLE || !counted || (self.shown > 0 && passed < OFTEN) {
                return Ok(());
            }
        } else if passed < SELDOM {
            return Ok(());
        }
        writeln!(out, "\n{} after the start", seconds(now.saturating_sub(dashboard.began)))?;
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
