//! Seeded bugs in the state of a session. A test proves with them that the simulation finds such bugs. This module is
//! compiled only with the feature `seeded-bugs`, which only that test enables.

use std::cell::Cell;

/// A bug to simulate in this thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeededBug {
    /// A repeated beacon does not renew its assertions.
    DuplicateStatesNothing,
    /// A fatal error that is not counted is not remembered.
    RepeatedFailureForgotten,
    /// A repeated error code is not renewed.
    RepeatedCodeForgotten,
    /// Only the latest state on a clock is kept. An earlier state that arrives later is forgotten.
    LatestStateAlone,
    /// States of requests are forgotten while events report the state.
    RequestsIgnored,
}

thread_local! {
    static SEEDED_BUG: Cell<Option<SeededBug>> = const { Cell::new(None) };
}

/// Sets the seeded bug of this thread.
pub fn set(bug: Option<SeededBug>) {
    SEEDED_BUG.set(bug);
}

pub(crate) fn is_set(bug: SeededBug) -> bool {
    SEEDED_BUG.get() == Some(bug)
}
