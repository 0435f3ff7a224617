//! Committed offsets that the log does not contain.

use std::collections::BTreeMap;

use crowdfold_engine::Committed;
use crowdfold_kafka::{Assigned, Source};

/// The number of successive refusals of the same offset after which the worker treats the offset as lost. After each
/// refusal, the worker joins its group again and reads the committed offset again. This takes long enough for brokers
/// to delete the committed offsets of a deleted topic.
const MIN_REFUSALS: u32 = 5;

/// The offsets that the broker refused because its log does not contain them. The value contains, for each partition,
/// the last refused offset and the number of refusals in a row.
///
/// If a topic is deleted and created again, a worker may commit an offset of the old topic after the brokers have deleted
/// its offsets. Such an offset stays committed, so reading can never continue at it.
#[derive(Debug, Default)]
pub(crate) struct InvalidOffsets(BTreeMap<u32, (i64, u32)>);

impl InvalidOffsets {
    /// Records that the broker refused an offset.
    pub(crate) fn count(&mut self, partition: u32, offset: i64) {
        let (last, refusals) = self.0.entry(partition).or_insert((offset, 0));
        *refusals = if *last == offset { *refusals + 1 } else { 1 };
        *last = offset;
    }

    /// Returns true if the broker refused this offset [`MIN_REFUSALS`] times in a row.
    fn is_lost(&self, partition: u32, offset: i64) -> bool {
        self.0.get(&partition).is_some_and(|(last, refusals)| *last == offset && *refusals >= MIN_REFUSALS)
    }

    /// Returns the committed offsets of all partitions. If the offset of an assigned partition is lost, this function
    /// marks the offset as lost, and the partition is read from the start of its log.
    pub(crate) fn group(&self, assigned: &mut Assigned, source: &mut Source) -> Vec<Option<Committed>> {
        let mut group: Vec<_> = assigned.group.iter().map(|held| held.as_ref().map(copy)).collect();
        for ours in &mut assigned.partitions {
            if self.is_lost(ours.partition, ours.start_offset) {
                source.start_at(ours.partition, ours.log_start);
                ours.start_offset = ours.log_start;
                group[ours.partition as usize].iter_mut().for_each(|committed| committed.is_lost = true);
            }
        }
        group
    }
}

/// Returns a committed offset in the type of the engine.
pub(crate) fn copy(held: &crowdfold_kafka::Committed) -> Committed {
    Committed { offset: held.offset, metadata: held.metadata.clone(), is_lost: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offset_is_lost_after_five_refusals_in_a_row() {
        let mut invalid = InvalidOffsets::default();
        for _ in 0..4 {
            invalid.count(3, 70);
        }
        assert!(!invalid.is_lost(3, 70));
        invalid.count(3, 70);
        assert!(invalid.is_lost(3, 70) && !invalid.is_lost(3, 71) && !invalid.is_lost(2, 70));
        invalid.count(3, 71);
        assert!(!invalid.is_lost(3, 70) && !invalid.is_lost(3, 71));
    }
}
