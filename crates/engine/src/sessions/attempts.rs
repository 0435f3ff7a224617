//! Counts attempts, plays and failures.
//!
//! An attempt is one request for playback. A beacon reports a *start* (playback was requested), a *first frame*
//! (something plays), *idle* (the player is present and does neither) or a *fatal* error. Each is an assertion
//! ([`crate::sessions::session`]). A decision depends on the assertions in the session's records of the last
//! `sessions.idle_timeout`, and on the state of its open window. Therefore a replay decides the same.
//!
//! *Before*, *after* and *last* mean the order in the log, because clocks are set and reports are repeated. There is
//! one exception: a start whose own time is before that of the last first frame or fatal error is a repeated or late
//! report. Players send reports in parallel requests, which overtake each other. The time for which an assertion is in
//! effect begins at the latest record with it, so a late report does not shorten it.
//!
//! A session may report the same in JSON, in CMCD events and in its requests, and requests overtake batches of events.
//! Each of the three ways is a separate [`Line`]. A report on a line counts only while no start or first frame on an
//! earlier line (in this order) is in effect. The first reports of a line do not count again if a later line has
//! counted them.

mod counted;

use crowdfold_model::Timestamp;

use crate::sessions::session::{Assertion, Now};
use crate::sessions::session_summary::quotient_to_two_digits;

pub(crate) use counted::{Counted, Failure, InWindow};

/// The reports of a beacon about its attempt.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Statement {
    /// The beacon's own time.
    pub(crate) at: Timestamp,
    pub(crate) start: bool,
    pub(crate) frame: bool,
    pub(crate) idle: bool,
    pub(crate) fatal: bool,
    /// The viewer left.
    pub(crate) end: bool,
}

/// The window of a beacon.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WindowContext {
    /// The start of the window.
    pub(crate) window: Timestamp,
    /// True if attempts without a start count. They do not count if nothing is known about the time before the window.
    pub(crate) implied: bool,
}

/// The assertions about attempts on one line.
#[derive(Debug)]
pub(crate) struct Line {
    start: Assertion,
    /// The own time of the last start.
    start_at: Timestamp,
    /// The last first frame on later lines at the time of the start report.
    framed_before: Assertion,
    frame: Assertion,
    frame_at: Timestamp,
    idle: Assertion,
    /// True if a start was reported after the last first frame.
    started: bool,
    /// The last record after the last start with a report that the viewer left.
    left: Assertion,
    /// The last fatal error. Few sessions have one.
    fatal: Option<Box<Fatal>>,
}

/// The assertions in effect on the other lines of a session.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OtherLines {
    /// True if a start or a first frame is in effect on an earlier line.
    outranked: bool,
    /// The latest record with such an assertion.
    outranked_at: Assertion,
    /// True if a start is in effect on a later line.
    start: bool,
    /// The last first frame on later lines.
    frame: Assertion,
    /// True if the player is starting on a later line: no first frame is in effect, or a start came after it.
    starting: bool,
    /// True if idle is in effect on any other line.
    idle: bool,
    /// True if a later line has an unanswered failure that counted, because no assertion on an earlier line was in
    /// effect.
    failed: bool,
}

impl OtherLines {
    pub(crate) const NONE: Self = Self {
        outranked: false,
        outranked_at: Assertion::NEVER,
        start: false,
        frame: Assertion::NEVER,
        starting: false,
        idle: false,
        failed: false,
    };

    /// Adds an earlier line.
    pub(crate) fn outranked_by(mut self, line: &Line, now: &Now) -> Self {
        self.outranked |= line.start.holds(now) || line.frame.holds(now);
        self.outranked_at = self.outranked_at.or_later(line.start).or_later(line.frame);
        self.idle |= line.idle.holds(now);
        self
    }

    /// Adds a later line.
    pub(crate) fn and(mut self, line: &Line, context: WindowContext, open: &InWindow, now: &Now) -> Self {
        self.starting |= line.is_starting(now);
        self.start |= line.start.holds(now);
        self.frame = self.frame.or_later(line.frame);
        self.idle |= line.idle.holds(now);
        self.failed |=
            line.unanswered(context, open, now).is_some_and(|fatal| !fatal.outranked_at.holds(now));
        self
    }
}

/// The last fatal error of a line, and the reports after it.
#[derive(Debug)]
struct Fatal {
    assertion: Assertion,
    /// The own time of its beacon.
    at: Timestamp,
    window: Timestamp,
    /// The latest start or first frame on earlier lines at the time of the error.
    outranked_at: Assertion,
    /// True if a first frame came after it, or a start in another window.
    answered: bool,
    /// True if a start in another window came after it whose own time is before the last first frame.
    answered_by_old: bool,
    /// True if a start came after it in the same window, and the error had ended playback.
    answered_here: bool,
}

impl Line {
    pub(crate) const fn new() -> Self {
        Self {
            start: Assertion::NEVER,
            start_at: Timestamp::EPOCH,
            framed_before: Assertion::NEVER,
            frame: Assertion::NEVER,
            frame_at: Timestamp::EPOCH,
            idle: Assertion::NEVER,
            started: false,
            left: Assertion::NEVER,
            fatal: None,
        }
    }

    /// Records the reports of a beacon. Returns its contribution to the window. `open` is the state of the window,
    /// which is updated.
    pub(crate) fn state(
        &mut self,
        statement: &Statement,
        others: &OtherLines,
        context: WindowContext,
        open: &mut InWindow,
        now: &Now,
    ) -> Counted {
        let mut counted = Counted::default();
        // Most beacons only report that playback continues.
        let Statement { start, frame, idle, fatal, .. } = *statement;
        if frame
            && !start
            && !idle
            && !fatal
            && !self.started
            && self.fatal.is_none()
            && self.frame.holds(now)
        {
            if !others.outranked && !others.failed {
                *open = InWindow::default();
            }
            self.frame = self.frame.or_later(Assertion::at(now.record));
            self.frame_at = statement.at;
            return counted;
        }
        // A report that does not count does not change the window.
        let mut unseen = *open;
        let open = if others.outranked { &mut unseen } else { open };
        if statement.start {
            self.start(statement, others, context, open, &mut counted, now);
        }
        if statement.frame {
            self.frame(statement, others, context, open, &mut counted, now);
        }
        if statement.fatal {
            self.fatal(statement, others, context, open, &mut counted, now);
        }
        if statement.end {
            self.end(others, context, open, now);
        }
        if statement.idle {
            self.idle = self.idle.or_later(Assertion::at(now.record));
        }
        if others.outranked { Counted::default() } else { counted }
    }

    /// Returns true if a first frame is in effect.
    pub(crate) fn has_played(&self, now: &Now) -> bool {
        self.frame.holds(now)
    }

    /// Returns true if a start is in effect.
    pub(crate) fn has_start(&self, now: &Now) -> bool {
        self.start.holds(now)
    }

    fn is_starting(&self, now: &Now) -> bool {
        self.start.holds(now) && (self.started || !self.frame.holds(now))
    }

    fn start(
        &mut self,
        statement: &Statement,
        others: &OtherLines,
        context: WindowContext,
        open: &mut InWindow,
        counted: &mut Counted,
        now: &Now,
    ) {
        let frame = self.frame.holds(now);
        let is_old = frame && statement.at < self.frame_at;
        let is_first = !frame && !others.frame.holds(now) && !self.start.holds(now) && !others.start;
        let last_fatal = self.fatal.as_deref().filter(|fatal| fatal.assertion.holds(now));
        let was_overtaken = last_fatal.is_some_and(|fatal| statement.at < fatal.at);
        let retry = self
            .unanswered(context, open, now)
            .is_some_and(|fatal| fatal.window != context.window || open.pending.is_none());
        if !is_old && !was_overtaken && (is_first || frame && !self.started || retry) {
            open.begin(counted);
        }
        if let Some(fatal) = self.fatal.as_mut().filter(|_| !was_overtaken) {
            if fatal.window != context.window {
                *(if is_old { &mut fatal.answered_by_old } else { &mut fatal.answered }) = true;
            } else if !is_old && !self.started {
                fatal.answered_here = true;
            }
        }
        if !is_old && !was_overtaken {
            self.started = true;
            self.left = Assertion::NEVER;
        }
        self.framed_before = others.frame;
        self.start = self.start.or_later(Assertion::at(now.record));
        self.start_at = statement.at;
    }

    fn frame(
        &mut self,
        statement: &Statement,
        others: &OtherLines,
        context: WindowContext,
        open: &mut InWindow,
        counted: &mut Counted,
        now: &Now,
    ) {
        let (start, frame) = (self.start.holds(now), self.frame.holds(now));
        let fatal = self.unanswered(context, open, now);
        // The player may recover from the pending failure of this window.
        let is_first = !frame || self.started;
        let expected = if is_first { Failure::Startup } else { Failure::Playback };
        let recovers =
            fatal.is_some_and(|fatal| fatal.window == context.window && open.pending == Some(expected));
        let retry = fatal.is_some() && !recovers;
        let follows = if frame {
            self.started
        } else if start {
            !self.framed_before.holds(now)
        } else {
            !others.frame.holds(now) && (others.start || !self.idle.holds(now) && !others.idle)
        };
        if retry || follows && (is_first || !recovers) {
            let implied = !retry && !start && !others.start && open.pending != Some(Failure::Startup);
            if retry || implied && context.implied {
                open.begin(counted);
            }
            counted.plays += u8::from(!implied || context.implied);
            if !retry && start && (!frame || self.start_at >= self.frame_at) {
                counted.startup_ms = self.took(statement.at, now);
            }
        }
        // A late first frame is not a recovery from a failure that another line reported.
        if !others.failed {
            *open = InWindow::default();
        }
        self.frame = self.frame.or_later(Assertion::at(now.record));
        self.frame_at = statement.at;
        self.started = false;
        if let Some(fatal) = &mut self.fatal {
            fatal.answered = true;
        }
    }

    /// Returns the time in ms from the last start to a first frame. It is absent if it is longer than an assertion is
    /// in effect, because the clock was then set.
    fn took(&self, frame_at: Timestamp, now: &Now) -> Option<u32> {
        let took = frame_at.checked_since(self.start_at).filter(|took| *took <= now.idle)?;
        u32::try_from(quotient_to_two_digits(took.as_millis(), 1)).ok()
    }

    fn fatal(
        &mut self,
        statement: &Statement,
        others: &OtherLines,
        context: WindowContext,
        open: &mut InWindow,
        counted: &mut Counted,
        now: &Now,
    ) {
        let (start, frame) = (self.start.holds(now), self.frame.holds(now));
        let is_ours = start || frame;
        // The first error of a line may have been counted on another line.
        let is_first = !self.fatal.as_ref().is_some_and(|fatal| fatal.assertion.holds(now));
        let repeats = self.unanswered(context, open, now).is_some() || is_first && others.failed;
        #[cfg(feature = "seeded-bugs")]
        if repeats && crate::seeded_bugs::is_set(crate::seeded_bugs::SeededBug::RepeatedFailureForgotten) {
            return;
        }
        if !repeats {
            let is_starting = if is_ours { self.is_starting(now) } else { others.starting };
            let failure = if is_starting {
                Some(Failure::Startup)
            } else if frame || others.frame.holds(now) {
                Some(Failure::Playback)
            } else if self.idle.holds(now) || others.idle || !context.implied {
                None
            } else {
                open.begin(counted);
                Some(Failure::Startup)
            };
            if failure.is_some() {
                open.pending = open.pending.filter(|pending| *pending != Failure::Exit);
                open.count_pending(counted);
                open.pending = failure;
            }
        }
        open.begun = false;
        let assertion = Assertion::at(now.record);
        let fatal = Fatal {
            assertion: self.fatal.as_ref().map_or(assertion, |known| known.assertion.or_later(assertion)),
            at: statement.at,
            window: context.window,
            outranked_at: others.outranked_at,
            answered: false,
            answered_by_old: false,
            answered_here: false,
        };
        match &mut self.fatal {
            Some(known) => **known = fatal,
            none => *none = Some(Box::new(fatal)),
        }
    }

    /// Records that the viewer left. If an attempt that began with a start on this line is open, its exit is pending.
    fn end(&mut self, others: &OtherLines, context: WindowContext, open: &mut InWindow, now: &Now) {
        let has_played = others.frame != self.framed_before && others.frame.holds(now);
        let has_failed = others.failed || self.unanswered(context, open, now).is_some();
        if self.is_starting(now) && !has_played && !has_failed && !self.left.holds(now) {
            open.pending.get_or_insert(Failure::Exit);
        }
        self.left = self.left.or_later(Assertion::at(now.record));
    }

    /// Returns the last fatal error if it is in effect and unanswered. An error is answered by a later first frame, by
    /// a later start in another window, and by an attempt that began after it in this window. Players report one
    /// failure several times, and retry automatically.
    fn unanswered(&self, context: WindowContext, open: &InWindow, now: &Now) -> Option<&Fatal> {
        let fatal = self.fatal.as_deref().filter(|fatal| !fatal.answered && fatal.assertion.holds(now))?;
        let answered = if self.frame.holds(now) { fatal.answered_here } else { fatal.answered_by_old };
        let begun_since = open.begun && fatal.window == context.window;
        (!answered && !begun_since).then_some(fatal)
    }
}

#[cfg(test)]
mod tests;
