//! The assertions about attempts on the other lines of a session.

use super::{InWindow, Line, WindowContext};
use crate::sessions::session::{Assertion, Now};

/// The unexpired assertions on the other lines of a session.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OtherLines {
    /// True if a line of higher rank hides the reports of this line.
    pub(super) hidden: bool,
    /// The latest record with a first frame on a line of higher rank.
    pub(super) hidden_at: Assertion,
    /// True if another line has an unexpired start.
    pub(super) start: bool,
    /// The last first frame on lines of lower rank.
    pub(super) frame: Assertion,
    /// True if another line has an unexpired start without an unexpired first frame after it.
    pub(super) starting: bool,
    /// True if another line has an unexpired idle report.
    pub(super) idle: bool,
    /// True if another line has an unanswered fatal error that was counted. An error on a line of lower rank was counted
    /// if no line of higher rank had an unexpired first frame at that time.
    pub(super) failed: bool,
    /// True if another line has an unexpired start, and an unexpired end after its last start.
    pub(super) left: bool,
}

impl OtherLines {
    pub(crate) const NONE: Self = Self {
        hidden: false,
        hidden_at: Assertion::NEVER,
        start: false,
        frame: Assertion::NEVER,
        starting: false,
        idle: false,
        failed: false,
        left: false,
    };

    /// Adds the assertions of a line of higher rank.
    pub(crate) fn below(mut self, line: &Line, context: WindowContext, open: &InWindow, now: &Now) -> Self {
        let (start, frame) = (line.has_start(now), line.frame.is_valid(now));
        let failed = line.unanswered(context, open, now).is_some();
        self.hidden |= frame || start && failed;
        self.hidden_at = self.hidden_at.or_later(line.frame);
        self.failed |= failed;
        self.add(line, now);
        self
    }

    /// Adds the assertions of a line of lower rank.
    pub(crate) fn above(mut self, line: &Line, context: WindowContext, open: &InWindow, now: &Now) -> Self {
        self.frame = self.frame.or_later(line.frame);
        self.failed |=
            line.unanswered(context, open, now).is_some_and(|fatal| !fatal.hidden_at.is_valid(now));
        self.add(line, now);
        self
    }

    fn add(&mut self, line: &Line, now: &Now) {
        self.start |= line.has_start(now);
        self.starting |= line.is_starting(now);
        self.idle |= line.idle.is_valid(now);
        self.left |= line.has_start(now) && line.left.is_valid(now);
    }
}
