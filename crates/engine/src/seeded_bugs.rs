//! Seeded bugs in the state of a session, which a test uses to show that the simulation finds them.
//! Compiled only with the feature `seeded-bugs`, which only that test enables.

use std::cell::Cell;

/// A bug to simulate in this thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeededBug {
    /// A beacon that repeats another renews nothing of what it says.
    DuplicateStatesNothing,
    /// A fatal error that counts nothing is not remembered.
    RepeatedFailureForgotten,
    /// An error code that is repeated is not renewed.
    RepeatedCodeForgotten,
    /// Of the states on a clock the latest alone is kept: what comes after it and is earlier is forgotten.
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
