//! Reads sorted records, as `fold` takes them from files.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crowdfold_airlock::{Durations, LineTime};
use crowdfold_model::{Span, Timestamp};

use super::intake::LONGEST_AGO;
use super::{Combiner, PreparedBatch};

impl Combiner {
    /// Makes the combiner expect records in the order of their times. The caller must then call [`Self::reached`]
    /// before each record. The records before a beacon do not advance the watermark. Therefore a beacon is late only if
    /// its window ended before the timestamp of its own record minus the allowed lateness.
    #[must_use]
    pub fn of_sorted_records(self) -> Self {
        Self { sorted: true, ..self }
    }

    /// Closes the windows that ended before `time` minus the allowed lateness. The records that follow must not be
    /// earlier than `time`.
    pub fn reached(&mut self, time: Timestamp) {
        self.reached = Some(time);
        let rules = &self.settings.rules;
        let to = time.saturating_sub(rules.lateness).saturating_sub(Span::from_millis(1));
        // The buffered beacons are earlier than `time`, so they are inserted before windows close.
        if rules.floor(to) > self.store.closed_until() {
            self.insert_buffered();
        }
        self.advance(to);
    }

    /// Returns the time by which a line of a file is sorted. A time is ignored if it is too far in the past or too far
    /// ahead of `clock`, the current time of this machine. The beacons with such a time are rejected. A line that
    /// causes a panic is treated as unreadable. Also returns the shares to which the beacons belong. Each share has one
    /// bit.
    #[must_use]
    pub fn line_time(&mut self, line: &[u8], clock: Timestamp) -> (LineTime, u64) {
        let can_be = clock.saturating_sub(LONGEST_AGO)..=clock.saturating_add(self.settings.max_skew);
        let airlock = &mut self.airlock;
        let found = catch_unwind(AssertUnwindSafe(|| airlock.line_time(line, &can_be)));
        found.unwrap_or((LineTime::Unreadable, 1))
    }

    /// Returns the mapped durations in the lines that were passed to [`Self::line_time`].
    #[must_use]
    pub const fn durations(&self) -> &Durations {
        self.airlock.durations()
    }

    /// Removes and returns the prepared batches.
    pub fn take_prepared(&mut self) -> Vec<PreparedBatch> {
        self.prepared.drain(..).collect()
    }

    /// Inserts all beacons, and returns the end of the newest window. It is called only for files.
    pub fn last_end(&mut self) -> Timestamp {
        self.insert_buffered();
        self.store.last_end().unwrap_or_default().max(self.store.closed_until())
    }

    /// Closes all windows that end at or before `until`. It is called only for files, because a topic has no end.
    pub fn finish(&mut self, until: Timestamp) {
        self.insert_buffered();
        self.prepare(until);
    }
}
