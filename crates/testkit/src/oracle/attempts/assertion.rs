//! The assertions in the log of a session.

use crate::oracle::Millis;

/// The kind of an assertion.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The player starts. `old` is true if a first frame that was live when the start was read has a later time than
    /// the start. `overtaken` has the same meaning for a fatal error that no first frame, and no start in another
    /// window, followed.
    Start {
        old: bool,
        overtaken: bool,
    },
    Frame,
    Idle,
    Fatal,
    End,
}

/// An assertion in the log of a session.
pub(super) struct Assertion {
    pub(super) kind: Kind,
    pub(super) asserted_at: Millis,
    pub(super) at: Millis,
    pub(super) window: Millis,
    /// For a start: the latest timestamp of a first frame on a line after this one, at the time when the start was
    /// read. For a failure: the latest timestamp of a first frame on a line before this one.
    pub(super) other: Option<Millis>,
}

impl Kind {
    pub(super) fn is_start(self) -> bool {
        matches!(self, Self::Start { .. })
    }

    pub(super) fn is_new_start(self) -> bool {
        matches!(self, Self::Start { old: false, .. })
    }

    pub(super) fn is_frame(self) -> bool {
        self == Self::Frame
    }

    pub(super) fn is_idle(self) -> bool {
        self == Self::Idle
    }

    pub(super) fn is_fatal(self) -> bool {
        self == Self::Fatal
    }

    pub(super) fn is_end(self) -> bool {
        self == Self::End
    }
}
