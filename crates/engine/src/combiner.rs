//! The combiner of one partition. It reads records of the topic of beacons, and prepares the partials of closed
//! windows.

mod intake;
mod sorted;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crowdfold_airlock::{Airlock, Ignored, Observation};
use crowdfold_model::{Reason, Span, Timestamp};
use crowdfold_release::RejectionNote;

use self::intake::RecordBuffer;
use crate::low_offsets::LowOffsets;
use crate::pack::{PartialRecord, pack};
use crate::wire::CloseMarker;
use crate::{CombinerCheckpoint, Counts, Outcome, Rules, SessionStore, Start};

/// The maximum number of rejection notes of one partition between two close markers. Rejections beyond it are counted
/// without a note.
const MOST_NOTES: usize = 1000;

/// The number of uncommitted batches at which the caller must stop passing records.
const MAX_PREPARED: usize = 2;

/// The settings that all combiners of a worker share.
#[derive(Clone, Debug)]
pub struct CombinerSettings {
    /// The rules that combiners and mergers must have in common.
    pub rules: Arc<Rules>,
    /// The number of partitions of the topic of beacons.
    pub partitions: u32,
    /// The number of partitions of the topic of partials.
    pub partial_partitions: u32,
    /// The names of all tenants. Observations contain indexes into this list.
    pub tenants: Vec<String>,
    /// The name of the topic of beacons, for rejection notes.
    pub topic: Arc<str>,
    /// True if producers set the timestamps of records, and false if the broker sets them when it appends the
    /// records.
    pub trust_timestamps: bool,
    /// The maximum time by which the timestamp of a record may be later than this machine's clock.
    pub max_skew: Span,
    /// The time after which a partition without new records counts as idle. It is used only with `trust_timestamps`.
    pub idle_timeout: Span,
}

/// The output of closed windows, which must be committed in one transaction. The batch is kept until its commit is
/// confirmed.
#[derive(Clone, Debug)]
pub struct PreparedBatch {
    /// The chunks of cells, followed by one close marker for every partition of the topic of partials.
    pub partials: Vec<PartialRecord>,
    /// The notes of the rejections since the previous batch.
    pub notes: Vec<RejectionNote>,
    /// The offset that is committed. A restart reads from this offset, because no record before it affects an open
    /// window or an unexpired assertion.
    pub safe_offset: i64,
    /// The checkpoint that is committed together with the offset.
    pub checkpoint: CombinerCheckpoint,
    /// The number of beacons by outcome since the previous batch.
    pub counts: Counts,
}

/// The combiner of one partition.
pub struct Combiner {
    settings: Arc<CombinerSettings>,
    airlock: Airlock,
    partition: u32,
    store: SessionStore,
    layout_fingerprint: u64,
    floor: Timestamp,
    /// The time up to which event time has passed: the highest record timestamp minus the allowed lateness. At a fresh
    /// start, the value is `None` until the first record.
    watermark: Option<Timestamp>,
    /// The first offset that earlier processes have not counted.
    counted_before: i64,
    next_offset: i64,
    safe_offset: i64,
    low_offsets: LowOffsets,
    /// The number of beacons by outcome since the previous batch.
    counts: Counts,
    totals: Counts,
    prepared_beacons: u64,
    /// The number of beacons that were counted by an earlier process and added to session summaries by this process.
    carried: u64,
    notes: Vec<RejectionNote>,
    prepared: VecDeque<PreparedBatch>,
    withhold_before: Timestamp,
    /// The current value of [`CombinerCheckpoint::begins`].
    begins: Timestamp,
    after_gap: bool,
    lost: u64,
    ignored: Ignored,
    at_end_since: Option<Timestamp>,
    buffer: RecordBuffer,
    /// True if records are passed in the order of their times. In this case, [`Self::reached`] advances the watermark,
    /// and records do not.
    sorted: bool,
    /// The last time that was passed to [`Self::reached`], or `None` if there was none.
    reached: Option<Timestamp>,
}

impl Combiner {
    /// Starts a partition at `offset`. This is the committed offset, or the first offset of the log if nothing is
    /// committed or the committed records have expired. `after_gap` is true if records before `offset` were lost.
    #[must_use]
    pub fn new(
        settings: Arc<CombinerSettings>,
        airlock: Airlock,
        start: &Start<CombinerCheckpoint>,
        offset: i64,
        after_gap: bool,
    ) -> Self {
        let rules = &settings.rules;
        let layout_fingerprint = rules.layout_fingerprint(settings.partitions, settings.partial_partitions);
        let closed_until = start.checkpoint.map_or(start.floor, |known| known.closed_until.max(known.floor));
        let mut withhold_before = start.checkpoint.map_or(Timestamp::EPOCH, |known| known.withhold_before);
        let after_gap = after_gap || withhold_before == CombinerCheckpoint::UNTIL_KNOWN;
        if withhold_before == CombinerCheckpoint::UNTIL_KNOWN {
            withhold_before = Timestamp::EPOCH;
        }
        // If the layout has changed, the open sessions were built with other rules. Therefore the windows that these
        // sessions affect are withheld.
        if start.checkpoint.is_some_and(|known| known.layout_fingerprint != layout_fingerprint) {
            withhold_before = withhold_before.max(closed_until + rules.window + rules.idle);
        }
        // If the log begins with offset 0, no record has expired.
        let fresh = if offset > 0 { CombinerCheckpoint::UNTIL_KNOWN } else { Timestamp::EPOCH };
        let begins = start.checkpoint.map_or(fresh, |known| known.begins);
        let mut store = SessionStore::new(Arc::clone(rules), &settings.tenants, closed_until);
        store.set_history(history_from(begins, rules));
        Self {
            store,
            airlock,
            partition: start.partition,
            layout_fingerprint,
            floor: start.floor,
            watermark: (closed_until > Timestamp::EPOCH).then_some(closed_until),
            counted_before: start.checkpoint.map_or(offset, |known| known.read_offset).max(offset),
            next_offset: offset,
            safe_offset: offset,
            low_offsets: LowOffsets::default(),
            counts: Counts::default(),
            totals: Counts::default(),
            prepared_beacons: 0,
            carried: 0,
            notes: Vec::new(),
            prepared: VecDeque::new(),
            withhold_before,
            begins,
            after_gap,
            lost: 0,
            ignored: Ignored::default(),
            at_end_since: None,
            buffer: RecordBuffer::default(),
            sorted: false,
            reached: None,
            settings,
        }
    }

    /// Reports that the partition had no further record at the time `asked`, when its end offset was requested.
    pub fn at_end(&mut self, asked: Timestamp) {
        self.insert_buffered();
        let since = *self.at_end_since.get_or_insert(asked);
        let idle_timeout =
            if self.settings.trust_timestamps { self.settings.idle_timeout } else { Span::ZERO };
        if asked.saturating_since(since) >= idle_timeout {
            self.lost_until(asked.saturating_add(self.settings.max_skew));
            let margin = self.settings.rules.lateness.saturating_add(self.settings.max_skew);
            self.advance(asked.saturating_sub(margin));
            self.sweep();
        }
    }

    /// Skips unreadable records before `offset`. The windows from the watermark to the time of the next record may
    /// belong to these records, so they are withheld. A replay of the log withholds the same windows.
    pub fn skip_to(&mut self, offset: i64) {
        self.insert_buffered();
        let from = self.next_offset.max(self.counted_before);
        self.count_lost(u64::try_from(offset.saturating_sub(from)).unwrap_or(0));
        self.next_offset = self.next_offset.max(offset);
        self.after_gap = true;
        self.at_end_since = None;
    }

    /// Adds to the number of records that were lost before any process counted them.
    pub const fn count_lost(&mut self, offsets: u64) {
        self.lost += offsets;
    }

    /// Returns the number of records that were lost before any process counted them.
    #[must_use]
    pub const fn lost(&self) -> u64 {
        self.lost
    }

    /// Returns the number of unusable values in the counted beacons, by field.
    #[must_use]
    pub const fn ignored(&self) -> &Ignored {
        &self.ignored
    }

    /// Reports that the partition may have further records, or that its end is unknown. The measurement of the time
    /// without records then starts anew.
    pub const fn not_at_end(&mut self) {
        self.at_end_since = None;
    }

    /// Returns the batches whose commit is not confirmed. The oldest batch is first.
    #[must_use]
    pub const fn prepared(&self) -> &VecDeque<PreparedBatch> {
        &self.prepared
    }

    /// Removes the `n` oldest batches after their commit was confirmed.
    pub fn committed(&mut self, n: usize) {
        self.prepared.drain(..n.min(self.prepared.len()));
    }

    /// Returns true if the caller must not pass further records until the commit of a batch is confirmed.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.prepared.len() >= MAX_PREPARED
    }

    /// Returns the offset and the checkpoint that an idle partition commits. For a partition with a commit, they repeat
    /// the last one, so that the broker does not expire it. For a partition without a commit, they are the first one.
    #[must_use]
    pub fn idle_commit(&self) -> (i64, CombinerCheckpoint) {
        (self.safe_offset, self.checkpoint(self.store.closed_until(), self.counted_before))
    }

    /// Returns the number of the partition.
    #[must_use]
    pub const fn partition(&self) -> u32 {
        self.partition
    }

    /// Returns the offset of the next record to read.
    #[must_use]
    pub const fn position(&self) -> i64 {
        self.next_offset
    }

    /// Returns the watermark, which is the highest record timestamp minus the allowed lateness. At a fresh start,
    /// returns `None` until the first record.
    #[must_use]
    pub const fn watermark(&self) -> Option<Timestamp> {
        self.watermark
    }

    /// Returns the number of open session-windows.
    #[must_use]
    pub const fn open_session_windows(&self) -> usize {
        self.store.open()
    }

    /// Returns the number of beacons by outcome since the process started.
    #[must_use]
    pub const fn totals(&self) -> &Counts {
        &self.totals
    }

    /// Returns true if every beacon is accounted for. The number of beacons read must equal the sum of three numbers:
    /// beacons without a session summary, prepared beacons, and beacons in open session summaries.
    #[must_use]
    pub fn balanced(&self) -> bool {
        self.totals.read + self.carried
            == self.totals.without_summary() + self.prepared_beacons + self.store.open_beacons()
    }

    /// Stores the timestamp of the first record. The known history begins at this time.
    fn begin(&mut self, timestamp: Timestamp) {
        self.begins = timestamp;
        self.store.set_history(history_from(timestamp, &self.settings.rules));
    }

    fn insert(&mut self, beacon: &Observation, record: Timestamp, offset: i64) {
        let outcome = self.store.insert(beacon, record);
        if offset < self.counted_before {
            // An earlier process counted this beacon. The beacon is read again only to rebuild sessions and open
            // session summaries.
            match outcome {
                Outcome::Inserted => self.carried += 1,
                Outcome::OptedOut(with_it) | Outcome::Excluded(with_it) => self.carried -= with_it,
                _ => {}
            }
            return;
        }
        for counts in [&mut self.counts, &mut self.totals] {
            outcome.count(counts);
            counts.clock_ahead += u64::from(beacon.clock_ahead());
        }
        if outcome == Outcome::Overload {
            self.note(Reason::Overload, offset, record);
        }
    }

    /// Withholds windows if records have been lost: the windows of the lost records, and the windows that would have
    /// inherited values from these records. `newest` is the latest possible timestamp of a lost record.
    fn lost_until(&mut self, newest: Timestamp) {
        if std::mem::take(&mut self.after_gap) {
            let until = newest.saturating_add(self.settings.rules.idle + Span::from_millis(1));
            self.withhold_before = self.withhold_before.max(until);
            // The loss may also make attempts incomplete. `withhold_before` already covers the windows of such
            // attempts.
            if self.begins == CombinerCheckpoint::UNTIL_KNOWN {
                self.begin(newest);
            }
        }
    }

    fn advance(&mut self, to: Timestamp) {
        let watermark = self.watermark.map_or(to, |before| before.max(to));
        self.watermark = Some(watermark);
        let until = self.settings.rules.floor(watermark);
        if until > self.store.closed_until() {
            self.prepare(until);
        }
    }

    /// Removes unused words from the dictionary. It must not be called while beacons are buffered, because the symbols
    /// in these beacons must remain valid.
    fn sweep(&mut self) {
        if self.airlock.dictionary().wants_sweep() {
            self.airlock.sweep(self.store.symbols());
        }
    }

    fn checkpoint(&self, closed_until: Timestamp, read_offset: i64) -> CombinerCheckpoint {
        let withhold_before = match self.withhold_before {
            _ if self.after_gap => CombinerCheckpoint::UNTIL_KNOWN,
            until if until > closed_until => until,
            _ => Timestamp::EPOCH,
        };
        CombinerCheckpoint {
            withhold_before,
            layout_fingerprint: self.layout_fingerprint,
            closed_until,
            floor: self.floor,
            read_offset,
            partitions: self.settings.partitions,
            begins: if history_from(self.begins, &self.settings.rules) > closed_until {
                self.begins
            } else {
                Timestamp::EPOCH
            },
        }
    }

    /// Closes the windows that end at or before `to`, and prepares a batch with their partials.
    fn prepare(&mut self, to: Timestamp) {
        let from = self.store.closed_until();
        let closed = self.store.close(to, self.airlock.dictionary());
        let counts = std::mem::take(&mut self.counts);
        for tables in closed.iter().flat_map(|window| window.tenants.values()) {
            // Every table of a tenant contains the same session-windows, so only the first table is counted.
            let cells = tables.first().into_iter().flat_map(BTreeMap::values);
            self.prepared_beacons += cells.map(|cell| cell.sums.beacons).sum::<u64>();
        }
        let marker = CloseMarker {
            partition: self.partition,
            partitions: self.settings.partitions,
            layout_fingerprint: self.layout_fingerprint,
            from,
            to,
            withhold_before: self.withhold_before,
            chunks: 0,
            checksum: 0,
            counts,
        };
        let partials = pack(&closed, &self.settings.tenants, self.settings.partial_partitions, &marker);
        let horizon = to.saturating_sub(self.settings.rules.idle);
        self.safe_offset = self.low_offsets.since(horizon).unwrap_or(self.next_offset);
        self.counted_before = self.counted_before.max(self.next_offset);
        self.prepared.push_back(PreparedBatch {
            partials,
            notes: std::mem::take(&mut self.notes),
            safe_offset: self.safe_offset,
            checkpoint: self.checkpoint(to, self.counted_before),
            counts,
        });
    }
}

/// Returns the start of the first window in which attempts without a reported start count.
fn history_from(begins: Timestamp, rules: &Rules) -> Timestamp {
    if begins == Timestamp::EPOCH { begins } else { begins.saturating_add(rules.idle) }
}

#[cfg(test)]
mod tests;
