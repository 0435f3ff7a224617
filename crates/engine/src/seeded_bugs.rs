//! Seeded bugs in the state of sessions. A test enables one bug after the other, and verifies that the simulation finds
//! it. This module is compiled only with the feature `seeded-bugs`, which only this test enables.

use std::cell::Cell;

/// A bug that a thread can enable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeededBug {
    /// The assertions of a repeated beacon are not stored, so the original assertions expire earlier.
    DuplicateStatesNothing,
    /// A fatal error that is not counted, because it is a repetition, is not remembered.
    RepeatedFailureForgotten,
    /// A repeated error code does not extend the time until its assertion expires.
    RepeatedCodeForgotten,
    /// Only the state with the latest time on the player's clock is kept. A state that arrives after it with an earlier
    /// time is forgotten.
    LatestStateAlone,
    /// The states of requests are forgotten while events report the state.
    RequestsIgnored,
}

thread_local! {
    static SEEDED_BUG: Cell<Option<SeededBug>> = const { Cell::new(None) };
}

/// Enables a seeded bug in this thread, or disables it.
pub fn set(bug: Option<SeededBug>) {
    SEEDED_BUG.set(bug);
}

pub(crate) fn is_set(bug: SeededBug) -> bool {
    SEEDED_BUG.get() == Some(bug)
}
