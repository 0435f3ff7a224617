//! One partition of the partials: cells of all partitions of the beacons in, published tables out.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crowdfold_airlock::Millis;
use crowdfold_release::{Coverage, Policy, release};
use crowdfold_rollup::wire::{self, Closure, Partial};
use crowdfold_rollup::{Counts, Rules, Table, Window};

use crate::source::{Pending, Source, Span};
use crate::{Alarms, Forced, Halt, MergerCheckpoint, Publication, SittingCounts, Start};

/// Most rows of one transaction; what is beyond waits for the next. One window always goes whole.
const MOST_ROWS: usize = 50_000;

/// What the mergers of one stage share.
#[derive(Clone, Debug)]
pub struct MergerSettings {
    /// What combiners and mergers agree on.
    pub rules: Arc<Rules>,
    /// Partitions of the partials (M).
    pub merge_partitions: u32,
    /// What a row must be to leave.
    pub policy: Policy,
    /// How long a window waits for a partition that does not come, ms.
    pub patience: Millis,
}

/// The machine of one partition of the partials.
pub struct Merger {
    settings: Arc<MergerSettings>,
    partition: u32,
    closed_until: Millis,
    /// Windows up to here were settled by a process before this one, ms.
    settled_before: Millis,
    floor: Millis,
    /// Every partition of the partials has an offset, or gets one with our first commit.
    whole: bool,
    next_offset: i64,
    at_end: bool,
    sources: BTreeMap<u32, Source>,
    /// Cells of open windows, by the windows' end and the tenant.
    windows: BTreeMap<Millis, BTreeMap<String, Vec<Table>>>,
    /// When closures first reached how far: (end, machine time).
    reached: VecDeque<(Millis, Millis)>,
    forced: Option<Forced>,
    publication: Option<Publication>,
    combined: Counts,
    /// Beacons that arrived in cells, and what became of them.
    arrived: u64,
    merged: SittingCounts,
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
        now: Millis,
    ) -> Self {
        let mut floor = start.floor;
        let mut closed_until = floor;
        let mut forced = None;
        let whole = start.checkpoint.as_ref().is_some_and(|known| known.whole);
        if let Some(known) = &start.checkpoint {
            closed_until = known.closed_until.max(floor);
            if known.policy == settings.policy.fingerprint() {
                forced.clone_from(&known.forced);
            } else {
                floor = floor.max(settings.rules.ceil(now));
            }
        }
        Self {
            settings,
            partition: start.partition,
            closed_until,
            settled_before: closed_until,
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
            merged: SittingCounts::default(),
            alarms: Alarms::default(),
        }
    }

    /// Takes the next record of the partition. `now` is the machine's time.
    ///
    /// # Errors
    /// [`Halt::Wire`]: a partial is never skipped.
    pub fn record(&mut self, value: &[u8], offset: i64, now: Millis) -> Result<(), Halt> {
        let partial =
            wire::read(value).map_err(|error| Halt::Wire { partition: self.partition, offset, error })?;
        self.next_offset = offset + 1;
        self.at_end = false;
        match partial {
            Partial::Chunk(chunk) => {
                self.sources.entry(chunk.partition).or_default().pending.push(chunk, value, offset);
            }
            Partial::Closure(closure) => self.close(&closure, offset, now),
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
    pub fn publish(&mut self, now: Millis) -> Option<&Publication> {
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

    /// What to commit where nothing is to be published: see [`crate::Combiner::standing`].
    #[must_use]
    pub fn standing(&self) -> (i64, MergerCheckpoint) {
        (self.needed(self.closed_until), self.checkpoint(self.closed_until, self.forced.clone()))
    }

    /// The partition.
    #[must_use]
    pub const fn partition(&self) -> u32 {
        self.partition
    }

    /// The end of the last window that is settled, ms.
    #[must_use]
    pub const fn closed_until(&self) -> Millis {
        self.closed_until
    }

    /// How long the oldest window that some partition closed has been waiting for others, ms.
    #[must_use]
    pub fn waiting(&self, now: Millis) -> Millis {
        self.reached.front().map_or(0, |(_, since)| now.saturating_sub(*since))
    }

    /// Verdicts that the combiners reported to this partition.
    #[must_use]
    pub const fn combined(&self) -> &Counts {
        &self.combined
    }

    /// What became of beacons and sittings.
    #[must_use]
    pub const fn merged(&self) -> &SittingCounts {
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
        let mut settled = self.merged;
        if let Some(publication) = &self.publication {
            settled.add(&publication.counts);
        }
        self.arrived == settled.beacons.released + settled.beacons.withheld + open
    }

    fn close(&mut self, closure: &Closure, offset: i64, now: Millis) {
        // what is on its way is settled too: cells that come now would make a second table of the window
        let settled = self.publication.as_ref().map_or(self.closed_until, |next| next.until);
        let source = self.sources.entry(closure.partition).or_default();
        let pending = std::mem::take(&mut source.pending);
        if closure.to <= settled {
            return;
        }
        let before = source.last_to.max(settled);
        if closure.to <= source.last_to {
            self.alarms.duplicates += 1;
            return;
        }
        let rules = &self.settings.rules;
        let mut withhold_before = closure.withhold_before;
        if closure.from > before || !pending.agrees_with(closure) {
            self.alarms.gaps += 1;
            withhold_before = if pending.agrees_with(closure) { closure.from } else { closure.to };
            withhold_before = withhold_before.max(closure.withhold_before);
        }
        let ours = rules.epoch(closure.partitions, self.settings.merge_partitions) == closure.epoch;
        if !ours {
            withhold_before = Millis::MAX;
        }
        source.last_to = closure.to;
        source.spans.push_back(Span {
            from: before,
            to: closure.to,
            epoch: closure.epoch,
            partitions: closure.partitions,
            withhold_before,
            first_offset: pending.first_offset.unwrap_or(offset),
        });
        if self.reached.back().is_none_or(|(end, _)| *end < closure.to) {
            self.reached.push_back((closure.to, now));
        }
        self.combined.add(&closure.counts);
        self.add(pending, closure, before, ours);
    }

    /// Adds the chunks of a closure to their windows.
    fn add(&mut self, pending: Pending, closure: &Closure, before: Millis, ours: bool) {
        let levels: Vec<_> = self.settings.rules.drilldowns.iter().map(Vec::len).collect();
        for chunk in pending.chunks {
            let end = chunk.window.end;
            if end <= self.settled_before {
                continue;
            }
            let drilldown = chunk.drilldown as usize;
            // cells of other drill-downs cannot be added; of their sittings nothing is published
            let fits = ours
                && levels
                    .get(drilldown)
                    .is_some_and(|levels| chunk.cells.iter().all(|(l, _)| l.len() == *levels))
                && end - chunk.window.start == self.settings.rules.window;
            // a decision holds whatever comes after it, also before it is known to be committed
            let pending = self.publication.as_ref().and_then(|next| next.checkpoint.forced.as_ref());
            let given_up = self
                .forced
                .as_ref()
                .or(pending)
                .is_some_and(|forced| end <= forced.end && forced.lacks(closure.partition));
            if !fits || given_up || end <= before || end > closure.to {
                if drilldown == 0 {
                    for (_, cell) in &chunk.cells {
                        self.arrived += cell.sums.beacons;
                        self.merged.beacons.withheld += cell.sums.beacons;
                        self.merged.sittings.withheld += cell.sessions;
                    }
                }
                continue;
            }
            let tables = self.windows.entry(end).or_default().entry(chunk.tenant).or_default();
            tables.resize_with(levels.len(), Table::new);
            for (label, cell) in chunk.cells {
                if drilldown == 0 {
                    self.arrived += cell.sums.beacons;
                }
                tables[drilldown].entry(label).or_default().add(&cell);
            }
        }
    }

    fn next_publication(&mut self, now: Millis) -> Option<Publication> {
        let mut partitions = self.partitions()?;
        let forced = self.forced.take();
        if let Some(forced) = &forced {
            // those that were added since need not come for it
            partitions = forced.partitions;
        }
        let came = |p: &u32| !forced.as_ref().is_some_and(|forced| forced.lacks(*p));
        let reached = |p: u32| self.sources.get(&p).map_or(0, |source| source.last_to);
        let mut frontier = (0..partitions).filter(came).map(reached).min()?;
        if let Some(forced) = &forced {
            // what was decided is carried out first, once those that did come are here again
            frontier = if frontier >= forced.end { forced.end } else { self.closed_until };
        }
        let next = if frontier > self.closed_until {
            Some(self.publication_until(frontier, forced.as_ref()))
        } else if forced.is_none() {
            self.decision(partitions, now)
        } else {
            None
        };
        self.forced = forced;
        next
    }

    /// How many partitions the beacons have, by the latest closures.
    fn partitions(&self) -> Option<u32> {
        self.sources.values().filter_map(|source| source.spans.back()).map(|span| span.partitions).max()
    }

    /// The decision to release the next window without those that did not come.
    fn decision(&self, partitions: u32, now: Millis) -> Option<Publication> {
        let impatient = self.at_end && self.waiting(now) >= self.settings.patience;
        if !impatient || partitions > MergerCheckpoint::MOST_FORCED {
            return None;
        }
        // the first window with data, else all that was reached: nothing is lost by giving empty ones up
        let (reached, _) = self.reached.front()?;
        let end = self.windows.keys().next().copied().filter(|end| end <= reached).unwrap_or(*reached);
        let mut missing = vec![0; partitions.div_ceil(8) as usize];
        for partition in 0..partitions {
            if self.sources.get(&partition).is_none_or(|source| source.last_to < end) {
                missing[partition as usize / 8] |= 1 << (partition % 8);
            }
        }
        Some(Publication {
            rollups: Vec::new(),
            offset: self.needed(self.closed_until),
            checkpoint: self.checkpoint(self.closed_until, Some(Forced { end, partitions, missing })),
            counts: SittingCounts::default(),
            alarms: Alarms { forced: 1, ..Alarms::default() },
            until: self.closed_until,
        })
    }

    /// Everything up to `frontier`, or as much of it as fits one transaction. Takes the windows out: from here on they
    /// live in the publication, which is kept until it is committed.
    fn publication_until(&mut self, frontier: Millis, forced: Option<&Forced>) -> Publication {
        let coverage = forced.map(|forced| Coverage {
            partitions: forced.partitions.saturating_sub(forced.count()),
            of: forced.partitions,
        });
        let mut made = Publication {
            rollups: Vec::new(),
            offset: 0,
            checkpoint: self.checkpoint(frontier, None),
            counts: SittingCounts::default(),
            alarms: Alarms::default(),
            until: frontier,
        };
        while let Some(next) = self.windows.first_entry().filter(|next| *next.key() <= frontier) {
            if made.rollups.len() >= MOST_ROWS {
                break;
            }
            let (end, tenants) = next.remove_entry();
            let window = Window { start: end - self.settings.rules.window, end };
            let mixed = self.is_mixed(window, forced);
            made.alarms.mixed += u64::from(mixed);
            for (tenant, tables) in tenants {
                if mixed || end <= self.floor {
                    let (sittings, beacons) = total(&tables);
                    made.counts.add(&SittingCounts::withheld(sittings, beacons));
                } else {
                    let released = release(&tenant, window, tables, &self.settings.policy, coverage);
                    made.alarms.faults += u64::from(released.fault.is_some());
                    made.counts.add(&SittingCounts::of(&released));
                    made.rollups.extend(released.rollups);
                }
            }
            made.until = end;
        }
        // windows without a beacon behind the last one are settled with it
        if self.windows.first_key_value().is_none_or(|(end, _)| *end > frontier) {
            made.until = frontier;
        }
        made.offset = self.needed(made.until);
        made.checkpoint.closed_until = made.until;
        made
    }

    /// Whether a complete window must not be released: mixed partitions or epochs, or a combiner's word.
    fn is_mixed(&self, window: Window, forced: Option<&Forced>) -> bool {
        let mut first: Option<&Span> = None;
        for (partition, source) in &self.sources {
            if forced.is_some_and(|forced| forced.lacks(*partition)) {
                continue;
            }
            let Some(span) = source.covering(window.end) else { continue };
            let like_first = first.is_none_or(|f| f.epoch == span.epoch && f.partitions == span.partitions);
            if span.withhold_before > window.start || !like_first || *partition >= span.partitions {
                return true;
            }
            first = Some(span);
        }
        false
    }

    fn needed(&self, closed_until: Millis) -> i64 {
        self.sources
            .values()
            .filter_map(|source| source.needed(closed_until))
            .min()
            .unwrap_or(self.next_offset)
    }

    fn checkpoint(&self, closed_until: Millis, forced: Option<Forced>) -> MergerCheckpoint {
        MergerCheckpoint {
            policy: self.settings.policy.fingerprint(),
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
