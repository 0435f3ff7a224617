//! The operators of all partitions of one topic that are assigned to a worker, and their commits.

use std::collections::BTreeMap;

use crowdfold_model::{Span, Timestamp};

use crate::{Combiner, CombinerCheckpoint, Committed, Merger, MergerCheckpoint};

/// The maximum time between two commits. A broker deletes the offsets of a group that does not commit.
const IDLE_COMMIT_INTERVAL: Span = Span::MINUTE;

/// The operator of one partition. The trait has only the methods that commits need.
pub trait Operator {
    /// Returns true if the operator has a batch or publication that is not committed.
    fn has_pending(&mut self, now: Timestamp) -> bool;
    /// Returns the offset and the metadata to commit. If a batch or publication is pending, they belong to it.
    /// Otherwise they repeat the last commit.
    fn offset(&self) -> (i64, String);
    /// Returns true if the pending batch or publication is committed. `metadata` is the committed metadata of the
    /// group.
    fn is_committed_by(&self, metadata: &str) -> bool;
    /// Reports that the pending batch or publication is committed.
    fn mark_committed(&mut self);
}

impl Operator for Combiner {
    fn has_pending(&mut self, _: Timestamp) -> bool {
        !self.prepared().is_empty()
    }

    fn offset(&self) -> (i64, String) {
        let (offset, checkpoint) = match self.prepared().back() {
            Some(last) => (last.safe_offset, last.checkpoint),
            None => self.idle_commit(),
        };
        (offset, checkpoint.to_string())
    }

    fn is_committed_by(&self, metadata: &str) -> bool {
        let known = CombinerCheckpoint::parse(metadata);
        let last = self.prepared().back().map(|last| last.checkpoint.closed_until);
        known.is_some_and(|known| last.is_none_or(|last| known.closed_until >= last))
    }

    fn mark_committed(&mut self) {
        self.committed(self.prepared().len());
    }
}

impl Operator for Merger {
    fn has_pending(&mut self, now: Timestamp) -> bool {
        self.publish(now).is_some()
    }

    fn offset(&self) -> (i64, String) {
        let (offset, checkpoint) = match self.publication() {
            Some(next) => (next.offset, next.checkpoint.clone()),
            None => self.idle_commit(),
        };
        (offset, checkpoint.to_string())
    }

    fn is_committed_by(&self, metadata: &str) -> bool {
        let known = MergerCheckpoint::parse(metadata);
        let Some(next) = self.publication() else { return known.is_some() };
        known.is_some_and(|known| match &next.checkpoint.forced {
            // A decision changes only the field `forced`.
            Some(_) => known.forced == next.checkpoint.forced,
            None => known.closed_until >= next.checkpoint.closed_until,
        })
    }

    fn mark_committed(&mut self) {
        self.committed();
    }
}

/// The operators of all partitions of one topic that are assigned to a worker.
#[derive(Debug)]
pub struct OperatorSet<M> {
    by_partition: BTreeMap<u32, M>,
    /// The first offset and metadata of each partition without a commit. They are committed before any other state.
    fresh: BTreeMap<u32, (i64, String)>,
    committed_at: Timestamp,
}

impl<M> Default for OperatorSet<M> {
    fn default() -> Self {
        Self { by_partition: BTreeMap::new(), fresh: BTreeMap::new(), committed_at: Timestamp::EPOCH }
    }
}

impl<M: Operator> OperatorSet<M> {
    /// Adds the operator of an assigned partition. `fresh` is true if the partition has no committed offset.
    pub fn assign(&mut self, partition: u32, operator: M, fresh: bool) {
        if fresh {
            self.fresh.insert(partition, operator.offset());
        }
        self.by_partition.insert(partition, operator);
    }

    /// Removes partitions and their uncommitted state. The next worker of a partition restores the state by reading the
    /// log again.
    pub fn revoke(&mut self, partitions: &[u32]) {
        for partition in partitions {
            self.by_partition.remove(partition);
            self.fresh.remove(partition);
        }
    }

    /// Removes all partitions.
    pub fn revoke_all(&mut self) {
        self.by_partition.clear();
        self.fresh.clear();
    }

    /// Returns all operators by the number of their partition.
    pub const fn by_partition(&self) -> &BTreeMap<u32, M> {
        &self.by_partition
    }

    /// Returns the number of each partition, and a mutable reference to its operator, in the order of the partitions.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (u32, &mut M)> {
        self.by_partition.iter_mut().map(|(partition, operator)| (*partition, operator))
    }

    /// Returns mutable references to all operators.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut M> {
        self.by_partition.values_mut()
    }

    /// Returns the operator of a partition, or `None` if it is not assigned.
    pub fn get_mut(&mut self, partition: u32) -> Option<&mut M> {
        self.by_partition.get_mut(&partition)
    }

    /// Returns the partitions whose state the next transaction must contain. The result is empty if there is nothing to
    /// commit.
    ///
    /// If there are partitions without a commit, the result contains only them, so that they are committed before any
    /// of their output is sent. Otherwise a crash between their first commits would look like a loss of offsets.
    pub fn due(&mut self, now: Timestamp) -> Vec<u32> {
        if !self.fresh.is_empty() {
            return self.fresh.keys().copied().collect();
        }
        let pending =
            self.by_partition.iter_mut().filter_map(|(p, operator)| operator.has_pending(now).then_some(*p));
        let pending: Vec<_> = pending.collect();
        if pending.is_empty() && now.saturating_since(self.committed_at) >= IDLE_COMMIT_INTERVAL {
            return self.by_partition.keys().copied().collect();
        }
        pending
    }

    /// Returns true if the transaction is the first commit of the due partitions. A first commit contains no records.
    #[must_use]
    pub fn is_first(&self, due: &[u32]) -> bool {
        due.iter().any(|partition| self.fresh.contains_key(partition))
    }

    /// Returns the offset and the metadata to commit for each of the due partitions.
    #[must_use]
    pub fn offsets(&self, due: &[u32]) -> Vec<(u32, i64, String)> {
        let state = |partition| match self.fresh.get(partition) {
            Some(began) => Some(began.clone()),
            None => self.by_partition.get(partition).map(Operator::offset),
        };
        due.iter().filter_map(|p| state(p).map(|(offset, metadata)| (*p, offset, metadata))).collect()
    }

    /// Returns true if a transaction of unknown outcome was committed. `group` contains the committed offsets of the
    /// group after the end of the transaction. The partitions in `due` have the same outcome, because a transaction is
    /// committed or aborted as a whole.
    #[must_use]
    pub fn is_committed(&self, due: &[u32], group: &[Option<Committed>]) -> bool {
        due.iter().all(|partition| {
            let known = group.get(*partition as usize).and_then(Option::as_ref);
            let operator = self.by_partition.get(partition);
            known.zip(operator).is_some_and(|(known, operator)| operator.is_committed_by(&known.metadata))
        })
    }

    /// Reports that the transaction of the due partitions is committed.
    pub fn committed(&mut self, due: &[u32], now: Timestamp) {
        let first = self.is_first(due);
        for partition in due {
            if first {
                self.fresh.remove(partition);
            } else if let Some(operator) = self.by_partition.get_mut(partition) {
                operator.mark_committed();
            }
        }
        self.committed_at = now;
    }
}
