//! The counts of an open window.

/// The way in which an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// A fatal error before the first frame.
    Startup,
    /// A fatal error after the first frame.
    Playback,
    /// The viewer left before the first frame.
    Exit,
}

/// The state of a session's attempts in an open window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct InWindow {
    /// The end of an attempt that counts when the window closes or a new attempt begins in it, unless the player
    /// recovers.
    pub(crate) pending: Option<Failure>,
    /// True if an attempt began in this window after its last fatal error and its last first frame.
    pub(super) begun: bool,
}

/// The contribution of a beacon to the counts of its window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counted {
    pub(crate) attempts: u8,
    pub(crate) plays: u8,
    pub(crate) startup_failures: u8,
    pub(crate) playback_failures: u8,
    pub(crate) exits_before_start: u8,
    /// The time in ms from the start to the first frame of a play, rounded to two digits.
    pub(crate) startup_ms: Option<u32>,
}

impl InWindow {
    /// Counts an attempt that begins in this window. An earlier failure counts.
    pub(super) fn begin(&mut self, counted: &mut Counted) {
        self.count_pending(counted);
        counted.attempts += 1;
        self.begun = true;
    }

    /// Counts the pending failure.
    pub(super) fn count_pending(&mut self, counted: &mut Counted) {
        counted.add(self.pending.take());
    }
}

impl Counted {
    /// Adds a failure.
    pub(crate) fn add(&mut self, failure: Option<Failure>) {
        match failure {
            Some(Failure::Startup) => self.startup_failures += 1,
            Some(Failure::Playback) => self.playback_failures += 1,
            Some(Failure::Exit) => self.exits_before_start += 1,
            None => {}
        }
    }
}
