//! Seeded bugs of the protocol. The simulation must find each of them within a few thousand schedules.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crowdfold_engine::Rules;
use crowdfold_engine::wire::{self, CloseMarker, Partial};

use crate::Block;
#[cfg(feature = "seeded-bugs")]
use crowdfold_engine::seeded_bugs::{SeededBug, set};

/// A bug that workers of the simulation can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bug {
    /// A restart continues after the last record that was read. It should read again all records that still matter.
    SkippedReplay,
    /// A transaction whose outcome is unknown is treated as aborted.
    DoubleCommit,
    /// A transaction whose outcome is unknown is treated as committed.
    LostCommit,
    /// When a partition is idle, the watermark advances to the current time. It should stay behind by the lateness.
    SilenceWithoutMargin,
    /// The watermark advances past all records of a batch before their beacons are inserted.
    WatermarkBeforeBatch,
    /// A fenced worker can still commit.
    ZombieCommits,
    /// A partition that was never committed sends records before its first commit.
    NoFirstCommit,
    /// After a loss of offsets, all windows are built again.
    NoFloor,
    /// If a partition of the topic of partials has lost its offset, it is treated as a new partition.
    OneLostUnseen,
    /// Deleted records are not detected.
    GapUnseen,
    /// A change of the rules is not detected.
    RollUnseen,
    /// A change of the thresholds of good sessions is not detected.
    QualityUnseen,
    /// A restart forgets which windows must be withheld.
    WithholdForgotten,
    /// A restart forgets that the records before the first available one are unknown.
    HistoryForgotten,
    /// Beacons are counted in a partition to which their session does not belong.
    MisplacedTaken,
    /// A partition is declared missing before all partials have been read.
    DecidedUnread,
    /// A window is released without a partition before the decision is committed.
    UndecidedRelease,
    /// A worker has another detail table than the previous worker, but treats its policy as unchanged.
    OtherDetail,
    /// A worker computes noise with another secret than the previous worker, but treats its policy as unchanged.
    OtherSecret,
}

/// Returns a close marker with the fingerprint of other rules. Returns `None` for other partials.
pub(crate) fn with_fingerprint(partial: &[u8], rules: &Rules, partial_partitions: u32) -> Option<Vec<u8>> {
    let Ok(Partial::CloseMarker(marker)) = wire::read(partial) else { return None };
    let layout_fingerprint = rules.layout_fingerprint(marker.partitions, partial_partitions);
    Some(wire::close_marker(&CloseMarker { layout_fingerprint, ..marker }))
}

/// Returns the assumed outcome of a transaction for a worker with one of these bugs. Other workers query the outcome.
pub(crate) const fn guessed(bug: Option<Bug>) -> Option<bool> {
    match bug {
        Some(Bug::DoubleCommit) => Some(false),
        Some(Bug::LostCommit) => Some(true),
        _ => None,
    }
}

/// The maximum number of schedules after which a seeded bug must be found. Most bugs are found within a thousand
/// schedules.
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
        B::QualityUnseen,
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

/// The undisturbed run has these bugs too, so they show only if a restart has a different result.
#[cfg(feature = "seeded-bugs")]
#[test]
fn restart_finds_every_seeded_bug_in_the_state_of_sessions() {
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
