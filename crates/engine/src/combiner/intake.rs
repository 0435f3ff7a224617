//! Admits records one by one, and adds their beacons to session summaries in groups.
//!
//! The session and the session summary of a beacon are at unpredictable places in memory. Therefore the memory for all
//! beacons of a group is prefetched before the first beacon is added. The size of the group does not change the result.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crowdfold_airlock::{Observation, Record, Rejection, SentFields, SessionHash};
use crowdfold_model::{Reason, Span, Timestamp};
use crowdfold_release::RejectionNote;

use super::{Combiner, MOST_NOTES};
use crate::{CombinerCheckpoint, EngineError};

/// The largest accepted difference between the time of a line in a file and the clock of this machine: ten years. If
/// the difference is larger, the clock of the program that wrote the line was probably never set.
pub(super) const LONGEST_AGO: Span = Span::DAY.times(3_652);

/// The number of buffered beacons at which all of them are inserted.
const ENOUGH: usize = 64;

/// The admitted records whose beacons are not inserted yet.
#[derive(Default)]
pub(super) struct RecordBuffer {
    records: Vec<BufferedRecord>,
    /// The outcomes of all beacons in the order of the records, each with the time that the airlock returned.
    outcomes: Vec<(Option<Timestamp>, Result<Observation, Rejection>)>,
}

#[derive(Clone, Copy)]
struct BufferedRecord {
    offset: i64,
    /// The clock of this machine when the record was passed to the combiner.
    clock: Timestamp,
    timestamp: Option<Timestamp>,
    /// The time by which the record was sorted, or `None` if records are not sorted.
    sorted_by: Option<Timestamp>,
    /// True if the record was rejected because its timestamp was too far ahead of the clock.
    ahead: bool,
    /// The number of outcomes that belong to the record.
    outcomes: usize,
}

impl Combiner {
    /// Returns true if the header `content-type` of a record is needed
    /// ([`crowdfold_airlock::Airlock::needs_content_type`]).
    #[must_use]
    pub fn needs_content_type(&self, payload: &[u8]) -> bool {
        self.airlock.needs_content_type(payload)
    }

    /// Returns the fields of all JSON beacons that were read since the start of the process.
    #[must_use]
    pub const fn sent_fields(&self) -> &SentFields {
        self.airlock.sent_fields()
    }

    /// Processes the next record of the partition. `clock` is the current time of this machine.
    ///
    /// # Errors
    /// Returns [`EngineError::ClockSkew`] if the broker sets the timestamps of records and the timestamp of this record
    /// is too far ahead of `clock`. The record is then not processed.
    pub fn record(&mut self, record: &Record<'_>, offset: i64, clock: Timestamp) -> Result<(), EngineError> {
        self.buffer(record, offset, clock)?;
        self.insert_buffered();
        Ok(())
    }

    /// Admits the next record of the partition. Its beacons may stay in a buffer until [`Self::insert_buffered`] is
    /// called. The caller must call it before any other method.
    ///
    /// # Errors
    /// Returns the same errors as [`Self::record`].
    pub fn buffer(&mut self, record: &Record<'_>, offset: i64, clock: Timestamp) -> Result<(), EngineError> {
        let latest = clock.saturating_add(self.settings.max_skew);
        let ahead = record.timestamp.filter(|timestamp| *timestamp > latest);
        if let (Some(timestamp), false) = (ahead, self.settings.trust_timestamps) {
            return Err(EngineError::ClockSkew {
                partition: self.partition,
                offset,
                ahead: timestamp - clock,
            });
        }
        let RecordBuffer { records, outcomes } = &mut self.buffer;
        let before = outcomes.len();
        let ahead = ahead.is_some();
        if !ahead {
            let airlock = &mut self.airlock;
            // A record that causes a panic must not stop the stream, and must not be retried without end.
            let admitted = catch_unwind(AssertUnwindSafe(|| {
                airlock.admit(record, &mut |timestamp, outcome| outcomes.push((timestamp, outcome)));
            }));
            if admitted.is_err() {
                outcomes.truncate(before);
                outcomes.push((record.timestamp, Err(Reason::Internal.into())));
            }
        } else {
            // The record is rejected, but its opt-outs take effect.
            let admitted = catch_unwind(AssertUnwindSafe(|| {
                self.airlock.admit(record, &mut |timestamp, outcome| {
                    let opts_out = match outcome {
                        Ok(beacon) => beacon.opt_out().then(|| beacon.session_hash()),
                        Err(rejection) => rejection.opts_out,
                    };
                    if opts_out.is_some() {
                        outcomes.push((timestamp, Err(Rejection { reason: Reason::Future, opts_out })));
                    }
                });
            }));
            if admitted.is_err() {
                outcomes.truncate(before);
            }
        }
        if let Some(ignored) = self.airlock.take_ignored()
            && offset >= self.counted_before
        {
            self.ignored.add(&ignored);
        }
        let count = outcomes.len() - before;
        let (timestamp, sorted_by) = (record.timestamp, self.reached);
        records.push(BufferedRecord { offset, clock, timestamp, sorted_by, ahead, outcomes: count });
        if outcomes.len() >= ENOUGH {
            self.insert_buffered();
        }
        Ok(())
    }

    /// Adds all buffered beacons to session summaries, in the order of the records.
    pub fn insert_buffered(&mut self) {
        if self.buffer.records.is_empty() {
            return;
        }
        let mut buffer = std::mem::take(&mut self.buffer);
        if buffer.records.len() > 1 {
            self.store.warm(buffer.outcomes.iter().filter_map(|(_, outcome)| outcome.as_ref().ok()));
        }
        let mut rest = buffer.outcomes.as_slice();
        for record in &buffer.records {
            let (outcomes, after) = rest.split_at(record.outcomes);
            rest = after;
            self.take(record, outcomes);
        }
        buffer.records.clear();
        buffer.outcomes.clear();
        self.buffer = buffer;
        self.sweep();
    }

    fn take(
        &mut self,
        record: &BufferedRecord,
        outcomes: &[(Option<Timestamp>, Result<Observation, Rejection>)],
    ) {
        let BufferedRecord { offset, clock, .. } = *record;
        let latest = clock.saturating_add(self.settings.max_skew);
        self.at_end_since = None;
        self.next_offset = offset + 1;
        // The opt-out of a rejected beacon without a time counts from the latest time in the log. The watermark of a
        // share of sorted records also depends on later records, so the time by which the record was sorted is used.
        let of_log = || self.watermark.map(|watermark| watermark + self.settings.rules.lateness);
        let latest_known = record.sorted_by.or_else(of_log);
        let withdraw = |combiner: &mut Self, rejection: &Rejection, moment: Option<Timestamp>| {
            if let Some(session) = rejection.opts_out {
                combiner.withdraw(session, moment.or(latest_known).unwrap_or(clock), offset);
            }
        };
        if record.ahead {
            self.reject(Reason::Future, offset, clock);
            for rejection in outcomes.iter().filter_map(|(_, outcome)| outcome.as_ref().err()) {
                withdraw(self, rejection, None);
            }
            return;
        }
        let is_unset = |moment: Timestamp| record.timestamp.is_none() && moment.abs_diff(clock) > LONGEST_AGO;
        if self.begins == CombinerCheckpoint::UNTIL_KNOWN {
            let first = record.timestamp.or_else(|| outcomes.first().and_then(|(timestamp, _)| *timestamp));
            if let Some(first) = first.filter(|first| *first <= latest && !is_unset(*first)) {
                self.begin(first);
            }
        }
        // The latest time of the beacons advances the watermark, except the times of beacons that are rejected because
        // of their time.
        let mut newest = None;
        for (timestamp, outcome) in outcomes {
            // A line of a file has no timestamp, so the time of each beacon is used instead.
            let moment = record.timestamp.or(*timestamp);
            match (outcome, moment) {
                // This case occurs only in files. The combiner checks it, because the airlock has no clock.
                (outcome, Some(moment)) if moment > latest || is_unset(moment) => {
                    let other = outcome.as_ref().err();
                    let reason = if is_unset(moment) { Reason::NoTime } else { Reason::Future };
                    self.reject(first_of(other, reason), offset, clock);
                    let opts_out = match outcome {
                        Ok(beacon) => beacon.opt_out().then(|| beacon.session_hash()),
                        Err(rejection) => rejection.opts_out,
                    };
                    withdraw(self, &Rejection { reason, opts_out }, None);
                }
                (Ok(beacon), Some(moment)) => {
                    newest = newest.max(Some(moment));
                    self.insert(beacon, moment, offset);
                }
                (Ok(_), None) => self.reject(Reason::NoTime, offset, clock),
                (Err(rejection), moment) => {
                    newest = newest.max(moment);
                    self.reject(rejection.reason, offset, moment.unwrap_or(clock));
                    withdraw(self, rejection, moment);
                }
            }
        }
        // If records are sorted, `reached` advances the watermark. The offsets of sorted records are not needed,
        // because a file is not replayed.
        if let Some(newest) = newest.filter(|_| !self.sorted) {
            self.low_offsets.record(newest, offset);
            self.lost_until(newest);
            self.advance(newest.saturating_sub(self.settings.rules.lateness));
        }
    }

    /// Counts a rejected beacon, unless an earlier process counted it.
    fn reject(&mut self, reason: Reason, offset: i64, moment: Timestamp) {
        if offset < self.counted_before {
            return;
        }
        for counts in [&mut self.counts, &mut self.totals] {
            counts.read += 1;
            counts.rejected[reason as usize] += 1;
        }
        self.note(reason, offset, moment);
    }

    /// Removes the open session summaries of a session that opted out in a rejected beacon.
    fn withdraw(&mut self, session: SessionHash, moment: Timestamp, offset: i64) {
        let with_it = self.store.withdraw(session, moment);
        // The opt-out expires later, so a replay must read this record again.
        self.low_offsets.record(moment, offset);
        if offset < self.counted_before {
            self.carried -= with_it;
            return;
        }
        for counts in [&mut self.counts, &mut self.totals] {
            counts.opted_out += with_it;
        }
    }

    /// Stores a note about a rejection, unless there are already [`MOST_NOTES`] notes.
    pub(super) fn note(&mut self, reason: Reason, offset: i64, moment: Timestamp) {
        if self.notes.len() < MOST_NOTES {
            self.notes.push(RejectionNote::new(
                reason,
                &self.settings.topic,
                self.partition,
                offset.unsigned_abs(),
                moment,
            ));
        }
    }
}

/// Returns the first reason that applies to a beacon with an impossible time. `other` is the rejection for another
/// reason, if there is one.
fn first_of(other: Option<&Rejection>, reason: Reason) -> Reason {
    match other.map(|rejection| rejection.reason) {
        None | Some(Reason::NoTime | Reason::Future | Reason::UnknownTenant | Reason::Misplaced) => reason,
        Some(earlier) => earlier,
    }
}
