//! Seeded bugs of the protocol. The simulation must find each of them quickly.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::Block;
#[cfg(feature = "seeded-bugs")]
use crowdfold_engine::seeded_bugs::{SeededBug, set};

/// A bug of a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bug {
    /// A restart continues where it stopped, and not at the first record that still affects a window.
    SkippedReplay,
    /// A transaction of unknown outcome is treated as aborted.
    DoubleCommit,
    /// A transaction of unknown outcome is treated as committed.
    LostCommit,
    /// Silence moves the watermark to the clock.
    SilenceWithoutMargin,
    /// The watermark of a whole batch is advanced before its beacons are inserted.
    WatermarkBeforeBatch,
    /// A fenced worker commits.
    ZombieCommits,
    /// A start sends records before its first commit.
    NoFirstCommit,
    /// A start that lost its offsets builds all windows again.
    NoFloor,
    /// A partition of the partials that lost its offset is treated as one that never had any.
    OneLostUnseen,
    /// Deleted records are not noticed.
    GapUnseen,
    /// A change of the rules is not noticed.
    RollUnseen,
    /// A restart forgets that windows were withheld.
    WithholdForgotten,
    /// A restart forgets that the time before the first record is unknown.
    HistoryForgotten,
    /// Sessions are counted in any partition.
    MisplacedTaken,
    /// A partition is declared missing before all partials are read.
    DecidedUnread,
    /// A window is released without a partition before this decision is committed.
    UndecidedRelease,
    /// A worker has another detail table than its predecessor, and treats it as the same policy.
    OtherDetail,
    /// A worker draws noise with another secret than its predecessor, and treats it as the same policy.
    OtherSecret,
}

/// The number of schedules within which a seeded bug must be found. Most are found within a thousand.
const SOON: u64 = 40_000;

#[test]
fn every_seeded_bug_is_found_within_seconds() {
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

/// Tests seeded bugs in the state of a session. The undisturbed run also has them, so they are found only by a restart
/// with another result.
///
#[cfg(feature = "seeded-bugs")]
#[test]
fn every_seeded_bug_that_a_replay_would_not_repeat_is_found_by_a_restart() {
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
