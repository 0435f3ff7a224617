//! A worker that drives the real operators over a simulated log.
#![expect(clippy::unwrap_used, reason = "a test says where it failed")]

use std::collections::BTreeMap;
use std::sync::Arc;

use crowdfold_airlock::{Airlock, Placement, Record, Shared};
use crowdfold_engine::{
    Combiner, CombinerCheckpoint, CombinerSettings, Merger, MergerCheckpoint, MergerSettings, OperatorSet,
    is_whole, plan_starts,
};
use crowdfold_model::Span;
use crowdfold_release::Secret;

use crate::{at, span};

use crate::log::{Broker, Load, TransactionResult};
use crate::scenario::{LATENESS, SKEW, Scenario, TENANTS};
use crate::seeded_bugs::Bug;

/// The state that all workers of a scenario share.
pub(crate) struct Shop {
    pub(crate) scenario: Scenario,
    pub(crate) shared: Arc<Shared>,
}

impl Shop {
    pub(crate) fn combine(&self, version: usize, partitions: u32) -> Arc<CombinerSettings> {
        Arc::new(CombinerSettings {
            rules: Arc::clone(&self.scenario.versions[version].rules),
            partitions,
            merge_partitions: self.scenario.merge_partitions,
            tenants: TENANTS.map(Into::into).to_vec(),
            topic: "beacons".into(),
            trust_timestamps: false,
            max_skew: span(SKEW),
            quiet: Span::ZERO,
        })
    }

    /// `bug`: of every second generation the workers have another policy than those before.
    fn merge(&self, version: usize, patience: u64, bug: Option<Bug>, generation: u64) -> Arc<MergerSettings> {
        let version = &self.scenario.versions[version];
        let policies = match bug.filter(|_| generation.is_multiple_of(2)) {
            Some(Bug::OtherDetail) => version.other_detail.clone(),
            Some(Bug::OtherSecret) if version.policies.common().is_noisy() => {
                version.policies.clone().keyed(&Secret::new([2; 32]))
            }
            _ => version.policies.clone(),
        };
        Arc::new(MergerSettings {
            rules: Arc::clone(&version.rules),
            merge_partitions: self.scenario.merge_partitions,
            policies,
            patience: span(patience),
        })
    }
}

/// One stage of a worker: nothing until it joins.
pub(crate) struct Half<M> {
    pub(crate) generation: u64,
    pub(crate) version: usize,
    pub(crate) operators: OperatorSet<M>,
}

impl<M: crowdfold_engine::Operator> Default for Half<M> {
    fn default() -> Self {
        Self { generation: 0, version: 0, operators: OperatorSet::default() }
    }
}

/// What a start brought with it that windows are withheld for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Started {
    /// Windows that start before it may be withheld, ms.
    pub(crate) withheld_before: u64,
    /// Windows that end at or before it may be missing, ms.
    pub(crate) floor: u64,
}

pub(crate) struct Worker {
    /// How long a window waits for a partition that does not come.
    pub(crate) patience: u64,
    /// What is done wrong, to see that it is found.
    pub(crate) bug: Option<Bug>,
    pub(crate) combine: Half<Combiner>,
    pub(crate) merge: Half<Merger>,
    /// Next offset to read of each partition of the partials.
    positions: BTreeMap<u32, i64>,
}

impl Worker {
    pub(crate) fn new(patience: u64, bug: Option<Bug>) -> Self {
        Self { patience, bug, combine: Half::default(), merge: Half::default(), positions: BTreeMap::new() }
    }

    /// Drops all of the combining stage and takes over what it is assigned, from what is committed.
    pub(crate) fn join_combine(
        &mut self,
        shop: &Shop,
        broker: &Broker,
        version: usize,
        owns: impl Fn(u32) -> bool,
        now: u64,
    ) -> Started {
        let n = shop.scenario.partitions[usize::from(broker.grown)];
        let settings = shop.combine(version, n);
        let rules = &settings.rules;
        let assigned: Vec<_> = (0..n).filter(|p| owns(*p)).collect();
        self.combine =
            Half { generation: broker.combine.generation, version, operators: OperatorSet::default() };
        let group = &broker.combine.committed[..n as usize];
        let empty = broker.partial_ends.iter().all(|end| *end == 0);
        let floor = rules.ceil(at(now + LATENESS));
        let starts = plan_starts::<CombinerCheckpoint>(&assigned, group, empty, floor, false).unwrap();
        let mut started = Started::default();
        for mut start in starts {
            let p = start.partition;
            let committed = group[p as usize].as_ref().map(|committed| committed.offset);
            let log_start = broker.log_starts[p as usize];
            let mut offset = committed.unwrap_or(log_start).max(log_start);
            let mut gap = committed.is_some_and(|committed| committed < log_start);
            if start.offsets_lost {
                started.floor = started.floor.max(start.floor.as_millis());
            }
            if let Some(known) = &mut start.checkpoint
                && known.layout_fingerprint != rules.layout_fingerprint(n, shop.scenario.merge_partitions)
            {
                let until = known.closed_until.max(known.floor) + rules.window + rules.idle;
                started.withheld_before = started.withheld_before.max(until.as_millis());
                if self.bug == Some(Bug::RollUnseen) {
                    known.layout_fingerprint = rules.layout_fingerprint(n, shop.scenario.merge_partitions);
                }
            }
            match (self.bug, &mut start) {
                (Some(Bug::SkippedReplay), start) => {
                    offset = start.checkpoint.map_or(offset, |known| known.read_offset).max(offset);
                }
                (Some(Bug::GapUnseen), _) => gap = false,
                (Some(Bug::NoFloor), start) => start.floor = at(0),
                (Some(Bug::HistoryForgotten), start) => {
                    if let Some(known) = &mut start.checkpoint {
                        known.begins = at(0);
                    }
                }
                (Some(Bug::WithholdForgotten), start) => {
                    if let Some(known) = &mut start.checkpoint {
                        known.withhold_before = at(0);
                    }
                }
                _ => {}
            }
            let placement = Placement { partition: p, of: n };
            let misplaced = self.bug != Some(Bug::MisplacedTaken);
            let airlock = Airlock::new(&shop.shared, misplaced.then_some(placement));
            let combiner = Combiner::new(Arc::clone(&settings), airlock, &start, offset, gap);
            let fresh = start.checkpoint.is_none() && self.bug != Some(Bug::NoFirstCommit);
            self.combine.operators.assign(p, combiner, fresh);
        }
        started
    }

    /// The same for the merging stage.
    pub(crate) fn join_merge(
        &mut self,
        shop: &Shop,
        broker: &Broker,
        version: usize,
        owns: impl Fn(u32) -> bool,
        now: u64,
    ) -> Started {
        let settings = shop.merge(version, self.patience, self.bug, broker.merge.generation);
        let assigned: Vec<_> = (0..shop.scenario.merge_partitions).filter(|m| owns(*m)).collect();
        self.merge = Half { generation: broker.merge.generation, version, operators: OperatorSet::default() };
        self.positions.clear();
        let mut group = broker.merge.committed.clone();
        if self.bug == Some(Bug::OneLostUnseen) {
            group.iter_mut().flatten().for_each(|held| held.metadata = held.metadata.replace(" a=1", ""));
        }
        let group = &group;
        let empty = broker.rollups.is_empty() && broker.aborted.is_empty();
        let floor = settings.rules.ceil(at(now + LATENESS));
        let starts = plan_starts::<MergerCheckpoint>(&assigned, group, empty, floor, false).unwrap();
        let whole = is_whole(&assigned, group);
        let mut started = Started::default();
        for mut start in starts {
            let m = start.partition;
            if start.offsets_lost {
                started.floor = started.floor.max(start.floor.as_millis());
            }
            if start.checkpoint.as_ref().is_some_and(|known| known.policy != settings.policies.fingerprint())
            {
                started.floor = started.floor.max(settings.rules.ceil(at(now)).as_millis());
            }
            match (self.bug, &mut start.checkpoint) {
                (Some(Bug::NoFloor), _) => start.floor = at(0),
                (Some(Bug::OtherDetail | Bug::OtherSecret), Some(known)) => {
                    known.policy = settings.policies.fingerprint();
                }
                _ => {}
            }
            let offset = group[m as usize].as_ref().map_or(0, |committed| committed.offset);
            let mut merger = Merger::new(Arc::clone(&settings), &start, offset, at(now));
            if whole {
                merger.know_whole();
            }
            let fresh = start.checkpoint.is_none() && self.bug != Some(Bug::NoFirstCommit);
            self.merge.operators.assign(m, merger, fresh);
            self.positions.insert(m, offset);
        }
        started
    }

    /// Reads up to `most` records of one partition of the beacons. At its end, says so. `hidden`: a log in which there
    /// is nothing.
    pub(crate) fn read_beacons(&mut self, shop: &Shop, partition: u32, most: u64, now: u64, hidden: bool) {
        let Some(combiner) = self.combine.operators.get_mut(partition) else { return };
        let log = if hidden { &[] } else { shop.scenario.logs[partition as usize].as_slice() };
        if self.bug == Some(Bug::WatermarkBeforeBatch) && !combiner.is_full() {
            let batch = log.iter().skip(combiner.position() as usize).take(most as usize);
            if let Some(last) = batch.take_while(|next| next.timestamp <= now).last() {
                combiner.at_end(at(last.timestamp + SKEW));
            }
        }
        if combiner.is_full() {
            return;
        }
        let from = combiner.position() as usize;
        let there = log.iter().enumerate().skip(from).take_while(|(_, next)| next.timestamp <= now);
        let mut read = 0;
        for (offset, next) in there.take(most as usize) {
            let record = Record {
                payload: &next.payload,
                content_type: next.content_type(),
                timestamp: Some(at(next.timestamp)),
            };
            combiner.hold(&record, offset as i64, at(now)).unwrap();
            read += 1;
        }
        combiner.insert_held();
        if read < most {
            let margin = if self.bug == Some(Bug::SilenceWithoutMargin) { LATENESS + SKEW } else { 0 };
            combiner.at_end(at(now + margin));
        }
        assert!(combiner.balanced(), "the combiner's ledger does not balance");
    }

    /// Reads up to `most` records of one partition of the partials; says so at its end. `quietly`: nothing went wrong
    /// that a merger could see.
    pub(crate) fn read_partials(
        &mut self,
        broker: &Broker,
        partition: u32,
        most: u64,
        now: u64,
        quietly: bool,
    ) {
        let Some(merger) = self.merge.operators.get_mut(partition) else { return };
        let position = self.positions.entry(partition).or_default();
        for _ in 0..most {
            let Some((offset, value)) = broker.partials[partition as usize].range(*position..).next() else {
                merger.at_end();
                return;
            };
            *position = offset + 1;
            merger.record(value, *offset, at(now)).unwrap();
            assert!(merger.balanced(), "the merger's ledger does not balance");
            let alarms = merger.alarms();
            let alarmed = alarms.duplicates + alarms.gaps + alarms.mixed;
            assert!(alarms.faults == 0 && !(quietly && alarmed > 0), "an alarm");
        }
        if self.bug == Some(Bug::DecidedUnread) {
            merger.at_end();
        }
    }

    /// Commits what is due of the combining stage; whether there was anything. `dies`: before it hears of it.
    pub(crate) fn commit_combined(
        &mut self,
        broker: &mut Broker,
        result: TransactionResult,
        now: u64,
        dies: bool,
    ) -> bool {
        let bug = self.bug;
        let half = &mut self.combine;
        let due = half.operators.due(at(now));
        if due.is_empty() {
            return false;
        }
        if broker.combine.generation != half.generation && bug != Some(Bug::ZombieCommits) {
            self.combine = Half::default();
            return false;
        }
        let mut partials = Vec::new();
        if !half.operators.is_first(&due) {
            for combiner in due.iter().filter_map(|p| half.operators.by_partition().get(p)) {
                partials.extend(combiner.prepared().iter().flat_map(|batch| batch.partials.iter().cloned()));
            }
        }
        let offsets = half.operators.offsets(&due);
        let reported = broker.transact(Load::Partials(partials), offsets, result);
        if dies {
            self.combine = Half::default();
            return true;
        }
        let is_committed = || half.operators.is_committed(&due, &broker.combine.committed);
        if reported.unwrap_or_else(|| guessed(bug).unwrap_or_else(is_committed)) {
            half.operators.committed(&due, at(now));
        }
        true
    }

    /// The same for the merging stage.
    pub(crate) fn commit_merged(
        &mut self,
        broker: &mut Broker,
        result: TransactionResult,
        now: u64,
        dies: bool,
    ) -> bool {
        let bug = self.bug;
        let half = &mut self.merge;
        let due = half.operators.due(at(now));
        if due.is_empty() {
            return false;
        }
        if broker.merge.generation != half.generation && bug != Some(Bug::ZombieCommits) {
            self.merge = Half::default();
            self.positions.clear();
            return false;
        }
        let publications =
            || due.iter().filter_map(|m| Some((*m, half.operators.by_partition().get(m)?.publication()?)));
        if bug == Some(Bug::UndecidedRelease) && publications().any(|(_, p)| p.checkpoint.forced.is_some()) {
            half.operators.committed(&due, at(now));
            return true;
        }
        let mut rows = Vec::new();
        if !half.operators.is_first(&due) {
            for (m, publication) in publications() {
                rows.extend(publication.rollups.iter().map(|rollup| (m, (rollup.key(), rollup.json()))));
            }
        }
        let offsets = half.operators.offsets(&due);
        let reported = broker.transact(Load::Rollups(rows), offsets, result);
        if dies {
            self.merge = Half::default();
            self.positions.clear();
            return true;
        }
        let is_committed = || half.operators.is_committed(&due, &broker.merge.committed);
        if reported.unwrap_or_else(|| guessed(bug).unwrap_or_else(is_committed)) {
            half.operators.committed(&due, at(now));
        }
        true
    }
}

/// Where the outcome of a transaction is not asked for but guessed.
const fn guessed(bug: Option<Bug>) -> Option<bool> {
    match bug {
        Some(Bug::DoubleCommit) => Some(false),
        Some(Bug::LostCommit) => Some(true),
        _ => None,
    }
}
