//! Seeded bugs in the state of sessions. A test enables each of them, and verifies that the simulation finds it. This
//! module is compiled only with the feature `seeded-bugs`, which only that test enables.

use std::cell::Cell;

/// A bug that a thread can enable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeededBug {
    /// A repeated beacon does not renew the assertions of the beacon that it repeats.
    DuplicateStatesNothing,
    /// A fatal error that is not counted, because it repeats another, is not remembered.
    RepeatedFailureForgotten,
    /// A repeated error code does not renew the assertion of the code.
    RepeatedCodeForgotten,
    /// Only the latest state by the player's clock is kept. An earlier state that arrives later is forgotten.
    LatestStateAlone,
    /// States of requests are not remembered while events report the state.
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
