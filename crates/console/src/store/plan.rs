//! Selects the rows that answer a question: the sums of hours where they exist, and published rows otherwise.

use std::collections::BTreeMap;

use crowdfold_model::Timestamp;
use rusqlite::{Connection, params};

use super::schema::State;
use super::{HOUR, Selection, millis, time};
use crate::ConsoleError;

/// The rows that answer a question, in order of time.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) parts: Vec<Part>,
    /// The number of published windows in each interval, and the number of incomplete windows among them.
    pub(super) windows: BTreeMap<Timestamp, (u64, u64)>,
    /// The number of rows. The tables of all windows of an hour are stored as one table. Its number of rows is
    /// estimated as that of the largest of these tables, because most of them have the same dimension values.
    pub(super) size: usize,
}

/// The rows of a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) rows: Rows,
    pub(super) from: i64,
    pub(super) to: i64,
}

/// The rows to read in a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rows {
    /// The published rows of all windows.
    Windows,
    /// The published rows of the windows that are not part of the sums of hours.
    Rest,
    /// The sums of hours.
    Hours,
}

/// The tables of one hour.
#[derive(Clone, Copy, Debug, Default)]
struct Hour {
    start: i64,
    /// The number of rows that are kept as they were published.
    published: usize,
    /// The number of rows that are not part of the sums.
    rest: usize,
    has_sums: bool,
    /// True if rows are kept as part of the sums only.
    only_sums: bool,
    largest: usize,
}

impl Plan {
    pub(super) fn of(connection: &Connection, selection: &Selection) -> Result<Self, ConsoleError> {
        let Selection { tenant, breakdown, since, until, .. } = selection;
        let step = super::step(selection);
        let mut statement = connection.prepare_cached(
            "SELECT start, seen, partial OR seen < rows, state FROM tables \
             WHERE tenant = ?1 AND breakdown = ?2 AND start >= ?3 AND start < ?4 ORDER BY start",
        )?;
        let period = (millis(*since), millis(*until));
        let mut found = statement.query(params![tenant, breakdown, period.0, period.1])?;
        let mut plan = Self::default();
        let mut hour = Hour::default();
        let mut bucket = (Timestamp::EPOCH, (0, 0));
        while let Some(row) = found.next()? {
            let (start, seen, is_incomplete, state): (i64, usize, bool, i64) =
                (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
            if start / HOUR * HOUR != hour.start {
                plan.add(hour, period, step);
                hour = Hour { start: start / HOUR * HOUR, ..Hour::default() };
            }
            hour.add(seen, state);
            let interval = time(start / step * step);
            if interval != bucket.0 {
                plan.count(bucket);
                bucket = (interval, (0, 0));
            }
            bucket.1.0 += 1;
            bucket.1.1 += u64::from(is_incomplete);
        }
        plan.add(hour, period, step);
        plan.count(bucket);
        Ok(plan)
    }

    fn count(&mut self, (interval, counts): (Timestamp, (u64, u64))) {
        if counts.0 > 0 {
            self.windows.insert(interval, counts);
        }
    }

    fn add(&mut self, hour: Hour, (since, until): (i64, i64), step: i64) {
        let end = hour.start + HOUR;
        let is_whole = hour.start >= since && end <= until && (step % HOUR == 0 || step == i64::MAX);
        if hour.has_sums && hour.start >= since && (is_whole || hour.only_sums) {
            self.push(Part { rows: Rows::Hours, from: hour.start, to: end });
            if hour.rest > 0 {
                self.push(Part { rows: Rows::Rest, from: hour.start, to: end.min(until) });
            }
            self.size += hour.largest + hour.rest;
        } else if hour.published > 0 {
            self.push(Part { rows: Rows::Windows, from: hour.start.max(since), to: end.min(until) });
            self.size += hour.published;
        }
    }

    /// Adds a part. Extends the previous part if it has the same rows, because there are no tables between them.
    fn push(&mut self, part: Part) {
        match self.parts.last_mut() {
            Some(last) if last.rows == part.rows => last.to = part.to,
            _ => self.parts.push(part),
        }
    }
}

impl Hour {
    fn add(&mut self, seen: usize, state: i64) {
        match state {
            State::HOUR => (self.has_sums, self.only_sums) = (true, true),
            State::ADDED => {
                self.has_sums = true;
                self.published += seen;
            }
            _ => {
                self.published += seen;
                self.rest += seen;
            }
        }
        if matches!(state, State::HOUR | State::ADDED) {
            self.largest = self.largest.max(seen);
        }
    }
}
