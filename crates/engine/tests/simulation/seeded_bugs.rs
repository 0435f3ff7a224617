//! Seeded bugs of the protocol. The simulation must find each of them within a few thousand schedules.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::Block;
#[cfg(feature = "seeded-bugs")]
use crowdfold_engine::seeded_bugs::{SeededBug, set};

/// A bug that workers of the simulation can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bug {
    /// A restart continues after the last record that was read, instead of reading all records again that still
    /// matter.
    SkippedReplay,
    /// A transaction whose outcome is unknown is treated as aborted.
    DoubleCommit,
    /// A transaction whose outcome is unknown is treated as committed.
    LostCommit,
    /// When a partition is idle, the watermark advances to the current time without a margin for lateness.
    SilenceWithoutMargin,
    /// The watermark advances past all records of a batch before their beacons are inserted.
    WatermarkBeforeBatch,
    /// A fenced worker can still commit.
    ZombieCommits,
    /// A new partition sends records before its first commit.
    NoFirstCommit,
    /// After a loss of offsets, all windows are built again.
    NoFloor,
    /// A partition of the topic of partials that lost its offset is treated as a new partition.
    OneLostUnseen,
    /// Deleted records are not detected.
    GapUnseen,
    /// A change of the rules is not detected.
    RollUnseen,
    /// A restart forgets which windows must be withheld.
    WithholdForgotten,
    /// A restart forgets that the records before the first one are unknown.
    HistoryForgotten,
    /// Beacons are counted in partitions to which their session does not belong.
    MisplacedTaken,
    /// A partition is declared missing before all partials have been read.
    DecidedUnread,
    /// A window is released without a partition before the decision is committed.
    UndecidedRelease,
    /// A worker has another detail table than the previous worker, but treats its policy as the same.
    OtherDetail,
    /// A worker computes noise with another secret than the previous worker, but treats its policy as the same.
    OtherSecret,
}

/// The maximum number of schedules in which a seeded bug must be found. Most bugs are found within a thousand.
const SOON: u64 = 40_000;

#[test]
fn every_seeded_bug_of_the_protocol_is_found() {
    use Bug as B;
    let bugs = [
        B::SkippedReplay,
        B::DoubleCommit,
        B::LostCommit,
        B::SilenceWithoutMargin,
        B::WatermarkBeforeBatch,
        B::ZombieCommits,
        B::NoFirstCommit,
        B::NoFloor,
        B::OneLostUnseen,
        B::GapUnseen,
        B::RollUnseen,
        B::WithholdForgotten,
        B::HistoryForgotten,
        B::MisplacedTaken,
        B::DecidedUnread,
        B::UndecidedRelease,
        B::OtherDetail,
        B::OtherSecret,
    ];
    let missed: Vec<_> = bugs.into_iter().filter(|bug| first_failure(Some(*bug)).is_none()).collect();
    assert_eq!(missed, []);
}

fn first_failure(bug: Option<Bug>) -> Option<u64> {
    let shared = crate::shared();
    (0..SOON / Block::SIZE).find_map(|number| {
        let block = Block::new(number, &shared);
        block.seeds().find(|seed| catch_unwind(AssertUnwindSafe(|| block.schedule(*seed, bug))).is_err())
    })
}

/// Tests the seeded bugs in the state of sessions. The undisturbed run has them too, so only a restart with a
/// different result shows them.
#[cfg(feature = "seeded-bugs")]
#[test]
fn every_seeded_bug_in_the_state_of_sessions_is_found_by_a_restart() {
    for bug in [
        SeededBug::DuplicateStatesNothing,
        SeededBug::RepeatedFailureForgotten,
        SeededBug::RepeatedCodeForgotten,
        SeededBug::LatestStateAlone,
        SeededBug::RequestsIgnored,
    ] {
        set(Some(bug));
        let found = crate::cuts::first_difference();
        set(None);
        println!("{bug:?}: scenario, partition and batch {found:?}");
        assert!(found.is_some(), "no restart finds {bug:?}");
    }
}
