//! Mistakes in what is remembered of a session, made on purpose, so that a test can see that the simulation of the
//! pipeline finds them. Compiled with the feature `planted` alone, which nothing but that test asks for.

use std::cell::Cell;

/// What this thread does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mistake {
    /// A beacon that repeats another renews nothing of what it says.
    DuplicateStatesNothing,
    /// A fatal error that counts nothing is not remembered.
    RepeatedFailureForgotten,
    /// An error code that is repeated is not renewed.
    RepeatedCodeForgotten,
    /// Of the states on a clock the latest alone is kept: what comes after it and is earlier is forgotten.
    LatestStateAlone,
    /// What requests state while events tell the state is forgotten.
    RequestsUnheard,
}

thread_local! {
    static MISTAKE: Cell<Option<Mistake>> = const { Cell::new(None) };
}

/// From now on this thread makes that mistake, or none.
pub fn make(mistake: Option<Mistake>) {
    MISTAKE.set(mistake);
}

pub(crate) fn is(mistake: Mistake) -> bool {
    MISTAKE.get() == Some(mistake)
}
