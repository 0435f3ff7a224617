//! Counts the attempts, plays and failures of a session.
//!
//! An attempt is one request for playback. A beacon may report a *start* (playback was requested), a *first frame*
//! (media plays), *idle* (the player neither starts nor plays) or a *fatal* error. Each report is an assertion
//! ([`crate::sessions::session`]), which expires when the idle time-out has passed since its record. Decisions depend
//! only on assertions that have not expired, and on the state of the open window. Therefore a replay makes the same
//! decisions.
//!
//! *Before*, *after* and *last* refer to the order in the log, because the clocks of players may be wrong and reports
//! are repeated. There is one exception, because players send reports in parallel requests, which may arrive in another
//! order. If the own time of a start is before the own time of the last first frame, or of a fatal error that no first
//! frame followed, the start is a late or repeated report. An assertion expires relative to the latest record that
//! contains it, so a late report does not make it expire earlier.
//!
//! A session may report the same event in JSON beacons, in CMCD events and in CMCD requests, and requests may arrive
//! before batches of events. Each of these three sources is a separate [`Line`]. JSON beacons have the highest rank,
//! and requests have the lowest. A line of higher rank hides the reports of a line if it has an unexpired first frame,
//! or an unexpired start and an unanswered fatal error. Hidden reports do not count. If a line of higher rank has only
//! a start, this start applies to all lines, because a player may report the rest of the attempt in another source. If
//! another line has already counted a report, the same report does not count again.

mod counted;
mod others;
mod starts;

use crowdfold_model::Timestamp;

use crate::sessions::session::{Assertion, Now};
use crate::sessions::session_summary::quotient_to_two_digits;

pub(crate) use counted::{Counted, InWindow, Pending};
pub(crate) use others::OtherLines;
use starts::Starts;

/// The reports of one beacon about its attempt.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AttemptReport {
    /// The beacon's own time.
    pub(crate) at: Timestamp,
    pub(crate) start: bool,
    pub(crate) frame: bool,
    pub(crate) idle: bool,
    pub(crate) fatal: bool,
    /// True if the viewer has ended the session.
    pub(crate) end: bool,
}

/// The window to which a beacon belongs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WindowContext {
    /// The start of the window.
    pub(crate) window: Timestamp,
    /// True if attempts without a reported start count in this window. If the records before the window are unknown,
    /// such attempts do not count, because the start may be in an unknown record.
    pub(crate) implied: bool,
}

/// The reports of a session about its attempts in one source: JSON beacons, events or requests.
#[derive(Debug)]
pub(crate) struct Line {
    starts: Starts,
    /// The beacon's own time at the last start.
    start_at: Timestamp,
    frame: Assertion,
    frame_at: Timestamp,
    idle: Assertion,
    /// True if a start was reported after the last first frame.
    started: bool,
    /// The last record, after the last start, that reports that the viewer has ended the session.
    left: Assertion,
    /// The last fatal error. Few sessions have one.
    fatal: Option<Box<Fatal>>,
}

/// The last fatal error of a line, and the reports that followed it.
#[derive(Debug)]
struct Fatal {
    assertion: Assertion,
    /// The beacon's own time of the error.
    at: Timestamp,
    window: Timestamp,
    /// The latest record with a first frame on a line of higher rank, as known when the error was reported.
    hidden_at: Assertion,
    /// True if a first frame or a start in another window followed the error.
    answered: bool,
    /// True if a start in another window followed the error, but its own time is before that of the last first frame.
    answered_by_old: bool,
    /// True if the error had ended playback, and a start in the same window followed.
    answered_here: bool,
}

impl Line {
    pub(crate) const fn new() -> Self {
        Self {
            starts: Starts::NONE,
            start_at: Timestamp::EPOCH,
            frame: Assertion::NEVER,
            frame_at: Timestamp::EPOCH,
            idle: Assertion::NEVER,
            started: false,
            left: Assertion::NEVER,
            fatal: None,
        }
    }

    /// Records the reports of a beacon. Returns the amounts that they add to the counts of the window. `open` is the
    /// state of the window before the beacon, and becomes the state after it.
    pub(crate) fn report(
        &mut self,
        report: &AttemptReport,
        others: &OtherLines,
        context: WindowContext,
        open: &mut InWindow,
        now: &Now,
    ) -> Counted {
        let mut counted = Counted::default();
        // Most beacons report only that playback continues, so they take this short path.
        let AttemptReport { start, frame, idle, fatal, .. } = *report;
        if frame
            && !start
            && !idle
            && !fatal
            && !self.started
            && self.fatal.is_none()
            && self.frame.is_valid(now)
        {
            if !others.hidden && !others.failed {
                *open = InWindow::default();
            }
            self.frame = self.frame.or_later(Assertion::at(now.record));
            self.frame_at = report.at;
            return counted;
        }
        // Reports that do not count must not change the state of the window. They change a copy of it instead.
        let mut unseen = *open;
        let open = if others.hidden { &mut unseen } else { open };
        if report.start {
            self.start(report, others, context, open, &mut counted, now);
        }
        if report.frame {
            self.frame(report, others, context, open, &mut counted, now);
        }
        if report.fatal {
            self.fatal(report, others, context, open, &mut counted, now);
        }
        if report.end {
            self.end(others, context, open, now);
        }
        if report.idle {
            self.idle = self.idle.or_later(Assertion::at(now.record));
        }
        if others.hidden { Counted::default() } else { counted }
    }

    /// Returns true if the line has an unexpired first frame.
    pub(crate) fn has_played(&self, now: &Now) -> bool {
        self.frame.is_valid(now)
    }

    /// Returns true if the line has an unexpired start.
    pub(crate) fn has_start(&self, now: &Now) -> bool {
        self.starts.latest().is_valid(now)
    }

    fn is_starting(&self, now: &Now) -> bool {
        self.starts.latest().is_valid(now) && (self.started || !self.frame.is_valid(now))
    }

    /// Returns true if a line of lower rank has an unexpired first frame that came after the earliest unexpired start
    /// of this line.
    fn is_played_below(&self, others: &OtherLines, now: &Now) -> bool {
        others.frame.is_valid(now) && others.frame != self.starts.framed_before(now)
    }

    fn start(
        &mut self,
        report: &AttemptReport,
        others: &OtherLines,
        context: WindowContext,
        open: &mut InWindow,
        counted: &mut Counted,
        now: &Now,
    ) {
        let frame = self.frame.is_valid(now);
        let is_old = frame && report.at < self.frame_at;
        let is_first =
            !frame && !others.frame.is_valid(now) && !self.starts.latest().is_valid(now) && !others.start;
        let last_fatal = self.fatal.as_deref().filter(|fatal| fatal.assertion.is_valid(now));
        let was_overtaken = last_fatal.is_some_and(|fatal| !fatal.answered && report.at < fatal.at);
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
        // A replay does not read the oldest records, so it may lack assertions that expire before this one. The new
        // values must not depend on them. Therefore a late start also changes `left`, and a start before the last fatal
        // error also changes `started`.
        self.started |= !is_old;
        self.left = Assertion::NEVER;
        self.starts.add(Assertion::at(now.record), others.frame, now);
        self.start_at = report.at;
    }

    fn frame(
        &mut self,
        report: &AttemptReport,
        others: &OtherLines,
        context: WindowContext,
        open: &mut InWindow,
        counted: &mut Counted,
        now: &Now,
    ) {
        let (start, frame) = (self.starts.latest().is_valid(now), self.frame.is_valid(now));
        let fatal = self.unanswered(context, open, now);
        // If the window has a pending failure, the player may have recovered from it.
        let is_first = !frame || self.started;
        let expected = if is_first { Pending::Startup } else { Pending::Playback };
        let recovers = fatal.is_some_and(|fatal| fatal.window == context.window)
            && (open.pending == Some(expected)
                || open.pending == Some(Pending::Playback) && self.is_played_below(others, now));
        let retry = fatal.is_some() && !recovers;
        let follows = if frame {
            self.started
        } else if start {
            // If the startup failure of this attempt is pending, no other line has counted the play.
            !self.starts.framed_before(now).is_valid(now)
                && (!others.frame.is_valid(now) || recovers && open.pending == Some(Pending::Startup))
        } else {
            !others.frame.is_valid(now) && (others.start || !self.idle.is_valid(now) && !others.idle)
        };
        if retry || follows && (is_first || !recovers) {
            let implied = !retry && !start && !others.start && open.pending != Some(Pending::Startup);
            if retry || implied && context.implied {
                open.begin(counted);
            }
            counted.plays += u8::from(!implied || context.implied);
            if !retry && start && (!frame || self.start_at >= self.frame_at) {
                counted.startup_ms = self.took(report.at, now);
            }
        }
        // If another line reported the failure, a late first frame does not show that the player recovered.
        if !others.failed {
            *open = InWindow::default();
        }
        self.frame = self.frame.or_later(Assertion::at(now.record));
        self.frame_at = report.at;
        self.started = false;
        if let Some(fatal) = &mut self.fatal {
            fatal.answered = true;
        }
    }

    /// Returns the time in milliseconds from the last start to a first frame. If the time is negative or longer than
    /// the idle time-out, the player's clock was changed during this time, and the result is `None`.
    fn took(&self, frame_at: Timestamp, now: &Now) -> Option<u32> {
        let took = frame_at.checked_since(self.start_at).filter(|took| *took <= now.idle)?;
        u32::try_from(quotient_to_two_digits(took.as_millis(), 1)).ok()
    }

    fn fatal(
        &mut self,
        report: &AttemptReport,
        others: &OtherLines,
        context: WindowContext,
        open: &mut InWindow,
        counted: &mut Counted,
        now: &Now,
    ) {
        let (start, frame) = (self.starts.latest().is_valid(now), self.frame.is_valid(now));
        let is_ours = start || frame;
        // A fatal error may be reported in several sources. If the error of another line was counted, the first error
        // on this line is a repetition.
        let is_first = !self.fatal.as_ref().is_some_and(|fatal| fatal.assertion.is_valid(now));
        let repeats = self.unanswered(context, open, now).is_some() || is_first && others.failed;
        #[cfg(feature = "seeded-bugs")]
        if repeats && crate::seeded_bugs::is_set(crate::seeded_bugs::SeededBug::RepeatedFailureForgotten) {
            return;
        }
        if !repeats {
            let is_starting = if is_ours {
                self.is_starting(now) && (frame || !self.is_played_below(others, now))
            } else {
                others.starting
            };
            let failure = if is_starting {
                Some(Pending::Startup)
            } else if frame || others.frame.is_valid(now) {
                Some(Pending::Playback)
            } else if self.idle.is_valid(now) || others.idle || !context.implied {
                None
            } else {
                open.begin(counted);
                Some(Pending::Startup)
            };
            if failure.is_some() {
                open.pending = open.pending.filter(|pending| *pending != Pending::Exit);
                open.count_pending(counted);
                open.pending = failure;
            }
        }
        open.begun = false;
        let assertion = Assertion::at(now.record);
        let fatal = Fatal {
            assertion: self.fatal.as_ref().map_or(assertion, |known| known.assertion.or_later(assertion)),
            at: report.at,
            window: context.window,
            hidden_at: others.hidden_at,
            answered: false,
            answered_by_old: false,
            answered_here: false,
        };
        match &mut self.fatal {
            Some(known) => **known = fatal,
            none => *none = Some(Box::new(fatal)),
        }
    }

    /// Records that the viewer has ended the session. If the attempt has neither a first frame nor a failure, an exit
    /// before the first frame is pending.
    fn end(&mut self, others: &OtherLines, context: WindowContext, open: &mut InWindow, now: &Now) {
        let is_ours = self.has_start(now) || self.frame.is_valid(now);
        let is_starting = if is_ours { self.is_starting(now) } else { others.starting };
        let has_failed = others.failed || self.unanswered(context, open, now).is_some();
        let has_left = others.left || self.left.is_valid(now);
        if is_starting && !self.is_played_below(others, now) && !has_failed && !has_left {
            open.pending.get_or_insert(Pending::Exit);
        }
        self.left = self.left.or_later(Assertion::at(now.record));
    }

    /// Returns the last fatal error if it is unexpired and unanswered. An error is answered by a first frame after it,
    /// by a start after it in another window, or by an attempt that began after it in the same window. An unanswered
    /// error is not counted again, because players report one failure several times and retry automatically.
    fn unanswered(&self, context: WindowContext, open: &InWindow, now: &Now) -> Option<&Fatal> {
        let fatal = self.fatal.as_deref().filter(|fatal| !fatal.answered && fatal.assertion.is_valid(now))?;
        let answered = if self.frame.is_valid(now) { fatal.answered_here } else { fatal.answered_by_old };
        let begun_since = open.begun && fatal.window == context.window;
        (!answered && !begun_since).then_some(fatal)
    }
}

#[cfg(test)]
mod tests;
