//! A worker that drives the real machines over a simulated log.
#![expect(clippy::unwrap_used, reason = "a test says where it failed")]

use std::collections::BTreeMap;
use std::sync::Arc;

use crowdfold_airlock::{Airlock, Record, Shared};
use crowdfold_pipeline::{
    Combiner, CombinerCheckpoint, CombinerSettings, Merger, MergerCheckpoint, MergerSettings, Stage,
    plan_starts,
};

use crate::log::{Broker, Fate, Load};
use crate::world::{SKEW, World};

/// What all workers of a world share.
pub(crate) struct Shop {
    pub(crate) world: World,
    pub(crate) shared: Arc<Shared>,
    combine: Arc<CombinerSettings>,
    merge: Arc<MergerSettings>,
}

impl Shop {
    pub(crate) fn new(world: World, shared: Arc<Shared>) -> Self {
        let combine = CombinerSettings {
            rules: Arc::clone(&world.rules),
            partitions: world.partitions,
            merge_partitions: world.merge_partitions,
            tenants: shared.settings().tenants.clone(),
            topic: "beacons".into(),
            trust_timestamps: false,
            max_skew: SKEW,
            quiet: 0,
        };
        let merge = MergerSettings {
            rules: Arc::clone(&world.rules),
            merge_partitions: world.merge_partitions,
            policy: world.policy.clone(),
            patience: u64::MAX,
        };
        Self { world, shared, combine: Arc::new(combine), merge: Arc::new(merge) }
    }
}

#[derive(Default)]
pub(crate) struct Worker {
    pub(crate) generation: u64,
    pub(crate) combine: Stage<Combiner>,
    pub(crate) merge: Stage<Merger>,
    /// Next offset to read of each partition of the partials.
    positions: BTreeMap<u32, i64>,
}

impl Worker {
    /// Drops everything and takes over what it is assigned, from what is committed.
    pub(crate) fn join(&mut self, shop: &Shop, broker: &Broker, beacons: &[u32], partials: &[u32], now: u64) {
        *self = Self { generation: broker.generation, ..Self::default() };
        let floor = shop.world.rules.ceil(now + shop.world.rules.lateness);
        let empty = broker.partials.iter().all(BTreeMap::is_empty);
        let parse = CombinerCheckpoint::parse;
        let starts = plan_starts(beacons, &broker.combined, parse, |c| c.floor, empty, floor, false).unwrap();
        for start in starts {
            let p = start.partition;
            let offset = broker.combined[p as usize].as_ref().map_or(0, |committed| committed.offset);
            let airlock = Airlock::new(&shop.shared, None);
            let combiner = Combiner::new(Arc::clone(&shop.combine), airlock, &start, offset, false);
            self.combine.assign(p, combiner, start.checkpoint.is_none());
        }
        let parse = MergerCheckpoint::parse;
        let empty = broker.rollups.is_empty();
        let starts = plan_starts(partials, &broker.merged, parse, |c| c.floor, empty, floor, false).unwrap();
        for start in starts {
            let m = start.partition;
            let offset = broker.merged[m as usize].as_ref().map_or(0, |committed| committed.offset);
            let merger = Merger::new(Arc::clone(&shop.merge), &start, offset, now);
            self.merge.assign(m, merger, start.checkpoint.is_none());
            self.positions.insert(m, offset);
        }
    }

    /// Reads up to `most` records of one partition of the beacons. At its end, says so.
    pub(crate) fn read_beacons(&mut self, shop: &Shop, partition: u32, most: u64, now: u64) {
        let Some(combiner) = self.combine.machine(partition) else { return };
        let log = &shop.world.logs[partition as usize];
        for _ in 0..most {
            if combiner.is_full() {
                return;
            }
            let at = combiner.position() as usize;
            let Some(next) = log.get(at).filter(|next| next.timestamp <= now) else {
                combiner.at_end(now);
                return;
            };
            let record =
                Record { payload: &next.payload, content_type: None, timestamp: Some(next.timestamp) };
            combiner.record(&record, at as i64, now).unwrap();
            assert!(combiner.balanced(), "the combiner's ledger does not balance");
        }
    }

    /// Reads up to `most` records of one partition of the partials.
    pub(crate) fn read_partials(&mut self, broker: &Broker, partition: u32, most: u64, now: u64) {
        let Some(merger) = self.merge.machine(partition) else { return };
        let position = self.positions.entry(partition).or_default();
        for _ in 0..most {
            let Some((offset, value)) = broker.partials[partition as usize].range(*position..).next() else {
                return;
            };
            *position = offset + 1;
            merger.record(value, *offset, now).unwrap();
            assert!(merger.balanced(), "the merger's ledger does not balance");
            assert_eq!(
                merger.alarms().duplicates + merger.alarms().gaps + merger.alarms().mixed,
                0,
                "an alarm"
            );
        }
    }

    /// Commits what is due of the combining stage; whether there was anything.
    pub(crate) fn commit_combined(&mut self, broker: &mut Broker, fate: Fate, now: u64) -> bool {
        let due = self.combine.due(now);
        if due.is_empty() {
            return false;
        }
        let mut partials = Vec::new();
        if !self.combine.is_first(&due) {
            for combiner in due.iter().filter_map(|p| self.combine.machines().get(p)) {
                partials.extend(combiner.sealed().iter().flat_map(|sealed| sealed.partials.iter().cloned()));
            }
        }
        let offsets = self.combine.offsets(&due);
        if broker.generation != self.generation {
            return self.fenced();
        }
        let heard = broker.transact(Load::Partials(partials), offsets, fate);
        if heard.unwrap_or_else(|| self.combine.is_settled(&due, &broker.combined)) {
            self.combine.committed(&due, now);
        }
        true
    }

    /// Commits what is due of the merging stage; whether there was anything.
    pub(crate) fn commit_merged(&mut self, broker: &mut Broker, fate: Fate, now: u64) -> bool {
        let due = self.merge.due(now);
        if due.is_empty() {
            return false;
        }
        let mut rows = Vec::new();
        if !self.merge.is_first(&due) {
            for publication in due.iter().filter_map(|m| self.merge.machines().get(m)?.publication()) {
                rows.extend(publication.rollups.iter().map(|rollup| (rollup.key(), rollup.json())));
            }
        }
        let offsets = self.merge.offsets(&due);
        if broker.generation != self.generation {
            return self.fenced();
        }
        let heard = broker.transact(Load::Rollups(rows), offsets, fate);
        if heard.unwrap_or_else(|| self.merge.is_settled(&due, &broker.merged)) {
            self.merge.committed(&due, now);
        }
        true
    }

    /// The group went on without this worker: all that it holds is another's now.
    fn fenced(&mut self) -> bool {
        *self = Self::default();
        false
    }
}
