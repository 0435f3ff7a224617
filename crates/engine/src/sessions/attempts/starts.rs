//! The starts of a line.

use crate::sessions::session::{Assertion, Now};

/// The starts of a line, and the first frames on lines of lower rank that preceded them.
///
/// A play that a line of lower rank has counted must not count again. Whether it was counted before the attempt of this
/// line depends on the first start of the attempt. This start may expire, and a replay may not know it. Therefore each
/// decision uses the earliest start that has not expired.
#[derive(Debug)]
pub(crate) struct Starts {
    last: Run,
    /// The runs before the last one. Few sessions have any.
    earlier: Option<Box<Earlier>>,
}

/// Consecutive starts with the same first frame before them.
#[derive(Clone, Copy, Debug)]
struct Run {
    /// The latest record with one of these starts.
    start: Assertion,
    /// The last first frame on lines of lower rank, as known when each of these starts was reported.
    framed_before: Assertion,
}

#[derive(Debug)]
struct Earlier(Vec<Run>);

impl Starts {
    pub(crate) const NONE: Self =
        Self { last: Run { start: Assertion::NEVER, framed_before: Assertion::NEVER }, earlier: None };

    /// Returns the latest record with a start.
    pub(crate) const fn latest(&self) -> Assertion {
        self.last.start
    }

    /// Adds a start. `framed_before` is the last first frame on lines of lower rank.
    pub(crate) fn add(&mut self, start: Assertion, framed_before: Assertion, now: &Now) {
        let is_known = self.last.start.record().is_some() && !self.last.start.is_past(now);
        if is_known && framed_before != self.last.framed_before {
            let Earlier(runs) = &mut **self.earlier.get_or_insert_with(|| Box::new(Earlier(Vec::new())));
            runs.retain(|run| !run.start.is_past(now));
            runs.push(self.last);
        }
        self.last = Run { start: self.last.start.or_later(start), framed_before };
    }

    /// Returns the last first frame on lines of lower rank before the earliest unexpired start.
    pub(crate) fn framed_before(&self, now: &Now) -> Assertion {
        let earlier = self.earlier.iter().flat_map(|earlier| &earlier.0);
        earlier.chain([&self.last]).find(|run| run.start.is_valid(now)).unwrap_or(&self.last).framed_before
    }
}
