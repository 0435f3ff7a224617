//! Determines the start of a stage in each partition, and the windows that it must never publish again.

use crowdfold_model::Timestamp;

use crate::EngineError;
use crate::checkpoint::Checkpoint;

/// A committed offset of the group with its metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The next record to read.
    pub offset: i64,
    /// The metadata of the commit.
    pub metadata: String,
}

/// The start of a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start<C> {
    /// The partition.
    pub partition: u32,
    /// The committed checkpoint. It is `None` without a commit, and must then be committed before anything is prepared.
    pub checkpoint: Option<C>,
    /// The end of the last window that is never built.
    pub floor: Timestamp,
    /// True if offsets were lost, so that the floor is in the future.
    pub offsets_lost: bool,
}

/// Returns the start of every partition of `assigned` (docs/internals/protocol.md, "Offsets at the start"). `group`
/// contains the committed offsets of all partitions of the topic. `fresh_floor` is the floor if offsets were lost. It
/// is the first end of a window that cannot have been published yet (now + lateness, rounded up to the end of a
/// window).
///
/// # Errors
/// Returns [`EngineError::Foreign`], unless `restart_from_now` is set.
pub fn plan_starts<C: Checkpoint>(
    assigned: &[u32],
    group: &[Option<Committed>],
    output_is_empty: bool,
    fresh_floor: Timestamp,
    restart_from_now: bool,
) -> Result<Vec<Start<C>>, EngineError> {
    let mut known = Vec::with_capacity(group.len());
    for (partition, committed) in group.iter().enumerate() {
        let checkpoint = committed.as_ref().and_then(|committed| C::read(&committed.metadata));
        if committed.is_some() && checkpoint.is_none() && !restart_from_now {
            return Err(EngineError::Foreign(partition as u32));
        }
        known.push(checkpoint);
    }
    let lost = (fresh_floor, true);
    let (floor, offsets_lost) = match known.iter().flatten().map(C::floor).max() {
        _ if restart_from_now => lost,
        // Another partition has a checkpoint from a time when all had offsets.
        Some(_) if known.iter().flatten().any(C::is_whole) => lost,
        // The partition was never committed, so none of its windows was published.
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

/// Returns true if every partition of a topic has an offset, or will have one after the first commit of the partitions
/// in `assigned`.
#[must_use]
pub fn is_whole(assigned: &[u32], group: &[Option<Committed>]) -> bool {
    (0..).zip(group).all(|(partition, committed)| committed.is_some() || assigned.contains(&partition))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A checkpoint with the text `ours=`, its floor, and `!` if it is whole.
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

    fn starts(
        group: &[Option<&str>],
        output_is_empty: bool,
        restart: bool,
    ) -> Result<Vec<(u64, bool)>, EngineError> {
        let group: Vec<_> =
            group.iter().map(|m| m.map(|m| Committed { offset: 7, metadata: m.to_owned() })).collect();
        let assigned: Vec<_> = (0..group.len() as u32).collect();
        let starts =
            plan_starts::<Ours>(&assigned, &group, output_is_empty, Timestamp::from_millis(1_000), restart)?;
        Ok(starts.into_iter().map(|start| (start.floor.as_millis(), start.checkpoint.is_some())).collect())
    }

    #[test]
    fn first_start_builds_all_windows() {
        assert_eq!(starts(&[None, None], true, false), Ok(vec![(0, false), (0, false)]));
    }

    #[test]
    fn partition_without_a_commit_has_the_floor_of_the_group() {
        assert_eq!(starts(&[Some("ours=60"), None], false, false), Ok(vec![(60, true), (60, false)]));
    }

    #[test]
    fn partition_with_a_lost_offset_starts_after_now() {
        let lost = starts(&[Some("ours=60"), None, Some("ours=70!")], false, false);
        assert_eq!(lost, Ok(vec![(60, true), (1_000, false), (70, true)]));
        let group =
            [Some("ours=60"), None].map(|m| m.map(|m| Committed { offset: 7, metadata: m.to_owned() }));
        assert!(is_whole(&[1], &group) && !is_whole(&[0], &group));
    }

    #[test]
    fn lost_offsets_start_after_now() {
        assert_eq!(starts(&[None, None], false, false), Ok(vec![(1_000, false), (1_000, false)]));
    }

    #[test]
    fn metadata_of_another_program_is_refused_without_the_flag() {
        assert_eq!(starts(&[Some("theirs"), Some("ours=0")], true, false), Err(EngineError::Foreign(0)));
        assert_eq!(
            starts(&[Some("theirs"), Some("ours=0")], true, true),
            Ok(vec![(1_000, false), (1_000, false)])
        );
    }
}
