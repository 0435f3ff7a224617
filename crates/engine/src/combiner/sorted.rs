//! Records of files, which the caller sorts.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crowdfold_airlock::LineTime;
use crowdfold_model::{Span, Timestamp};

use super::Combiner;
use super::intake::LONGEST_AGO;

impl Combiner {
    /// Expects records in the order of their times, with a call of [`Self::reached`] before each. A beacon is then late
    /// only if its window ended more than the lateness before its own record's timestamp, regardless of earlier
    /// records.
    #[must_use]
    pub fn of_sorted_records(self) -> Self {
        Self { sorted: true, ..self }
    }

    /// Closes the windows that ended more than the lateness before `time`. No later record may have an earlier time.
    pub fn reached(&mut self, time: Timestamp) {
        let rules = &self.settings.rules;
        let to = time.saturating_sub(rules.lateness).saturating_sub(Span::from_millis(1));
        // Buffered beacons belong to earlier times.
        if rules.floor(to) > self.store.closed_until() {
            self.insert_held();
        }
        self.advance(to);
    }

    /// Returns the time by which a line of a file is sorted. A time that is rejected does not count. It is rejected if
    /// it is ahead of this machine's time `clock`, or too far in the past. A line that causes a panic is unreadable.
    #[must_use]
    pub fn line_time(&mut self, line: &[u8], clock: Timestamp) -> LineTime {
        let can_be = clock.saturating_sub(LONGEST_AGO)..=clock.saturating_add(self.settings.max_skew);
        let airlock = &mut self.airlock;
        catch_unwind(AssertUnwindSafe(|| airlock.line_time(line, &can_be))).unwrap_or(LineTime::Unreadable)
    }
}
