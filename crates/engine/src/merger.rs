//! The merger of one partition of the partials. It takes cells of all partitions of the beacons, and returns published
//! tables. [`arrive`] adds cells, and [`decide`] selects the windows to publish.

mod arrive;
mod decide;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crowdfold_model::{Span, Table, Timestamp};
use crowdfold_release::Policies;

use crate::source::Source;
use crate::wire::{self, Partial};
use crate::{Alarms, Counts, EngineError, Forced, MergeCounts, MergerCheckpoint, Publication, Rules, Start};

/// The settings that the mergers of one stage share.
#[derive(Clone, Debug)]
pub struct MergerSettings {
    /// The rules that combiners and mergers agree on.
    pub rules: Arc<Rules>,
    /// The number of partitions of the partials (M).
    pub merge_partitions: u32,
    /// The release policies of all tenants.
    pub policies: Policies,
    /// The time that a window waits for a missing partition.
    pub timeout: Span,
}

/// The merger of one partition of the partials.
pub struct Merger {
    settings: Arc<MergerSettings>,
    partition: u32,
    closed_until: Timestamp,
    /// The end of the last window that an earlier process committed.
    committed_before: Timestamp,
    floor: Timestamp,
    /// True if every partition of the partials has an offset, or will have one after our first commit.
    whole: bool,
    next_offset: i64,
    at_end: bool,
    sources: BTreeMap<u32, Source>,
    /// The cells of open windows, by the end of the window and by tenant.
    windows: BTreeMap<Timestamp, BTreeMap<String, Vec<Table>>>,
    /// The times at which close markers first reached an end: (end, machine time).
    reached: VecDeque<(Timestamp, Timestamp)>,
    forced: Option<Forced>,
    publication: Option<Publication>,
    combined: Counts,
    /// The number of beacons in received cells. They are released, withheld or in an open window.
    arrived: u64,
    merged: MergeCounts,
    alarms: Alarms,
}

impl Merger {
    /// Starts a partition at `offset`. `now` is the machine's time. A policy that differs from the committed one
    /// applies to windows that begin after `now`, so that each window has one policy.
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
                // A decision for a window at or before the floor is obsolete.
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

    /// Processes the next record of the partition. `now` is the machine's time.
    ///
    /// # Errors
    /// Returns [`EngineError::Wire`], because a partial is never skipped.
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

    /// Reports that no committed partial follows the last record. Only then can a partition be declared missing.
    /// Otherwise an unread partial may contain it, and an earlier process may have published the complete window in an
    /// aborted attempt.
    pub const fn at_end(&mut self) {
        self.at_end = true;
    }

    /// Reports that every partition of the partials has an offset, or will have one after our first commit. If a
    /// partition has no offset later, it has lost it, and its published windows must not be published again.
    pub const fn know_whole(&mut self) {
        self.whole = true;
    }

    /// Returns true after [`Self::know_whole`].
    #[must_use]
    pub const fn knows_whole(&self) -> bool {
        self.whole
    }

    /// Returns the next publication, if there is one. It is the same until [`Merger::committed`].
    pub fn publish(&mut self, now: Timestamp) -> Option<&Publication> {
        if self.publication.is_none() {
            self.publication = self.next_publication(now);
        }
        self.publication.as_ref()
    }

    /// Returns the result of [`Merger::publish`] that is not committed.
    #[must_use]
    pub const fn publication(&self) -> Option<&Publication> {
        self.publication.as_ref()
    }

    /// Reports that the publication is committed.
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

    /// Returns the commit without a publication (see [`crate::Combiner::idle_commit`]).
    #[must_use]
    pub fn idle_commit(&self) -> (i64, MergerCheckpoint) {
        (self.needed(self.closed_until), self.checkpoint(self.closed_until, self.forced.clone()))
    }

    /// Returns the partition.
    #[must_use]
    pub const fn partition(&self) -> u32 {
        self.partition
    }

    /// Returns the end of the last committed window.
    #[must_use]
    pub const fn closed_until(&self) -> Timestamp {
        self.closed_until
    }

    /// Returns how long the oldest window with a close marker has waited for other partitions.
    #[must_use]
    pub fn waiting(&self, now: Timestamp) -> Span {
        self.reached.front().map_or(Span::ZERO, |(_, since)| now.saturating_since(*since))
    }

    /// Returns the outcomes that combiners reported to this partition.
    #[must_use]
    pub const fn combined(&self) -> &Counts {
        &self.combined
    }

    /// Returns the counts of beacons and session-windows by outcome.
    #[must_use]
    pub const fn merged(&self) -> &MergeCounts {
        &self.merged
    }

    /// Returns the counts of events that should not occur.
    #[must_use]
    pub const fn alarms(&self) -> &Alarms {
        &self.alarms
    }

    /// Returns true if every received beacon is released, withheld or in an open window.
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

/// Returns the sessions and beacons of a tenant and window, which are the same in every table.
fn total(tables: &[Table]) -> (u64, u64) {
    let cells = tables.first().into_iter().flat_map(Table::values);
    cells.fold((0, 0), |(sessions, beacons), cell| (sessions + cell.sessions, beacons + cell.sums.beacons))
}

#[cfg(test)]
mod tests;
