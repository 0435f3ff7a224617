//! Determines the offset at which each partition starts, and the windows that the partition must never publish again.

use crowdfold_model::Timestamp;

use crate::EngineError;
use crate::checkpoint::Checkpoint;

/// A committed offset of a consumer group, with its metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The offset of the next record to read.
    pub offset: i64,
    /// The metadata, which is a checkpoint.
    pub metadata: String,
    /// True if the log does not contain this offset and will not contain it, because the topic was created again or
    /// truncated. The offset then counts as lost.
    pub is_lost: bool,
}

/// The state from which a partition starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start<C> {
    /// The number of the partition.
    pub partition: u32,
    /// The committed checkpoint, or `None` if nothing is committed. If the value is `None`, a first checkpoint must be
    /// committed before anything is prepared.
    pub checkpoint: Option<C>,
    /// The floor: windows that end at or before this time are never built.
    pub floor: Timestamp,
    /// True if the committed offset was lost. In this case the floor is in the future, so that no window is published
    /// twice.
    pub offsets_lost: bool,
}

/// Returns the state from which each of the `assigned` partitions starts (docs/internals/protocol.md, "Offsets at the
/// start").
///
/// `group` contains the committed offsets of all partitions of the topic. `output_is_empty` is true if the topic of the
/// results contains no records. `fresh_floor` is the floor if offsets were lost. It is the current time plus the
/// lateness, rounded up to the end of a window: no window that ends after this time can have been published yet.
///
/// # Errors
/// Returns [`EngineError::NotACheckpoint`] if an offset has metadata that is not a checkpoint, unless
/// `restart_from_now` is true.
pub fn plan_starts<C: Checkpoint>(
    assigned: &[u32],
    group: &[Option<Committed>],
    output_is_empty: bool,
    fresh_floor: Timestamp,
    restart_from_now: bool,
) -> Result<Vec<Start<C>>, EngineError> {
    let mut known = Vec::with_capacity(group.len());
    for (partition, committed) in group.iter().enumerate() {
        let committed = committed.as_ref().filter(|committed| !committed.is_lost);
        let checkpoint = committed.and_then(|committed| C::read(&committed.metadata));
        if committed.is_some() && checkpoint.is_none() && !restart_from_now {
            return Err(EngineError::NotACheckpoint(partition as u32));
        }
        known.push(checkpoint);
    }
    let lost = (fresh_floor, true);
    let (floor, offsets_lost) = match known.iter().flatten().map(C::floor).max() {
        _ if restart_from_now || group.iter().flatten().any(|committed| committed.is_lost) => lost,
        // The checkpoint of another partition shows that this partition had an offset before.
        Some(_) if known.iter().flatten().any(C::is_whole) => lost,
        // The partition never had an offset, so none of its windows was published.
        Some(floor) => (floor, false),
        None if output_is_empty => (Timestamp::EPOCH, false),
        None => lost,
    };
    let start = |partition: &u32| {
        let known = known.get_mut(*partition as usize).and_then(Option::take).filter(|_| !restart_from_now);
        let (floor, offsets_lost) =
            known.as_ref().map_or((floor, offsets_lost), |known| (known.floor(), false));
        Start { partition: *partition, checkpoint: known, floor, offsets_lost }
    };
    Ok(assigned.iter().map(start).collect())
}

/// Returns true if every partition of a topic has a committed offset. The partitions in `assigned` count as if they had
/// one, because their first commit follows.
#[must_use]
pub fn is_whole(assigned: &[u32], group: &[Option<Committed>]) -> bool {
    (0..).zip(group).all(|(partition, committed)| committed.is_some() || assigned.contains(&partition))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A checkpoint for tests. Its text is `ours=` and the floor, followed by `!` if every partition had an offset.
    struct Ours(Timestamp, bool);

    impl Checkpoint for Ours {
        fn read(text: &str) -> Option<Self> {
            let text = text.strip_prefix("ours=")?;
            let floor = text.trim_end_matches('!');
            Some(Self(Timestamp::from_millis(floor.parse().ok()?), floor != text))
        }

        fn floor(&self) -> Timestamp {
            self.0
        }

        fn is_whole(&self) -> bool {
            self.1
        }
    }

    fn committed(metadata: &str) -> Committed {
        Committed { offset: 7, metadata: metadata.to_owned(), is_lost: false }
    }

    fn starts(
        group: &[Option<&str>],
        output_is_empty: bool,
        restart: bool,
    ) -> Result<Vec<(u64, bool)>, EngineError> {
        let group: Vec<_> = group.iter().map(|m| m.map(committed)).collect();
        let assigned: Vec<_> = (0..group.len() as u32).collect();
        let starts =
            plan_starts::<Ours>(&assigned, &group, output_is_empty, Timestamp::from_millis(1_000), restart)?;
        Ok(starts.into_iter().map(|start| (start.floor.as_millis(), start.checkpoint.is_some())).collect())
    }

    #[test]
    fn start_with_neither_offsets_nor_output_builds_all_windows() {
        assert_eq!(starts(&[None, None], true, false), Ok(vec![(0, false), (0, false)]));
    }

    #[test]
    fn partition_without_a_commit_starts_with_the_floor_of_the_group() {
        assert_eq!(starts(&[Some("ours=60"), None], false, false), Ok(vec![(60, true), (60, false)]));
    }

    #[test]
    fn partition_that_lost_its_offset_has_a_floor_in_the_future() {
        let lost = starts(&[Some("ours=60"), None, Some("ours=70!")], false, false);
        assert_eq!(lost, Ok(vec![(60, true), (1_000, false), (70, true)]));
        let group = [Some("ours=60"), None].map(|m| m.map(committed));
        assert!(is_whole(&[1], &group) && !is_whole(&[0], &group));
    }

    #[test]
    fn offset_that_is_not_in_the_log_counts_as_lost_although_no_partition_had_an_offset_before() {
        let lost = Committed { is_lost: true, ..committed("ours=60") };
        for output_is_empty in [false, true] {
            let group = [Some(lost.clone()), Some(committed("ours=50")), None];
            let floor = Timestamp::from_millis(1_000);
            let starts = plan_starts::<Ours>(&[0, 1, 2], &group, output_is_empty, floor, false).unwrap();
            let starts: Vec<_> =
                starts.iter().map(|start| (start.floor.as_millis(), start.offsets_lost)).collect();
            assert_eq!(starts, [(1_000, true), (50, false), (1_000, true)]);
        }
    }

    #[test]
    fn partitions_with_output_but_without_offsets_have_a_floor_in_the_future() {
        assert_eq!(starts(&[None, None], false, false), Ok(vec![(1_000, false), (1_000, false)]));
    }

    #[test]
    fn metadata_of_another_program_is_refused_without_restart_from_now() {
        assert_eq!(
            starts(&[Some("theirs"), Some("ours=0")], true, false),
            Err(EngineError::NotACheckpoint(0))
        );
        assert_eq!(
            starts(&[Some("theirs"), Some("ours=0")], true, true),
            Ok(vec![(1_000, false), (1_000, false)])
        );
    }
}
