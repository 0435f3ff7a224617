//! A worker that runs the real operators on a simulated broker.
#![expect(clippy::unwrap_used, reason = "a panic shows the location of the failure")]

use std::collections::BTreeMap;
use std::sync::Arc;

use crowdfold_airlock::{Airlock, Placement, Record, Shared};
use crowdfold_engine::{
    Combiner, CombinerCheckpoint, CombinerSettings, Merger, MergerCheckpoint, MergerSettings, OperatorSet,
    Rules, is_whole, plan_starts,
};
use crowdfold_model::Span;
use crowdfold_release::Secret;

use crate::{at, span};

use crate::log::{Broker, Load, TransactionResult};
use crate::scenario::{LATENESS, SKEW, Scenario, TENANTS};
use crate::seeded_bugs::{Bug, guessed, with_fingerprint};

/// The scenario, and the state that all of its workers share.
pub(crate) struct Deployment {
    pub(crate) scenario: Scenario,
    pub(crate) shared: Arc<Shared>,
}

impl Deployment {
    pub(crate) fn combine(&self, version: usize, partitions: u32) -> Arc<CombinerSettings> {
        Arc::new(CombinerSettings {
            rules: Arc::clone(&self.scenario.versions[version].rules),
            partitions,
            partial_partitions: self.scenario.partial_partitions,
            tenants: TENANTS.map(Into::into).to_vec(),
            topic: "beacons".into(),
            trust_timestamps: false,
            max_skew: span(SKEW),
            idle_timeout: Span::ZERO,
        })
    }

    fn differs_in_quality_alone(&self) -> bool {
        let [before, after] = &self.scenario.versions;
        before.differs_in_quality_alone(after)
    }

    /// Returns the settings of a merger. Some bugs give another policy to the workers of every second generation.
    fn merge(&self, version: usize, timeout: u64, bug: Option<Bug>, generation: u64) -> Arc<MergerSettings> {
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
            partial_partitions: self.scenario.partial_partitions,
            policies,
            timeout: span(timeout),
        })
    }
}

/// One of the two stages of a worker. The stage has no partitions until the worker joins the group.
pub(crate) struct Stage<M> {
    pub(crate) generation: u64,
    pub(crate) version: usize,
    pub(crate) operators: OperatorSet<M>,
}

impl<M: crowdfold_engine::Operator> Default for Stage<M> {
    fn default() -> Self {
        Self { generation: 0, version: 0, operators: OperatorSet::default() }
    }
}

/// The windows that may be missing after a restart.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Started {
    /// Windows that start before this time may be withheld, in milliseconds.
    pub(crate) withheld_before: u64,
    /// Windows that end at or before this time may be missing, in milliseconds.
    pub(crate) floor: u64,
}

pub(crate) struct Worker {
    /// The time for which a window waits for a missing partition, in milliseconds.
    pub(crate) timeout: u64,
    /// The seeded bug of this worker, or `None` if it has no bug.
    pub(crate) bug: Option<Bug>,
    pub(crate) combine: Stage<Combiner>,
    pub(crate) merge: Stage<Merger>,
    /// The next offset to read in each partition of the topic of partials.
    positions: BTreeMap<u32, i64>,
    /// The rules whose fingerprint replaces the fingerprint in each close marker, for [`Bug::QualityUnseen`].
    assumed: Option<Arc<Rules>>,
}

impl Worker {
    pub(crate) fn new(timeout: u64, bug: Option<Bug>) -> Self {
        Self {
            timeout,
            bug,
            combine: Stage::default(),
            merge: Stage::default(),
            positions: BTreeMap::new(),
            assumed: None,
        }
    }

    /// Restarts the combining stage: drops its state, and starts the assigned partitions from the committed state.
    pub(crate) fn join_combine(
        &mut self,
        deployment: &Deployment,
        broker: &Broker,
        version: usize,
        owns: impl Fn(u32) -> bool,
        now: u64,
    ) -> Started {
        let n = deployment.scenario.partitions[usize::from(broker.grown)];
        let settings = deployment.combine(version, n);
        let rules = &settings.rules;
        let assigned: Vec<_> = (0..n).filter(|p| owns(*p)).collect();
        self.combine =
            Stage { generation: broker.combine.generation, version, operators: OperatorSet::default() };
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
                && known.layout_fingerprint
                    != rules.layout_fingerprint(n, deployment.scenario.partial_partitions)
            {
                let until = known.closed_until.max(known.floor) + rules.window + rules.idle;
                started.withheld_before = started.withheld_before.max(until.as_millis());
                let unseen = self.bug == Some(Bug::QualityUnseen) && deployment.differs_in_quality_alone();
                if unseen || self.bug == Some(Bug::RollUnseen) {
                    known.layout_fingerprint =
                        rules.layout_fingerprint(n, deployment.scenario.partial_partitions);
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
            let airlock = Airlock::new(&deployment.shared, misplaced.then_some(placement));
            let combiner = Combiner::new(Arc::clone(&settings), airlock, &start, offset, gap);
            let fresh = start.checkpoint.is_none() && self.bug != Some(Bug::NoFirstCommit);
            self.combine.operators.assign(p, combiner, fresh);
        }
        started
    }

    /// Restarts the merging stage: drops its state, and starts the assigned partitions from the committed state.
    pub(crate) fn join_merge(
        &mut self,
        deployment: &Deployment,
        broker: &Broker,
        version: usize,
        owns: impl Fn(u32) -> bool,
        now: u64,
    ) -> Started {
        let settings = deployment.merge(version, self.timeout, self.bug, broker.merge.generation);
        let assigned: Vec<_> = (0..deployment.scenario.partial_partitions).filter(|m| owns(*m)).collect();
        self.merge =
            Stage { generation: broker.merge.generation, version, operators: OperatorSet::default() };
        self.positions.clear();
        let unseen = self.bug == Some(Bug::QualityUnseen) && deployment.differs_in_quality_alone();
        self.assumed = unseen.then(|| Arc::clone(&settings.rules));
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

    /// Reads up to `most` records of one partition of the topic of beacons, and reports the end of the partition. If
    /// `hidden` is true, the partition is treated as empty.
    pub(crate) fn read_beacons(
        &mut self,
        deployment: &Deployment,
        partition: u32,
        most: u64,
        now: u64,
        hidden: bool,
    ) {
        let Some(combiner) = self.combine.operators.get_mut(partition) else { return };
        let log = if hidden { &[] } else { deployment.scenario.logs[partition as usize].as_slice() };
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
            combiner.buffer(&record, offset as i64, at(now)).unwrap();
            read += 1;
        }
        combiner.insert_buffered();
        if read < most {
            let margin = if self.bug == Some(Bug::SilenceWithoutMargin) { LATENESS + SKEW } else { 0 };
            combiner.at_end(at(now + margin));
        }
        assert!(combiner.balanced(), "the combiner's ledger does not balance");
    }

    /// Reads up to `most` records of one partition of the topic of partials, and reports the end of the partition. If
    /// `quietly` is true, there was no disturbance, so there must be no alarm.
    pub(crate) fn read_partials(
        &mut self,
        broker: &Broker,
        partition: u32,
        most: u64,
        now: u64,
        quietly: bool,
    ) {
        let partial_partitions = broker.partials.len() as u32;
        let Some(merger) = self.merge.operators.get_mut(partition) else { return };
        let position = self.positions.entry(partition).or_default();
        for _ in 0..most {
            let Some((offset, value)) = broker.partials[partition as usize].range(*position..).next() else {
                merger.at_end();
                return;
            };
            *position = offset + 1;
            let changed =
                self.assumed.as_ref().and_then(|rules| with_fingerprint(value, rules, partial_partitions));
            merger.record(changed.as_ref().unwrap_or(value), *offset, at(now)).unwrap();
            assert!(merger.balanced(), "the merger's ledger does not balance");
            let alarms = merger.alarms();
            let alarmed = alarms.duplicates + alarms.gaps + alarms.mixed;
            assert!(alarms.faults == 0 && !(quietly && alarmed > 0), "a merger counted an alarm");
        }
        if self.bug == Some(Bug::DecidedUnread) {
            merger.at_end();
        }
    }

    /// Commits the due batches of the combining stage. Returns true if there were any. If `dies` is true, the worker
    /// does not receive the result of the transaction.
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
            self.combine = Stage::default();
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
            self.combine = Stage::default();
            return true;
        }
        let is_committed = || half.operators.is_committed(&due, &broker.combine.committed);
        if reported.unwrap_or_else(|| guessed(bug).unwrap_or_else(is_committed)) {
            half.operators.committed(&due, at(now));
        }
        true
    }

    /// Commits the due publications of the merging stage. Returns true if there were any. If `dies` is true, the worker
    /// does not receive the result of the transaction.
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
            self.merge = Stage::default();
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
            self.merge = Stage::default();
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
