//! Applies disturbances to a scenario. Their order is random, and a seed determines it.

use crowdfold_engine::MergerCheckpoint;
use crowdfold_random::Random;

use crate::log::{Broker, TransactionResult};
use crate::scenario::{LATENESS, SKEW, START, WINDOW};
use crate::seeded_bugs::Bug;
use crate::worker::{Deployment, Started, Worker};

/// The event that occurs once in a schedule. Crashes, rebalances, zombies, aborted transactions and unknown outcomes
/// can occur in every schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Disruption {
    Nothing,
    /// One partition is not read for longer than the merge time-out.
    Stuck,
    /// The committed offsets of all combiners are deleted, or, for `MergeLost`, those of all mergers.
    CombineLost,
    MergeLost,
    /// The committed offset of one partition of the topic of beacons is deleted.
    OneLost,
    /// The committed offset of one partition of the topic of partials is deleted. The checkpoint of another partition
    /// shows that it existed.
    OneMergeLost,
    /// Records are deleted before they have been counted.
    Gap,
    /// The number of partitions of the topic of beacons grows.
    Grown,
    /// Another version of the settings is rolled out to one worker after the other.
    Rolled,
    /// The number of partitions grows while another version is rolled out and offsets are lost.
    Everything,
}

impl Disruption {
    fn draw(deployment: &Deployment, rng: &mut Random) -> Self {
        use Disruption as T;
        if deployment.scenario.grows() {
            return rng.pick(&[T::Grown, T::Grown, T::Everything]);
        }
        let stuck = if deployment.scenario.partitions[0] > 1 { T::Stuck } else { T::Nothing };
        rng.pick(&[
            T::Nothing,
            T::Nothing,
            T::Nothing,
            T::Nothing,
            stuck,
            stuck,
            T::CombineLost,
            T::MergeLost,
            T::OneLost,
            T::OneMergeLost,
            T::Gap,
            T::Rolled,
            T::Rolled,
        ])
    }
}

/// The windows that may be missing in the result. They end after `from` and start before `until`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Excused {
    from: u64,
    until: u64,
}

impl Excused {
    pub(crate) const fn covers(&self, start: u64) -> bool {
        start + WINDOW > self.from && start < self.until
    }
}

/// The result of a schedule.
pub(crate) struct Outcome {
    pub(crate) broker: Broker,
    pub(crate) disruption: Disruption,
    pub(crate) excused: Excused,
    /// True if another version of the settings was rolled out.
    pub(crate) rolled: bool,
}

struct Schedule<'a> {
    deployment: &'a Deployment,
    rng: Random,
    disruption: Disruption,
    strikes_at: u64,
    struck: bool,
    /// The partition that is not read, and the times at which this period begins and ends.
    stuck: Option<(u32, u64, u64)>,
    excused: Excused,
    versions: [usize; 2],
    broker: Broker,
    workers: [Worker; 2],
    now: u64,
}

pub(crate) fn run(deployment: &Deployment, mut rng: Random, bug: Option<Bug>) -> Outcome {
    let disruption = Disruption::draw(deployment, &mut rng);
    let n = deployment.scenario.partitions[0];
    let stuck = (disruption == Disruption::Stuck).then(|| {
        let from = START + WINDOW + rng.below(2 * WINDOW);
        (rng.below(n.into()) as u32, from, from + 2 * WINDOW + rng.below(4 * WINDOW))
    });
    let timeout = if stuck.is_some() { 2_000 } else { u64::MAX };
    let worker = || Worker::new(timeout, bug);
    let span = deployment.scenario.end().saturating_sub(START + WINDOW).max(1);
    let strikes_at = START + WINDOW + rng.below(span);
    let grows_at = if deployment.scenario.grows() { deployment.scenario.grows_at } else { 0 };
    let mut schedule = Schedule {
        deployment,
        disruption,
        strikes_at: strikes_at.max(grows_at),
        struck: false,
        stuck,
        excused: Excused::default(),
        versions: [0; 2],
        broker: Broker::new(&deployment.scenario),
        workers: [worker(), worker()],
        now: START,
        rng,
    };
    while schedule.now < deployment.scenario.end() + WINDOW {
        schedule.step();
    }
    schedule.finish()
}

impl Schedule<'_> {
    fn step(&mut self) {
        if !self.struck && self.now >= self.strikes_at {
            self.strike();
        }
        let which = self.rng.below(2) as usize;
        // A worker joins again soon after it was fenced or has crashed.
        if self.workers[which].combine.generation != self.broker.combine.generation && self.rng.one_in(6) {
            self.join_combine(which);
        }
        if self.workers[which].merge.generation != self.broker.merge.generation && self.rng.one_in(6) {
            self.join_merge(which);
        }
        let deployment = self.deployment;
        let m = deployment.scenario.partial_partitions;
        let n = deployment.scenario.partitions[usize::from(self.broker.grown)];
        let rng = &mut self.rng;
        let result = match rng.below(8) {
            0 => TransactionResult::Aborted,
            1 => TransactionResult::CommittedUnknown,
            2 => TransactionResult::AbortedUnknown,
            _ => TransactionResult::Committed,
        };
        let dies = rng.one_in(10);
        match rng.below(32) {
            // Only one process measures the time-out, and a crash restarts the measurement. Therefore crashes must be
            // rare here.
            0..=2 if self.stuck.is_some() && !rng.one_in(3) => {}
            // An operator has no persistent state, so a crash has the same effect as a rebalance.
            0 => self.join_combine(which),
            1 => self.join_merge(which),
            2 => match rng.below(6) {
                0 => self.broker.combine.generation += 1,
                1 => self.broker.merge.generation += 1,
                2 => {
                    self.join_combine(which);
                    self.join_merge(which);
                }
                _ => {}
            },
            3..=6 => self.now += rng.below(3_000),
            7..=18 => {
                let (partition, most) = (rng.below(n.into()) as u32, 1 + rng.below(6));
                let stuck = |(p, from, to)| p == partition && (from..to).contains(&self.now);
                if !self.stuck.is_some_and(stuck) {
                    self.workers[which].read_beacons(deployment, partition, most, self.now, false);
                }
            }
            19..=22 => {
                let (partition, most) = (rng.below(m.into()) as u32, 1 + rng.below(4));
                let quietly = matches!(self.disruption, Disruption::Nothing | Disruption::Stuck);
                self.workers[which].read_partials(&self.broker, partition, most, self.now, quietly);
            }
            23..=27 => {
                let old = self.workers[which].combine.version == 0;
                if self.workers[which].commit_combined(&mut self.broker, result, self.now, dies) && old {
                    self.late_comer();
                }
            }
            _ => {
                let old = self.workers[which].merge.version == 0;
                if self.workers[which].commit_merged(&mut self.broker, result, self.now, dies) && old {
                    self.late_comer();
                }
            }
        }
    }

    /// Extends the excused windows during a roll-out, because mergers withhold the output of workers with the old
    /// version.
    fn late_comer(&mut self) {
        if self.struck && matches!(self.disruption, Disruption::Rolled | Disruption::Everything) {
            self.excused.until = self.excused.until.max(self.now);
        }
    }

    fn strike(&mut self) {
        use Disruption as T;
        self.struck = true;
        let closed = |committed: &Option<_>| {
            let committed: &crowdfold_engine::Committed = committed.as_ref()?;
            MergerCheckpoint::parse(&committed.metadata).map(|known| known.closed_until.as_millis())
        };
        let closed = self.broker.merge.committed.iter().map(|committed| closed(committed).unwrap_or(0));
        let closed = closed.min().unwrap_or(0);
        let (combine, merge) = (&mut self.broker.combine, &mut self.broker.merge);
        match self.disruption {
            T::Nothing | T::Stuck => return,
            T::CombineLost => combine.committed.fill(None),
            T::MergeLost => merge.committed.fill(None),
            T::OneLost => {
                let p = self.rng.below(combine.committed.len() as u64) as usize;
                combine.committed[p] = None;
                self.excused.from = closed;
                // In a schedule with this disruption, nothing else happens.
                combine.generation += 1;
                return;
            }
            T::OneMergeLost => {
                let knows = |committed: &Option<_>| {
                    let committed: Option<&crowdfold_engine::Committed> = committed.as_ref();
                    committed.and_then(|c| MergerCheckpoint::parse(&c.metadata)).is_some_and(|c| c.whole)
                };
                let p = self.rng.below(merge.committed.len() as u64) as usize;
                merge.committed[p] = None;
                if !merge.committed.iter().any(knows) {
                    merge.committed.fill(None);
                }
            }
            T::Gap => return self.lose_records(closed),
            T::Grown => self.broker.grown = true,
            T::Rolled => {}
            T::Everything => {
                self.broker.grown = true;
                match self.rng.below(4) {
                    0 => combine.committed.fill(None),
                    1 => merge.committed.fill(None),
                    _ => {}
                }
                self.excused = Excused { from: 0, until: u64::MAX };
            }
        }
        // Offsets can be deleted only if the group has no members. A worker that finds new partitions joins again.
        if self.disruption != T::Rolled {
            self.broker.combine.generation += 1;
            self.broker.merge.generation += 1;
        }
        if self.disruption != T::Everything {
            self.excused = Excused { from: closed, until: self.now };
        }
    }

    /// Deletes the oldest records of one partition. Some of them are not counted yet.
    fn lose_records(&mut self, closed: u64) {
        let p = self.rng.below(self.deployment.scenario.partitions[0].into()) as usize;
        let Some(committed) = &self.broker.combine.committed[p] else { return };
        let log = &self.deployment.scenario.logs[p];
        let there = log.partition_point(|record| record.timestamp <= self.now) as i64;
        let start = (committed.offset + 1 + self.rng.below(4) as i64).min(there);
        if start <= committed.offset {
            return;
        }
        self.broker.log_starts[p] = start;
        self.broker.combine.generation += 1;
        let idle = self.deployment.scenario.versions[0].rules.idle.as_millis();
        let until = log.get(start as usize).map_or(u64::MAX, |next| next.timestamp + SKEW + idle + 1);
        self.excused = Excused { from: closed, until };
    }

    fn join_combine(&mut self, which: usize) {
        self.roll(which);
        let owns = ownership(self.broker.combine.generation, 1, which as u64);
        let version = self.versions[which];
        let started =
            self.workers[which].join_combine(self.deployment, &self.broker, version, owns, self.now);
        self.excuse(started);
    }

    fn join_merge(&mut self, which: usize) {
        self.roll(which);
        let owns = ownership(self.broker.merge.generation, 2, which as u64);
        let version = self.versions[which];
        let started = self.workers[which].join_merge(self.deployment, &self.broker, version, owns, self.now);
        self.excuse(started);
    }

    fn roll(&mut self, which: usize) {
        if self.struck && self.is_rolled() && self.rng.one_in(2) {
            self.versions[which] = 1;
        }
    }

    const fn is_rolled(&self) -> bool {
        matches!(self.disruption, Disruption::Rolled | Disruption::Everything)
    }

    /// Asserts that a worker withholds windows only after a disturbance, and excuses these windows.
    fn excuse(&mut self, started: Started) {
        if self.struck {
            let until = started.withheld_before.max(started.floor);
            self.excused.until = self.excused.until.max(until);
        }
    }

    /// Runs one worker without further disturbances until all windows are closed.
    fn finish(mut self) -> Outcome {
        if !self.struck {
            self.strike();
        }
        self.broker.combine.generation += 1;
        self.broker.merge.generation += 1;
        let version = usize::from(self.is_rolled());
        let [worker, _] = &mut self.workers;
        let combine = worker.join_combine(self.deployment, &self.broker, version, |_| true, self.now);
        let merge = worker.join_merge(self.deployment, &self.broker, version, |_| true, self.now);
        drain(self.deployment, &mut self.broker, worker, self.now, 0);
        self.excuse(combine);
        self.excuse(merge);
        Outcome {
            disruption: self.disruption,
            excused: self.excused,
            rolled: self.is_rolled(),
            broker: self.broker,
        }
    }
}

/// Runs one worker with all partitions and without disturbances. For each partition whose log is treated as empty, the
/// bit in `missing` is set.
pub(crate) fn undisturbed(deployment: &Deployment, version: usize, grown: bool, missing: u64) -> Broker {
    let mut broker = Broker { grown, ..Broker::new(&deployment.scenario) };
    let mut worker = Worker::new(u64::MAX, None);
    worker.join_combine(deployment, &broker, version, |_| true, START);
    worker.join_merge(deployment, &broker, version, |_| true, START);
    drain(deployment, &mut broker, &mut worker, START, missing);
    broker
}

fn drain(deployment: &Deployment, broker: &mut Broker, worker: &mut Worker, now: u64, missing: u64) {
    let n = deployment.scenario.partitions[usize::from(broker.grown)];
    let now = now.max(deployment.scenario.end()) + 3 * WINDOW + LATENESS + SKEW;
    loop {
        for p in 0..n {
            worker.read_beacons(deployment, p, 5, now, missing >> p & 1 == 1);
        }
        let combined = worker.commit_combined(broker, TransactionResult::Committed, now, false);
        for m in 0..deployment.scenario.partial_partitions {
            worker.read_partials(broker, m, u64::MAX, now, false);
        }
        let merged = worker.commit_merged(broker, TransactionResult::Committed, now, false);
        let end = Some(crate::at(deployment.scenario.end() + WINDOW));
        let closed = |p| worker.combine.operators.by_partition().get(&p).is_none_or(|c| c.watermark() >= end);
        if !combined && !merged && (0..n).all(closed) {
            return;
        }
    }
}

/// Returns a function that selects the partitions of a worker. The result depends only on the generation, because a
/// worker may not know the latest generation yet.
fn ownership(generation: u64, salt: u64, which: u64) -> impl Fn(u32) -> bool {
    let drawn = Random::new(generation ^ salt << 32).bits();
    move |partition| drawn >> partition & 1 == which
}
