//! The attempts, plays and failures of a session in one window.

/// The ways in which an attempt or a playback can fail.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Pending {
    Startup,
    Playback,
    Exit,
}

/// The counts of attempts, plays and failures in a window.
#[derive(Clone, Default)]
pub(in crate::oracle) struct WindowAttempts {
    pub(in crate::oracle) attempts: u64,
    pub(in crate::oracle) plays: u64,
    pub(in crate::oracle) startup_failures: u64,
    pub(in crate::oracle) playback_failures: u64,
    pub(in crate::oracle) exits_before_start: u64,
    /// The last failure. It is counted when another attempt begins or the window closes, unless the player recovers
    /// first.
    pub(super) pending: Option<Pending>,
    /// True if an attempt has begun in this window, and neither a failure nor a first frame followed it.
    pub(super) begun: bool,
}

impl WindowAttempts {
    /// Returns the final counts. They include the pending failure.
    pub(in crate::oracle) fn closed(&self) -> Self {
        let mut closed = self.clone();
        closed.count_pending();
        closed
    }

    pub(super) fn count_pending(&mut self) {
        match self.pending.take() {
            Some(Pending::Startup) => self.startup_failures += 1,
            Some(Pending::Playback) => self.playback_failures += 1,
            Some(Pending::Exit) => self.exits_before_start += 1,
            None => {}
        }
    }

    pub(super) fn begin(&mut self) {
        self.count_pending();
        self.attempts += 1;
        self.begun = true;
    }
}
