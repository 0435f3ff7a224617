//! The threads of `fold`. First they read and sort records together. Then each thread combines one share of the
//! sessions.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::num::NonZero;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender};
use std::thread;

use anyhow::{Context as _, Result};
use crowdfold_airlock::{Airlock, Durations, Ignored, LineTime, Record, SentFields, Share, Shared};
use crowdfold_engine::{Combiner, CombinerSettings, Counts, PreparedBatch, Start};
use crowdfold_model::Timestamp;

use super::progress::RecordCounter;
use super::reading::{Chunk, Inputs, LastTimes};
use super::sort::{Key, Sorted, Sorter};

/// The maximum number of shares, because a set of shares has 64 bits.
const MOST: usize = 64;

/// The time in the key of a record that must be processed before all records with a time.
const FIRST: Timestamp = Timestamp::EPOCH;

/// Returns the number of shares, which is the number of threads. `threads` is the setting, or `None` for the number of
/// cores.
pub(super) fn count(threads: Option<usize>) -> u32 {
    let cores = || thread::available_parallelism().map_or(1, NonZero::get);
    threads.unwrap_or_else(cores).clamp(1, MOST) as u32
}

/// One share of the sessions.
pub(super) struct ShareOfSessions {
    combiner: Combiner,
    /// The start of the command. It serves as the current time for all records, so the result does not depend on the
    /// duration of the command.
    now: Timestamp,
    offset: i64,
}

/// The output of a share for the merger.
pub(super) enum Output {
    Batches(Vec<PreparedBatch>),
    /// All records are combined, and the newest window of the share ends at this time.
    End(Timestamp),
}

impl ShareOfSessions {
    pub(super) fn new(
        settings: &Arc<CombinerSettings>,
        shared: &Arc<Shared>,
        nth: u32,
        now: Timestamp,
    ) -> Self {
        let airlock = Airlock::of_share(shared, Share { nth, of: settings.partitions });
        let start = Start { partition: nth, checkpoint: None, floor: Timestamp::EPOCH, offsets_lost: false };
        let combiner = Combiner::new(Arc::clone(settings), airlock, &start, 0, false).of_sorted_records();
        Self { combiner, now, offset: 0 }
    }

    pub(super) const fn totals(&self) -> &Counts {
        self.combiner.totals()
    }

    pub(super) const fn ignored(&self) -> &Ignored {
        self.combiner.ignored()
    }

    pub(super) const fn sent_fields(&self) -> &SentFields {
        self.combiner.sent_fields()
    }

    pub(super) const fn durations(&self) -> &Durations {
        self.combiner.durations()
    }

    /// Reads chunks of the input, and passes their records to a sorter. The records may belong to any share.
    pub(super) fn read(
        &mut self,
        inputs: &Inputs<'_>,
        times: &LastTimes,
        mut sorter: Sorter,
        unsorted: &str,
    ) -> Result<Sorter> {
        let mut chunk = Chunk::default();
        while inputs.read(&mut chunk)? {
            let mut last = None;
            for (place, record) in chunk.records() {
                let (time, shares) = self.combiner.line_time(record, self.now);
                let time = match time {
                    LineTime::At(time) => {
                        last = Some(Some(time));
                        time
                    }
                    // A record without a time is sorted directly after the record before it, because an opt-out in it
                    // may still take effect.
                    LineTime::Unknown => {
                        last.get_or_insert_with(|| times.before(chunk.number)).unwrap_or(FIRST)
                    }
                    // An unreadable record is rejected, whatever its position is.
                    LineTime::Unreadable => FIRST,
                };
                let mut left = shares;
                while left != 0 {
                    let key = Key { share: left.trailing_zeros(), time, place };
                    left &= left - 1;
                    sorter.push(key, record).with_context(|| unsorted.to_owned())?;
                }
            }
            times.set(chunk.number, last.unwrap_or_else(|| times.before(chunk.number)));
        }
        Ok(sorter)
    }

    /// Combines the sorted records of the share, and sends the batches of closed windows. Then closes all windows that
    /// end at or before the time that is received.
    pub(super) fn combine(
        &mut self,
        mut records: SortedRecords,
        output: &SyncSender<Output>,
        last_end: &Receiver<Timestamp>,
        mut progress: RecordCounter,
        unsorted: &str,
    ) -> Result<()> {
        while let Some((time, line)) = records.next().with_context(|| unsorted.to_owned())? {
            if time > FIRST {
                self.combiner.reached(time);
                if self.combiner.is_full() && !self.send(output) {
                    return Ok(());
                }
            }
            let record = Record { payload: line, content_type: None, timestamp: None };
            self.combiner.buffer(&record, self.offset, self.now)?;
            self.offset += 1;
            progress.record();
        }
        let end = self.combiner.last_end();
        if self.send(output)
            && output.send(Output::End(end)).is_ok()
            && let Ok(last) = last_end.recv()
        {
            self.combiner.finish(last);
            self.send(output);
        }
        Ok(())
    }

    /// Sends the prepared batches. Returns false if the receiver has ended because of an error.
    fn send(&mut self, output: &SyncSender<Output>) -> bool {
        let batches = self.combiner.take_prepared();
        batches.is_empty() || output.send(Output::Batches(batches)).is_ok()
    }
}

/// The sorted records of one share, from all sorters.
pub(super) struct SortedRecords {
    parts: Vec<Sorted>,
    /// The key of the next record of each part, and the index of the part. The part with the first key is at the top.
    heads: BinaryHeap<Reverse<(Key, usize)>>,
    /// The part from which the last record was returned. The next record of this part is not in `heads` yet.
    lent: Option<usize>,
}

impl SortedRecords {
    fn new(parts: Vec<Sorted>) -> io::Result<Self> {
        let mut records = Self { parts, heads: BinaryHeap::new(), lent: None };
        for part in 0..records.parts.len() {
            records.advance(part)?;
        }
        Ok(records)
    }

    /// Ends the sorters. Returns the records of each share.
    pub(super) fn of_all(sorters: Vec<Sorter>, shares: u32) -> io::Result<Vec<Self>> {
        let mut parts: Vec<Vec<Sorted>> = (0..shares).map(|_| Vec::new()).collect();
        for sorter in sorters {
            parts.iter_mut().zip(sorter.sorted()?).for_each(|(parts, part)| parts.push(part));
        }
        parts.into_iter().map(Self::new).collect()
    }

    fn advance(&mut self, part: usize) -> io::Result<()> {
        if let Some(key) = self.parts[part].key()? {
            self.heads.push(Reverse((key, part)));
        }
        Ok(())
    }

    /// Returns the time and the bytes of the next record. Returns `None` after the last record.
    fn next(&mut self) -> io::Result<Option<(Timestamp, &[u8])>> {
        if let Some(part) = self.lent.take() {
            self.advance(part)?;
        }
        let Some(Reverse((key, part))) = self.heads.pop() else { return Ok(None) };
        self.lent = Some(part);
        Ok(self.parts[part].next()?.map(|(_, record)| (key.time, record)))
    }
}

/// Creates one sorter for each share. Together they use at most `memory` bytes.
pub(super) fn sorters(memory: usize, directory: &Path, shares: u32) -> impl Iterator<Item = Sorter> {
    (0..shares).map(move |_| Sorter::new(memory / shares as usize, directory.to_owned(), shares))
}
