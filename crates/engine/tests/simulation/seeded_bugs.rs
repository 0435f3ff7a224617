//! Seeded bugs that an implementation of the protocol could have. The simulation must find each of them quickly.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::Block;
#[cfg(feature = "seeded-bugs")]
use crowdfold_engine::seeded_bugs::{SeededBug, set};

/// What a worker does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bug {
    /// A restart reads on where it stopped, instead of from the first record that can still matter.
    SkippedReplay,
    /// A transaction of unknown outcome is taken for aborted.
    DoubleCommit,
    /// It is taken for committed.
    LostCommit,
    /// Silence moves the watermark to the clock.
    SilenceWithoutMargin,
    /// The watermark of a whole batch is taken before its beacons are inserted.
    WatermarkBeforeBatch,
    /// A worker that was fenced commits nevertheless.
    ZombieCommits,
    /// A start commits nothing before it sends.
    NoFirstCommit,
    /// A start that lost its offsets makes everything again.
    NoFloor,
    /// A partition of the partials that lost its offset is taken for one that never had any.
    OneLostUnseen,
    /// Records that are gone are not noticed.
    GapUnseen,
    /// A change of the rules is not noticed.
    RollUnseen,
    /// A restart forgets that it was withholding.
    WithholdForgotten,
    /// A restart forgets that nothing is known of the time before the first record.
    HistoryForgotten,
    /// Sessions are counted wherever they are.
    MisplacedTaken,
    /// A partition is given up before all is read.
    DecidedUnread,
    /// A window is released without a partition before that is committed.
    UndecidedRelease,
    /// A worker has another detail table than the one before it, and takes it for the same policy.
    OtherDetail,
    /// A worker draws noise with another secret than the one before it, and takes it for the same policy.
    OtherSecret,
}

/// Schedules within which a seeded bug must be found. Most are found within a thousand.
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

/// Seeded bugs in the state of a session. The undisturbed run has them too: they show where a restart gives another
/// result.
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
        assert!(found.is_some(), "no restart shows {bug:?}");
    }
}
