//! The counts of attempts in an open window.

/// The kind of failure with which an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pending {
    /// A fatal error occurred before the first frame.
    Startup,
    /// A fatal error occurred after the first frame.
    Playback,
    /// The viewer ended the session before the first frame.
    Exit,
}

/// The state of a session's attempts in one open window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct InWindow {
    /// The failure of the last attempt. It is counted when the window closes, or when another attempt begins in the
    /// window. If the player recovers before that, the failure is not counted.
    pub(crate) pending: Option<Pending>,
    /// True if an attempt began in this window, and neither a fatal error nor a first frame has followed.
    pub(super) begun: bool,
}

/// The numbers that a beacon adds to the counts of its window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counted {
    pub(crate) attempts: u8,
    pub(crate) plays: u8,
    pub(crate) startup_failures: u8,
    pub(crate) playback_failures: u8,
    pub(crate) exits_before_start: u8,
    /// The time from the start to the first frame in milliseconds, rounded to two significant digits. The value is
    /// `None` if the time is not known or does not count.
    pub(crate) startup_ms: Option<u32>,
}

impl InWindow {
    /// Counts an attempt that begins in this window. This makes the pending failure of the previous attempt final, so
    /// this failure is counted too.
    pub(super) fn begin(&mut self, counted: &mut Counted) {
        self.count_pending(counted);
        counted.attempts += 1;
        self.begun = true;
    }

    /// Counts the pending failure, if there is one.
    pub(super) fn count_pending(&mut self, counted: &mut Counted) {
        counted.add(self.pending.take());
    }
}

impl Counted {
    /// Adds one to the count of a failure. Does nothing for `None`.
    pub(crate) fn add(&mut self, failure: Option<Pending>) {
        match failure {
            Some(Pending::Startup) => self.startup_failures += 1,
            Some(Pending::Playback) => self.playback_failures += 1,
            Some(Pending::Exit) => self.exits_before_start += 1,
            None => {}
        }
    }
}
