//! The merger of one partition of the topic of partials. It adds the cells of all partitions of the beacons, and
//! returns tables to publish. [`arrive`] adds cells, and [`decide`] selects the windows to publish.

mod arrive;
mod decide;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crowdfold_model::{Span, Table, Timestamp};
use crowdfold_release::Policies;

use crate::source::Source;
use crate::wire::{self, Partial};
use crate::{Alarms, Counts, EngineError, Forced, MergeCounts, MergerCheckpoint, Publication, Rules, Start};

/// The settings that all mergers of a worker share.
#[derive(Clone, Debug)]
pub struct MergerSettings {
    /// The rules that combiners and mergers must have in common.
    pub rules: Arc<Rules>,
    /// The number of partitions of the topic of partials.
    pub partial_partitions: u32,
    /// The release policies of all tenants.
    pub policies: Policies,
    /// The time for which a window waits for missing partitions.
    pub timeout: Span,
}

/// The merger of one partition of the topic of partials.
pub struct Merger {
    settings: Arc<MergerSettings>,
    partition: u32,
    closed_until: Timestamp,
    /// The end of the last window whose publication was committed when this process started.
    committed_before: Timestamp,
    floor: Timestamp,
    /// True if every partition of the topic of partials has an offset, or will have one after the first commit of
    /// this worker.
    whole: bool,
    next_offset: i64,
    at_end: bool,
    sources: BTreeMap<u32, Source>,
    /// The tables of windows that are not yet published, by the end of the window and by tenant.
    windows: BTreeMap<Timestamp, BTreeMap<String, Vec<Table>>>,
    /// The ends of windows. Each has the time, by the clock of this machine, at which a close marker first reached it.
    reached: VecDeque<(Timestamp, Timestamp)>,
    forced: Option<Forced>,
    publication: Option<Publication>,
    combined: Counts,
    /// The number of beacons in the cells that were received. Each of these beacons is released, withheld or in an open
    /// window.
    arrived: u64,
    merged: MergeCounts,
    alarms: Alarms,
}

impl Merger {
    /// Starts a partition at `offset`. `now` is the current time of this machine. If the release policies differ from
    /// the committed ones, the new policies apply to windows that begin after `now`. Therefore all rows of a window
    /// have the same policy.
    #[must_use]
    pub fn new(
        settings: Arc<MergerSettings>,
        start: &Start<MergerCheckpoint>,
        offset: i64,
        now: Timestamp,
    ) -> Self {
        let mut floor = start.floor;
        let mut closed_until = floor;
        let mut forced = None;
        let whole = start.checkpoint.as_ref().is_some_and(|known| known.whole);
        if let Some(known) = &start.checkpoint {
            closed_until = known.closed_until.max(floor);
            if known.policy == settings.policies.fingerprint() {
                // A decision about a window that ends at or before the floor is obsolete.
                forced = known.forced.clone().filter(|forced| forced.end > closed_until);
            } else {
                floor = floor.max(settings.rules.ceil(now));
            }
        }
        Self {
            settings,
            partition: start.partition,
            closed_until,
            committed_before: closed_until,
            floor,
            whole,
            next_offset: offset,
            at_end: false,
            sources: BTreeMap::new(),
            windows: BTreeMap::new(),
            reached: VecDeque::new(),
            forced,
            publication: None,
            combined: Counts::default(),
            arrived: 0,
            merged: MergeCounts::default(),
            alarms: Alarms::default(),
        }
    }

    /// Processes the next record of the partition. `now` is the current time of this machine.
    ///
    /// # Errors
    /// Returns [`EngineError::Wire`] if the record cannot be decoded. The partition must then stop, because a partial
    /// must not be skipped.
    pub fn record(&mut self, value: &[u8], offset: i64, now: Timestamp) -> Result<(), EngineError> {
        let partial = wire::read(value).map_err(|error| EngineError::Wire {
            partition: self.partition,
            offset,
            error,
        })?;
        self.next_offset = offset + 1;
        self.at_end = false;
        match partial {
            Partial::Chunk(chunk) => {
                self.sources.entry(chunk.partition).or_default().pending.push(chunk, value, offset);
            }
            Partial::CloseMarker(marker) => self.close(&marker, offset, now),
        }
        Ok(())
    }

    /// Reports that all committed records have been read. Before this call, the merger must not declare a partition
    /// missing: an unread record may contain the cells of that partition, and an earlier process may have sent the
    /// complete table in an aborted transaction.
    pub const fn at_end(&mut self) {
        self.at_end = true;
    }

    /// Reports that every partition of the topic of partials has an offset, or will have one after the first commit of
    /// this worker. If a partition has no offset at a later start, its offset was lost. The windows of this partition
    /// must then not be published again.
    pub const fn know_whole(&mut self) {
        self.whole = true;
    }

    /// Returns true if this process or an earlier one called [`Self::know_whole`].
    #[must_use]
    pub const fn knows_whole(&self) -> bool {
        self.whole
    }

    /// Returns the next publication, or `None` if there is nothing to publish. Returns the same publication until
    /// [`Merger::committed`] is called.
    pub fn publish(&mut self, now: Timestamp) -> Option<&Publication> {
        if self.publication.is_none() {
            self.publication = self.next_publication(now);
        }
        self.publication.as_ref()
    }

    /// Returns the last result of [`Merger::publish`] if its commit is not confirmed.
    #[must_use]
    pub const fn publication(&self) -> Option<&Publication> {
        self.publication.as_ref()
    }

    /// Reports that the current publication is committed.
    pub fn committed(&mut self) {
        let Some(publication) = self.publication.take() else { return };
        self.closed_until = publication.until;
        self.forced = publication.checkpoint.forced;
        self.merged.add(&publication.counts);
        self.alarms.add(&publication.alarms);
        for source in self.sources.values_mut() {
            source.forget(self.closed_until);
        }
        while self.reached.front().is_some_and(|(end, _)| *end <= self.closed_until) {
            self.reached.pop_front();
        }
    }

    /// Returns the offset and the checkpoint that an idle partition commits ([`crate::Combiner::idle_commit`]).
    #[must_use]
    pub fn idle_commit(&self) -> (i64, MergerCheckpoint) {
        (self.needed(self.closed_until), self.checkpoint(self.closed_until, self.forced.clone()))
    }

    /// Returns the number of the partition.
    #[must_use]
    pub const fn partition(&self) -> u32 {
        self.partition
    }

    /// Returns the end of the last window whose publication is committed.
    #[must_use]
    pub const fn closed_until(&self) -> Timestamp {
        self.closed_until
    }

    /// Returns the time for which the oldest unpublished window has waited for other partitions. The time begins when
    /// the first close marker reached the window.
    #[must_use]
    pub fn waiting(&self, now: Timestamp) -> Span {
        self.reached.front().map_or(Span::ZERO, |(_, since)| now.saturating_since(*since))
    }

    /// Returns the outcomes that combiners have reported in close markers of this partition.
    #[must_use]
    pub const fn combined(&self) -> &Counts {
        &self.combined
    }

    /// Returns the number of beacons, session-windows and windows that were released or withheld.
    #[must_use]
    pub const fn merged(&self) -> &MergeCounts {
        &self.merged
    }

    /// Returns the number of unexpected events.
    #[must_use]
    pub const fn alarms(&self) -> &Alarms {
        &self.alarms
    }

    /// Returns true if every beacon in the received cells is released, withheld or in an open window.
    #[must_use]
    pub fn balanced(&self) -> bool {
        let open: u64 = self.windows.values().flat_map(BTreeMap::values).map(|tables| total(tables).1).sum();
        let mut decided = self.merged;
        if let Some(publication) = &self.publication {
            decided.add(&publication.counts);
        }
        self.arrived == decided.beacons.released + decided.beacons.withheld + open
    }

    fn needed(&self, closed_until: Timestamp) -> i64 {
        self.sources
            .values()
            .filter_map(|source| source.needed(closed_until))
            .min()
            .unwrap_or(self.next_offset)
    }

    fn checkpoint(&self, closed_until: Timestamp, forced: Option<Forced>) -> MergerCheckpoint {
        MergerCheckpoint {
            policy: self.settings.policies.fingerprint(),
            closed_until,
            floor: self.floor,
            whole: self.whole,
            forced,
        }
    }
}

/// Returns the number of sessions and of beacons of one window of a tenant. All of its tables have the same numbers.
fn total(tables: &[Table]) -> (u64, u64) {
    let cells = tables.first().into_iter().flat_map(Table::values);
    cells.fold((0, 0), |(sessions, beacons), cell| (sessions + cell.sessions, beacons + cell.sums.beacons))
}

#[cfg(test)]
mod tests;
