//! One partition of the partials: cells of all partitions of the beacons in, published tables out. How they come in is
//! in [`arrive`], what leaves, and when, in [`decide`].

mod arrive;
mod decide;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crowdfold_model::{Span, Table, Timestamp};
use crowdfold_release::Policies;

use crate::source::Source;
use crate::wire::{self, Partial};
use crate::{Alarms, Counts, EngineError, Forced, MergeCounts, MergerCheckpoint, Publication, Rules, Start};

/// What the mergers of one stage share.
#[derive(Clone, Debug)]
pub struct MergerSettings {
    /// What combiners and mergers agree on.
    pub rules: Arc<Rules>,
    /// Partitions of the partials (M).
    pub merge_partitions: u32,
    /// What a row must be to leave, by tenant.
    pub policies: Policies,
    /// How long a window waits for a partition that does not come.
    pub patience: Span,
}

/// The operator of one partition of the partials.
pub struct Merger {
    settings: Arc<MergerSettings>,
    partition: u32,
    closed_until: Timestamp,
    /// Windows up to here were committed by an earlier process.
    committed_before: Timestamp,
    floor: Timestamp,
    /// Every partition of the partials has an offset, or gets one with our first commit.
    whole: bool,
    next_offset: i64,
    at_end: bool,
    sources: BTreeMap<u32, Source>,
    /// Cells of open windows, by the windows' end and the tenant.
    windows: BTreeMap<Timestamp, BTreeMap<String, Vec<Table>>>,
    /// When close markers first reached how far: (end, machine time).
    reached: VecDeque<(Timestamp, Timestamp)>,
    forced: Option<Forced>,
    publication: Option<Publication>,
    combined: Counts,
    /// Beacons that arrived in cells, and what became of them.
    arrived: u64,
    merged: MergeCounts,
    alarms: Alarms,
}

impl Merger {
    /// Starts a partition at `offset`. `now` is the machine's time: a policy other than the committed one holds for
    /// windows that begin after it, so that no window is ever tabulated under two.
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
                // what lies at or before the floor is committed without it
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

    /// Takes the next record of the partition. `now` is the machine's time.
    ///
    /// # Errors
    /// [`EngineError::Wire`]: a partial is never skipped.
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

    /// Nothing that is committed lies beyond the last record given. Only then can a partition be missed: what is not
    /// read yet may hold it, and an attempt of a process before this one may have shown the window whole.
    pub const fn at_end(&mut self) {
        self.at_end = true;
    }

    /// Every partition of the partials has an offset, or gets one with the first commit of ours. Where one has none later,
    /// it lost it: what it published is not to be published again.
    pub const fn know_whole(&mut self) {
        self.whole = true;
    }

    /// Whether that is known.
    #[must_use]
    pub const fn knows_whole(&self) -> bool {
        self.whole
    }

    /// What to publish next, if anything. The same until [`Merger::committed`] is told.
    pub fn publish(&mut self, now: Timestamp) -> Option<&Publication> {
        if self.publication.is_none() {
            self.publication = self.next_publication(now);
        }
        self.publication.as_ref()
    }

    /// What [`Merger::publish`] made and is not committed.
    #[must_use]
    pub const fn publication(&self) -> Option<&Publication> {
        self.publication.as_ref()
    }

    /// The publication is committed.
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

    /// The commit where nothing is to be published: see [`crate::Combiner::idle_commit`].
    #[must_use]
    pub fn idle_commit(&self) -> (i64, MergerCheckpoint) {
        (self.needed(self.closed_until), self.checkpoint(self.closed_until, self.forced.clone()))
    }

    /// The partition.
    #[must_use]
    pub const fn partition(&self) -> u32 {
        self.partition
    }

    /// The end of the last window that is committed.
    #[must_use]
    pub const fn closed_until(&self) -> Timestamp {
        self.closed_until
    }

    /// How long the oldest window that some partition closed has been waiting for others.
    #[must_use]
    pub fn waiting(&self, now: Timestamp) -> Span {
        self.reached.front().map_or(Span::ZERO, |(_, since)| now.saturating_since(*since))
    }

    /// Outcomes that the combiners reported to this partition.
    #[must_use]
    pub const fn combined(&self) -> &Counts {
        &self.combined
    }

    /// The counts of beacons and session-windows by outcome.
    #[must_use]
    pub const fn merged(&self) -> &MergeCounts {
        &self.merged
    }

    /// What should not have been seen.
    #[must_use]
    pub const fn alarms(&self) -> &Alarms {
        &self.alarms
    }

    /// Whether every beacon that arrived is released, withheld or in an open window.
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

/// (sessions, beacons) of a tenant and window; every table holds the same.
fn total(tables: &[Table]) -> (u64, u64) {
    let cells = tables.first().into_iter().flat_map(Table::values);
    cells.fold((0, 0), |(sessions, beacons), cell| (sessions + cell.sessions, beacons + cell.sums.beacons))
}

#[cfg(test)]
mod tests;
