//! Counts the attempts, plays and failures of a session. All of its assertions are kept, in log order. An *assertion*
//! is the report of a start, of a first frame, of an idle player, of a fatal error or of an end. It is *live* from its
//! record until the idle timeout after the record. A session may send beacons on several *lines*, in this order: JSON
//! beacons, CMCD events, CMCD requests. A line has precedence over each line after it.

mod assertion;
mod beacon_assertions;
mod window;

use std::collections::BTreeMap;

use super::Millis;
use assertion::{Assertion, Kind};
pub(super) use beacon_assertions::BeaconAssertions;
use window::Pending;
pub(super) use window::WindowAttempts;

/// All assertions of a session, by line: JSON beacons, CMCD events, CMCD requests.
#[derive(Default)]
pub(super) struct Attempts([Line; 3]);

/// All assertions of one line, in log order.
#[derive(Default)]
struct Line(Vec<Assertion>);

/// The live assertions on the other lines when a beacon is evaluated.
struct OtherLines {
    /// True if a line before this one has a live first frame, or has a live start and an unanswered live failure. In
    /// both cases, the beacon does not count.
    hidden: bool,
    /// True if any line except this one has a live start.
    start: bool,
    /// True if a line after this one has a live first frame.
    frame: bool,
    /// True if any line except this one has a live start without a first frame after it.
    starting: bool,
    /// True if any line except this one has a live report of an idle player.
    idle: bool,
    /// True if any line except this one has a live failure that counted, without a recovery after it.
    failed: bool,
    /// True if any line except this one has a live start, and a live end after its last start.
    left: bool,
    /// The latest timestamp of a record with a first frame on a line after this one.
    last_frame: Option<Millis>,
    /// The latest timestamp of a record with a first frame on a line before this one.
    hidden_at: Option<Millis>,
}

impl Attempts {
    /// Returns true if a first frame is live on any line.
    pub(super) fn has_played(&self, holds: impl Fn(Option<Millis>) -> bool) -> bool {
        self.0.iter().any(|line| line.held(Kind::is_frame, &|asserted_at| holds(Some(asserted_at))).is_some())
    }

    /// Returns true if playback began at least half of `idle` ago, as far as live first frames show it. Of the first
    /// frames in each quarter of `idle`, only the latest is used, and only four quarters are used.
    pub(super) fn began_earlier(
        &self,
        now: Millis,
        idle: Millis,
        holds: impl Fn(Option<Millis>) -> bool,
    ) -> bool {
        let quarter = (idle / 4).max(1);
        let frames = self.0.iter().flat_map(|line| &line.0).filter(|assertion| assertion.kind.is_frame());
        let mut latest = BTreeMap::<Millis, Millis>::new();
        for frame in frames {
            let in_quarter = latest.entry(frame.asserted_at / quarter).or_default();
            *in_quarter = frame.asserted_at.max(*in_quarter);
        }
        let half = (idle / 4 * 2).max(1);
        latest.values().rev().take(4).any(|frame| holds(Some(*frame)) && now >= frame + half)
    }

    /// Returns true if a start in a JSON beacon is live.
    pub(super) fn has_json_start(&self, holds: impl Fn(Option<Millis>) -> bool) -> bool {
        self.0[0].held(Kind::is_start, &|asserted_at| holds(Some(asserted_at))).is_some()
    }

    /// Adds the assertions of a beacon, and counts them in its window. `holds` returns true if an assertion in a record
    /// with this timestamp is live.
    pub(super) fn add(
        &mut self,
        assertions: BeaconAssertions,
        window: &mut WindowAttempts,
        is_history_known: bool,
        holds: impl Fn(Option<Millis>) -> bool,
    ) {
        let holds = |asserted_at: Millis| holds(Some(asserted_at));
        let number = assertions.line;
        let (before, after) = (&self.0[..number], &self.0[number + 1..]);
        let others = || before.iter().chain(after);
        let has = |line: &Line, kind: fn(Kind) -> bool| line.held(kind, &holds).is_some();
        let fails = |line: &&Line| line.unanswered(assertions.window, window, &holds).is_some();
        let others = OtherLines {
            hidden: before
                .iter()
                .any(|line| has(line, Kind::is_frame) || has(line, Kind::is_start) && fails(&line)),
            start: others().any(|line| has(line, Kind::is_start)),
            frame: after.iter().any(|line| has(line, Kind::is_frame)),
            starting: others().any(|line| line.is_starting(&holds)),
            idle: others().any(|line| has(line, Kind::is_idle)),
            // A failure counted if no line before the line of the failure had a live first frame.
            failed: before.iter().any(|line| fails(&line))
                || after.iter().filter(fails).any(|line| {
                    let last = line.last(Kind::is_fatal).map(|at| &line.0[at]);
                    last.is_some_and(|fatal| !fatal.other.is_some_and(&holds))
                }),
            left: others().any(|line| has(line, Kind::is_start) && line.has_left(&holds)),
            last_frame: after.iter().filter_map(|line| line.latest(Kind::is_frame)).max(),
            hidden_at: before.iter().filter_map(|line| line.latest(Kind::is_frame)).max(),
        };
        let mut unseen = window.clone();
        let window = if others.hidden { &mut unseen } else { window };
        let line = &mut self.0[number];
        if assertions.start {
            line.start(&assertions, &others, window, &holds);
        }
        if assertions.frame {
            line.frame(&assertions, &others, window, is_history_known, &holds);
        }
        if assertions.fatal {
            line.fatal(&assertions, &others, window, is_history_known, &holds);
        }
        if assertions.end {
            line.end(&assertions, &others, window, &holds);
        }
        if assertions.idle {
            line.assert(Kind::Idle, &assertions, None);
        }
    }
}

impl Line {
    fn assert(&mut self, kind: Kind, assertions: &BeaconAssertions, other: Option<Millis>) {
        let BeaconAssertions { asserted_at, at, window, .. } = *assertions;
        self.0.push(Assertion { kind, asserted_at, at, window, other });
    }

    /// Returns the index of the last assertion of a kind.
    fn last(&self, of: fn(Kind) -> bool) -> Option<usize> {
        self.0.iter().rposition(|assertion| of(assertion.kind))
    }

    /// Returns the latest timestamp of the records with an assertion of a kind.
    fn latest(&self, of: fn(Kind) -> bool) -> Option<Millis> {
        self.0.iter().filter(|assertion| of(assertion.kind)).map(|assertion| assertion.asserted_at).max()
    }

    /// Returns the index of the last assertion of a kind. Returns `None` if no record with this kind is live.
    fn held(&self, of: fn(Kind) -> bool, holds: &impl Fn(Millis) -> bool) -> Option<usize> {
        self.latest(of).filter(|asserted_at| holds(*asserted_at)).and(self.last(of))
    }

    /// Returns the latest timestamp of a first frame on a line after this one, before the first start that is live.
    fn framed_before(&self, holds: &impl Fn(Millis) -> bool) -> Option<Millis> {
        let live = self.0.iter().find(|start| start.kind.is_start() && holds(start.asserted_at));
        live.or_else(|| self.0.iter().rfind(|start| start.kind.is_start()))?.other
    }

    /// Returns true if a start that is not old follows the last first frame.
    fn started(&self) -> bool {
        let from = self.last(Kind::is_frame).map_or(0, |at| at + 1);
        self.0[from..].iter().any(|assertion| assertion.kind.is_new_start())
    }

    /// Returns true if a start is live, and no live first frame follows it.
    fn is_starting(&self, holds: &impl Fn(Millis) -> bool) -> bool {
        let frame = self.held(Kind::is_frame, holds);
        self.held(Kind::is_start, holds).is_some() && (frame.is_none() || self.started())
    }

    /// Returns true if a live end follows the last start.
    fn has_left(&self, holds: &impl Fn(Millis) -> bool) -> bool {
        let since = &self.0[self.last(Kind::is_start).map_or(0, |at| at + 1)..];
        let left = since.iter().filter(|later| later.kind.is_end()).map(|later| later.asserted_at).max();
        left.is_some_and(holds)
    }

    /// Returns true if a line after this one has a live first frame after the first live start of this line.
    fn plays_elsewhere(&self, others: &OtherLines, holds: &impl Fn(Millis) -> bool) -> bool {
        others.last_frame != self.framed_before(holds) && others.last_frame.is_some_and(holds)
    }

    /// Returns the last failure of the line. Returns `None` in three cases: the failure is not live; a first frame or
    /// another attempt follows it; an attempt has begun after it in the window `of`.
    fn unanswered(
        &self,
        of: Millis,
        window: &WindowAttempts,
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
            // After a failure during playback, another attempt may begin in the same window.
            Kind::Start { old: false, .. } => has_played.is_some_and(|frame| {
                let between = &self.0[frame + 1..at + 1 + after];
                !between.iter().any(|other| other.kind.is_new_start())
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
        assertions: &BeaconAssertions,
        others: &OtherLines,
        window: &mut WindowAttempts,
        holds: &impl Fn(Millis) -> bool,
    ) {
        let frame = self.held(Kind::is_frame, holds).map(|at| &self.0[at]);
        let start = self.held(Kind::is_start, holds);
        let old = frame.is_some_and(|frame| assertions.at < frame.at);
        let neither = frame.is_none() && start.is_none() && !others.start && !others.frame;
        let again = frame.is_some() && !self.started();
        let failed = self.unanswered(assertions.window, window, holds);
        let overtaken = self.held(Kind::is_fatal, holds).is_some_and(|at| {
            let fatal = &self.0[at];
            let answers = |later: &Assertion| match later.kind {
                Kind::Frame => true,
                Kind::Start { old, overtaken } => !old && !overtaken && later.window != fatal.window,
                _ => false,
            };
            assertions.at < fatal.at && !self.0[at + 1..].iter().any(answers)
        });
        let retry =
            failed.is_some_and(|failed| failed.window != assertions.window || window.pending.is_none());
        if !old && !overtaken && (neither || again || retry) {
            window.begin();
        }
        self.assert(Kind::Start { old, overtaken }, assertions, others.last_frame);
    }

    fn frame(
        &mut self,
        assertions: &BeaconAssertions,
        others: &OtherLines,
        window: &mut WindowAttempts,
        is_history_known: bool,
        holds: &impl Fn(Millis) -> bool,
    ) {
        let frame = self.held(Kind::is_frame, holds);
        let start = self.held(Kind::is_start, holds).map(|at| &self.0[at]);
        let has_started = start.is_some() || others.start;
        let is_idle = self.held(Kind::is_idle, holds).is_some() || others.idle;
        let pending = window.pending;
        let plays_already = frame.is_some() && !self.started();
        let expected = if plays_already { Pending::Playback } else { Pending::Startup };
        let failed_here = self
            .unanswered(assertions.window, window, holds)
            .is_some_and(|failed| failed.window == assertions.window);
        let first = match (frame, start) {
            (Some(_), _) => self.started(),
            // If the startup failure of this attempt is pending, no other line has counted the play.
            (None, Some(_)) => {
                let counted_elsewhere = others.frame && !(failed_here && pending == Some(Pending::Startup));
                !self.framed_before(holds).is_some_and(holds) && !counted_elsewhere
            }
            (None, None) => !others.frame && (others.start || !is_idle),
        };
        match self.unanswered(assertions.window, window, holds) {
            // The player recovered, so the same attempt continues.
            Some(_)
                if failed_here
                    && (pending == Some(expected)
                        || pending == Some(Pending::Playback) && self.plays_elsewhere(others, holds)) =>
            {
                window.plays += u64::from(first && expected == Pending::Startup);
            }
            Some(_) => {
                window.begin();
                window.plays += 1;
            }
            None => {
                let implied = !has_started && pending != Some(Pending::Startup);
                if first && implied && is_history_known {
                    window.begin();
                }
                window.plays += u64::from(first && (!implied || is_history_known));
            }
        }
        // If another line reported the failure, a first frame of this line does not end it.
        if !others.failed {
            window.pending = None;
            window.begun = false;
        }
        self.assert(Kind::Frame, assertions, None);
    }

    fn fatal(
        &mut self,
        assertions: &BeaconAssertions,
        others: &OtherLines,
        window: &mut WindowAttempts,
        is_history_known: bool,
        holds: &impl Fn(Millis) -> bool,
    ) {
        let frame = self.held(Kind::is_frame, holds);
        let is_on_this_line = frame.is_some() || self.held(Kind::is_start, holds).is_some();
        let is_first = self.held(Kind::is_fatal, holds).is_none();
        let repeats =
            self.unanswered(assertions.window, window, holds).is_some() || is_first && others.failed;
        if !repeats {
            let plays = frame.is_none() && self.plays_elsewhere(others, holds);
            let starting = if is_on_this_line { self.is_starting(holds) && !plays } else { others.starting };
            let idle = self.held(Kind::is_idle, holds).is_some() || others.idle;
            let failure = if starting {
                Some(Pending::Startup)
            } else if frame.is_some() || others.frame {
                Some(Pending::Playback)
            } else if idle || !is_history_known {
                None
            } else {
                window.begin();
                Some(Pending::Startup)
            };
            if failure.is_some() {
                window.pending = window.pending.filter(|pending| *pending != Pending::Exit);
                window.count_pending();
                window.pending = failure;
            }
        }
        window.begun = false;
        self.assert(Kind::Fatal, assertions, others.hidden_at);
    }

    /// Counts an exit before the start, unless a first frame, a failure or another end follows the last start.
    fn end(
        &mut self,
        assertions: &BeaconAssertions,
        others: &OtherLines,
        window: &mut WindowAttempts,
        holds: &impl Fn(Millis) -> bool,
    ) {
        let is_on_this_line =
            self.held(Kind::is_frame, holds).is_some() || self.held(Kind::is_start, holds).is_some();
        let starting = if is_on_this_line { self.is_starting(holds) } else { others.starting };
        let failed = others.failed || self.unanswered(assertions.window, window, holds).is_some();
        let left = others.left || self.has_left(holds);
        if starting && !self.plays_elsewhere(others, holds) && !failed && !left {
            window.pending.get_or_insert(Pending::Exit);
        }
        self.assert(Kind::End, assertions, None);
    }
}
