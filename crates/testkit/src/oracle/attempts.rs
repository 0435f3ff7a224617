//! Attempts, plays and failures of a session. All statements that it ever made are kept, in log order.

use super::Millis;
use super::beacon::Beacon;
use super::numbers::two_digits;

/// The statements of one beacon, and their time.
#[derive(Clone)]
pub(super) struct Statement {
    asserted_at: Millis,
    at: Millis,
    window: Millis,
    line: usize,
    start: bool,
    pub(super) frame: bool,
    idle: bool,
    fatal: bool,
}

impl Statement {
    /// Of a beacon in a record at `now`, in the window that begins at `window`.
    pub(super) fn of(beacon: &Beacon, now: Millis, window: Millis) -> Self {
        Self {
            asserted_at: now,
            at: beacon.ts,
            window,
            line: beacon.line(),
            start: beacon.states_start(),
            frame: beacon.states_frame(),
            idle: beacon.states_idle(),
            fatal: beacon.states_fatal(),
        }
    }
}

impl Statement {
    /// Returns the time since the last start of the same line, rounded to two digits. It is absent where no start holds,
    /// where a first frame came after it or is later by its own time, and where it is longer than a statement holds.
    pub(super) fn since_start(
        &self,
        session: &Attempts,
        idle: Millis,
        holds: impl Fn(Option<Millis>) -> bool,
    ) -> Option<u64> {
        let holds = |asserted_at| holds(Some(asserted_at));
        let line = &session.0[self.line];
        line.held(Kind::is_start, &holds)?;
        let last = line.last(Kind::is_start)?;
        let start = &line.0[last];
        let frame = line.held(Kind::is_frame, &holds);
        if frame.is_some_and(|frame| frame > last || line.0[frame].at > start.at) {
            return None;
        }
        self.at.checked_sub(start.at).filter(|took| *took <= idle).map(two_digits)
    }
}

/// The kind of an assertion.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// `old`: its time is before that of the first frame that held when it was asserted. `overtaken`: its time is before
    /// that of the fatal error that held.
    Start {
        old: bool,
        overtaken: bool,
    },
    Frame,
    Idle,
    Fatal,
}

/// One assertion.
struct Assertion {
    kind: Kind,
    asserted_at: Millis,
    at: Millis,
    window: Millis,
    /// For a start: the latest record that stated a first frame on a line after this one until then. For a failure: the
    /// latest one that stated a start or a first frame on a line before this one.
    other: Option<Millis>,
}

/// The kinds of failures.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Failure {
    Startup,
    Playback,
}

/// Attempts of a window.
#[derive(Clone, Default)]
pub(super) struct InWindow {
    pub(super) attempts: u64,
    pub(super) plays: u64,
    pub(super) startup_failures: u64,
    pub(super) playback_failures: u64,
    pending: Option<Failure>,
    /// An attempt began after the last failure and first frame of this window.
    begun: bool,
}

impl InWindow {
    /// The same when the window closes: the pending failure counts.
    pub(super) fn closed(&self) -> Self {
        let mut closed = self.clone();
        closed.count_pending();
        closed
    }

    fn count_pending(&mut self) {
        match self.pending.take() {
            Some(Failure::Startup) => self.startup_failures += 1,
            Some(Failure::Playback) => self.playback_failures += 1,
            None => {}
        }
    }

    fn begin(&mut self) {
        self.count_pending();
        self.attempts += 1;
        self.begun = true;
    }
}

/// All assertions of a session, line by line: JSON beacons, events, requests.
#[derive(Default)]
pub(super) struct Attempts([Line; 3]);

/// All assertions that were made in one way.
#[derive(Default)]
struct Line(Vec<Assertion>);

/// The assertions that hold on the other lines when a beacon is evaluated.
struct Others {
    /// A line before this one has a start or a first frame that holds.
    outranked: bool,
    /// Lines after this one have a start that holds, a first frame, a start without a first frame after it, a failure;
    /// any other line has a pause.
    start: bool,
    frame: bool,
    starting: bool,
    idle: bool,
    failed: bool,
    last_frame: Option<Millis>,
    /// The latest record that stated a start or a first frame on a line before this one.
    outranked_at: Option<Millis>,
}

impl Attempts {
    /// Returns whether a first frame holds.
    pub(super) fn has_played(&self, holds: impl Fn(Option<Millis>) -> bool) -> bool {
        self.0.iter().any(|line| line.held(Kind::is_frame, &|asserted_at| holds(Some(asserted_at))).is_some())
    }

    /// Returns whether a start that came as JSON holds.
    pub(super) fn has_json_start(&self, holds: impl Fn(Option<Millis>) -> bool) -> bool {
        self.0[0].held(Kind::is_start, &|asserted_at| holds(Some(asserted_at))).is_some()
    }

    /// Adds what a beacon states to its window. `holds` returns whether an assertion of a time holds.
    pub(super) fn state(
        &mut self,
        statement: Statement,
        window: &mut InWindow,
        is_history_known: bool,
        holds: impl Fn(Option<Millis>) -> bool,
    ) {
        let holds = |asserted_at: Millis| holds(Some(asserted_at));
        let number = statement.line;
        let (before, after) = (&self.0[..number], &self.0[number + 1..]);
        let any = |kind: fn(Kind) -> bool| after.iter().any(|line| line.held(kind, &holds).is_some());
        let last_frame = after.iter().filter_map(|line| line.latest(Kind::is_frame)).max();
        let others = Others {
            outranked: before.iter().any(|line| {
                line.held(Kind::is_start, &holds).is_some() || line.held(Kind::is_frame, &holds).is_some()
            }),
            start: any(Kind::is_start),
            frame: any(Kind::is_frame),
            starting: after.iter().any(|line| line.is_starting(&holds)),
            idle: before.iter().chain(after).any(|line| line.held(Kind::is_idle, &holds).is_some()),
            // those that counted, because no line before them held anything
            failed: after.iter().any(|line| {
                let last = line.last(Kind::is_fatal).map(|at| &line.0[at]);
                let counted = last.is_some_and(|fatal| !fatal.other.is_some_and(&holds));
                counted && line.unanswered(statement.window, window, &holds).is_some()
            }),
            last_frame,
            outranked_at: before
                .iter()
                .flat_map(|line| [line.latest(Kind::is_start), line.latest(Kind::is_frame)])
                .flatten()
                .max(),
        };
        let mut unseen = window.clone();
        let window = if others.outranked { &mut unseen } else { window };
        let line = &mut self.0[number];
        if statement.start {
            line.start(&statement, &others, window, &holds);
        }
        if statement.frame {
            line.frame(&statement, &others, window, is_history_known, &holds);
        }
        if statement.fatal {
            line.fatal(&statement, &others, window, is_history_known, &holds);
        }
        if statement.idle {
            line.assert(Kind::Idle, &statement, None);
        }
    }
}

impl Kind {
    /// A start that did not come late.
    const TIMELY_START: Self = Self::Start { old: false, overtaken: false };

    fn is_start(self) -> bool {
        matches!(self, Self::Start { .. })
    }

    fn is_frame(self) -> bool {
        self == Self::Frame
    }

    fn is_idle(self) -> bool {
        self == Self::Idle
    }

    fn is_fatal(self) -> bool {
        self == Self::Fatal
    }
}

impl Line {
    fn assert(&mut self, kind: Kind, statement: &Statement, other: Option<Millis>) {
        let Statement { asserted_at, at, window, .. } = *statement;
        self.0.push(Assertion { kind, asserted_at, at, window, other });
    }

    /// The position in the log of the last assertion of a kind.
    fn last(&self, of: fn(Kind) -> bool) -> Option<usize> {
        self.0.iter().rposition(|assertion| of(assertion.kind))
    }

    /// The latest record with an assertion of a kind.
    fn latest(&self, of: fn(Kind) -> bool) -> Option<Millis> {
        self.0.iter().filter(|assertion| of(assertion.kind)).map(|assertion| assertion.asserted_at).max()
    }

    /// The last assertion of a kind in the log, if the latest record that made one holds.
    fn held(&self, of: fn(Kind) -> bool, holds: &impl Fn(Millis) -> bool) -> Option<usize> {
        self.latest(of).filter(|asserted_at| holds(*asserted_at)).and(self.last(of))
    }

    /// Returns whether a start came after the last first frame. Those that came late do not count.
    fn started(&self) -> bool {
        let from = self.last(Kind::is_frame).map_or(0, |at| at + 1);
        self.0[from..].iter().any(|assertion| assertion.kind == Kind::TIMELY_START)
    }

    /// Returns whether a start holds and no first frame that holds came after it.
    fn is_starting(&self, holds: &impl Fn(Millis) -> bool) -> bool {
        let frame = self.held(Kind::is_frame, holds);
        self.held(Kind::is_start, holds).is_some() && (frame.is_none() || self.started())
    }

    /// The last failure, if it holds and nothing answers it, as seen from a window.
    fn unanswered(
        &self,
        of: Millis,
        window: &InWindow,
        holds: &impl Fn(Millis) -> bool,
    ) -> Option<&Assertion> {
        let at = self.held(Kind::is_fatal, holds)?;
        let fatal = &self.0[at];
        if self.last(Kind::is_frame).is_some_and(|frame| frame > at) {
            return None;
        }
        let has_played = self.held(Kind::is_frame, holds);
        let answers = |(after, later): (usize, &Assertion)| match later.kind {
            Kind::Start { overtaken: true, .. } => false,
            Kind::Start { old, .. } if later.window != fatal.window => !old || has_played.is_none(),
            // a failure of what was playing is followed by another attempt, in the same window too
            Kind::TIMELY_START => has_played.is_some_and(|frame| {
                let between = &self.0[frame + 1..at + 1 + after];
                !between.iter().any(|other| other.kind == Kind::TIMELY_START)
            }),
            _ => false,
        };
        if self.0[at + 1..].iter().enumerate().any(answers) {
            return None;
        }
        (!(window.begun && fatal.window == of)).then_some(fatal)
    }

    fn start(
        &mut self,
        statement: &Statement,
        others: &Others,
        window: &mut InWindow,
        holds: &impl Fn(Millis) -> bool,
    ) {
        let frame = self.held(Kind::is_frame, holds).map(|at| &self.0[at]);
        let start = self.held(Kind::is_start, holds);
        let old = frame.is_some_and(|frame| statement.at < frame.at);
        let neither = frame.is_none() && start.is_none() && !others.start && !others.frame;
        let again = frame.is_some() && !self.started();
        let failed = self.unanswered(statement.window, window, holds);
        let fatal = self.held(Kind::is_fatal, holds).map(|at| &self.0[at]);
        let overtaken = fatal.is_some_and(|fatal| statement.at < fatal.at);
        let retry =
            failed.is_some_and(|failed| failed.window != statement.window || window.pending.is_none());
        if !old && !overtaken && (neither || again || retry) {
            window.begin();
        }
        self.assert(Kind::Start { old, overtaken }, statement, others.last_frame);
    }

    fn frame(
        &mut self,
        statement: &Statement,
        others: &Others,
        window: &mut InWindow,
        is_history_known: bool,
        holds: &impl Fn(Millis) -> bool,
    ) {
        let frame = self.held(Kind::is_frame, holds);
        let start = self.held(Kind::is_start, holds).map(|at| &self.0[at]);
        let has_started = start.is_some() || others.start;
        let is_idle = self.held(Kind::is_idle, holds).is_some() || others.idle;
        let pending = window.pending;
        let plays_already = frame.is_some() && !self.started();
        let expected = if plays_already { Failure::Playback } else { Failure::Startup };
        let first = match (frame, start) {
            (Some(_), _) => self.started(),
            (None, Some(start)) => !start.other.is_some_and(holds),
            (None, None) => !others.frame && (others.start || !is_idle),
        };
        match self.unanswered(statement.window, window, holds) {
            // recovered: the attempt goes on
            Some(failed) if failed.window == statement.window && pending == Some(expected) => {
                window.plays += u64::from(first && expected == Failure::Startup);
            }
            Some(_) => {
                window.begin();
                window.plays += 1;
            }
            None => {
                let implied = !has_started && pending != Some(Failure::Startup);
                if first && implied && is_history_known {
                    window.begin();
                }
                window.plays += u64::from(first && (!implied || is_history_known));
            }
        }
        // a first frame that is reported late is no recovery from a failure that another line reported
        if !others.failed {
            window.pending = None;
            window.begun = false;
        }
        self.assert(Kind::Frame, statement, None);
    }

    fn fatal(
        &mut self,
        statement: &Statement,
        others: &Others,
        window: &mut InWindow,
        is_history_known: bool,
        holds: &impl Fn(Millis) -> bool,
    ) {
        let frame = self.held(Kind::is_frame, holds);
        let is_ours = frame.is_some() || self.held(Kind::is_start, holds).is_some();
        let is_first = self.held(Kind::is_fatal, holds).is_none();
        let repeats = self.unanswered(statement.window, window, holds).is_some() || is_first && others.failed;
        if !repeats {
            let starting = if is_ours { self.is_starting(holds) } else { others.starting };
            let idle = self.held(Kind::is_idle, holds).is_some() || others.idle;
            let failure = if starting {
                Some(Failure::Startup)
            } else if frame.is_some() || others.frame {
                Some(Failure::Playback)
            } else if idle || !is_history_known {
                None
            } else {
                window.begin();
                Some(Failure::Startup)
            };
            if failure.is_some() {
                window.count_pending();
                window.pending = failure;
            }
        }
        window.begun = false;
        self.assert(Kind::Fatal, statement, others.outranked_at);
    }
}
