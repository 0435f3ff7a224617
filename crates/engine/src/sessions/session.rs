//! The state of a session between its beacons, which consists of assertions that expire.
//!
//! Every field is the assertion of one record, and is in effect for `idle` after it by record timestamps. No field is
//! derived from another, and the assertions of a beacon do not depend on its outcome. Therefore a replay that starts
//! `idle` earlier rebuilds every relevant field (docs/internals/protocol.md, "Session state").

use std::cmp::Ordering;

use crowdfold_airlock::{Identity, Observation, Playback};
use crowdfold_model::{Span, SumMetric, Timestamp, ValueMetric};

use crate::sessions::attempts::{Counted, InWindow, Line, OtherLines, Statement, WindowContext};
use crate::sessions::errors::ErrorClasses;
use crate::sessions::identities::Identities;
use crate::sessions::tracker::{Tracked, Tracker};

/// An assertion, which is the timestamp of the last record that asserted a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Assertion(Timestamp);

impl Assertion {
    pub(crate) const NEVER: Self = Self(Timestamp::MAX);

    pub(crate) const fn at(record: Timestamp) -> Self {
        Self(record)
    }

    /// Returns the timestamp of its record.
    pub(crate) fn record(self) -> Option<Timestamp> {
        (self != Self::NEVER).then_some(self.0)
    }

    /// Returns the later of two assertions.
    pub(crate) fn or_later(self, other: Self) -> Self {
        if self == Self::NEVER || other != Self::NEVER && other > self { other } else { self }
    }

    /// Returns the last two different ones of this assertion and two others in their order.
    pub(crate) fn last_two(self, [last, before]: [Self; 2]) -> [Self; 2] {
        if last == Self::NEVER || self > last {
            [self, last]
        } else if self < last && (before == Self::NEVER || self > before) {
            [last, self]
        } else {
            [last, before]
        }
    }

    /// Returns true if the assertion cannot be in effect for any later beacon.
    #[inline]
    pub(crate) fn is_past(self, now: &Now) -> bool {
        self.0 < now.horizon
    }

    #[inline]
    pub(crate) fn holds(self, now: &Now) -> bool {
        self != Self::NEVER && !self.is_past(now) && now.record.saturating_since(self.0) <= now.idle
    }
}

/// The time at which a beacon is evaluated.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now {
    /// The timestamp of its record.
    pub(crate) record: Timestamp,
    /// The time for which assertions are in effect.
    pub(crate) idle: Span,
    /// The time `idle` before the end of the last closed window. Older assertions are not in effect for any beacon,
    /// because a replay does not read them. For a beacon in an open window this is not a stricter limit than `idle`.
    pub(crate) horizon: Timestamp,
}

/// The last report of each dimension. Most beacons of a session report the same dimensions, so their last report is
/// stored once for all of them.
#[derive(Debug)]
pub(crate) struct Stated {
    /// The slots of the last beacon that reported any, one bit for each.
    last: u32,
    at: Assertion,
    earlier: Option<Box<Earlier>>,
}

/// Slots that were reported earlier, and not by the last beacon.
#[derive(Debug, Default)]
struct Earlier {
    slots: u32,
    at: Vec<(u32, Assertion)>,
}

impl Stated {
    const fn nothing() -> Self {
        Self { last: 0, at: Assertion::NEVER, earlier: None }
    }

    /// Returns the slots among `asked` whose last report is in effect.
    pub(crate) fn holding(&self, asked: u32, now: &Now) -> u32 {
        let last = if asked & self.last != 0 && self.at.holds(now) { asked & self.last } else { 0 };
        let Some(earlier) = self.earlier.as_ref().filter(|earlier| earlier.slots & asked != 0) else {
            return last;
        };
        let held = earlier.at.iter().filter(|(slots, at)| slots & asked != 0 && at.holds(now));
        held.fold(last, |held, (slots, _)| held | slots & asked)
    }

    /// Records that a beacon reported these slots.
    pub(crate) fn state(&mut self, slots: u32, assertion: Assertion) {
        if slots == 0 {
            return;
        }
        let left = self.last & !slots;
        if left != 0 || self.earlier.is_some() {
            self.earlier.get_or_insert_default().keep(left, self.at, slots);
        }
        self.last = slots;
        self.at = assertion;
    }
}

impl Earlier {
    /// Stores `slots`, which were last reported at `at`, except those that are reported again.
    fn keep(&mut self, slots: u32, at: Assertion, again: u32) {
        self.slots = self.slots & !again | slots;
        self.at.retain_mut(|(kept, _)| {
            *kept &= !again;
            *kept != 0
        });
        if slots != 0 {
            self.at.push((slots, at));
        }
    }
}

/// The session summaries of a session in open windows, as pairs of the window's start and the index in it. There are
/// rarely more than two.
#[derive(Debug)]
pub(crate) struct Seats {
    newest: (Timestamp, u32),
    others: Vec<(Timestamp, u32)>,
}

impl Seats {
    const NONE: u32 = u32::MAX;

    const fn none() -> Self {
        Self { newest: (Timestamp::EPOCH, Self::NONE), others: Vec::new() }
    }

    /// Returns the index in the window with this start.
    pub(crate) fn find(&self, start: Timestamp) -> Option<u32> {
        if self.newest.0 == start && self.newest.1 != Self::NONE {
            return Some(self.newest.1);
        }
        self.others.iter().find(|(window, _)| *window == start).map(|(_, index)| *index)
    }

    /// Adds a summary. Entries of windows for which `is_open` returns false are overwritten.
    pub(crate) fn add(&mut self, seat: (Timestamp, u32), is_open: impl Fn(Timestamp) -> bool) {
        let before = std::mem::replace(&mut self.newest, seat);
        self.others.retain(|(start, _)| is_open(*start));
        if before.1 != Self::NONE && is_open(before.0) {
            self.others.push(before);
        }
    }

    /// Removes and returns all entries.
    pub(crate) fn take(&mut self) -> impl Iterator<Item = (Timestamp, u32)> + use<> {
        let taken = std::mem::replace(self, Self::none());
        taken.others.into_iter().chain([taken.newest]).filter(|(_, index)| *index != Self::NONE)
    }
}

/// The assertions of one session's records.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) hash: u64,
    /// The timestamp of the session's last record. When it has expired, all assertions have expired.
    pub(crate) seen: Timestamp,
    /// The assertions of its JSON beacons about attempts. Those of CMCD are in the tracker.
    attempts: Line,
    startup: Assertion,
    /// The last JSON beacon that reported a first frame without its startup time.
    untimed_frame: Assertion,
    opt_out: Assertion,
    /// The tracker of a session with CMCD. It is boxed, because other sessions do not need it.
    tracker: Option<Box<Tracker>>,
    identities: Identities,
    pub(crate) stated: Stated,
    pub(crate) seats: Seats,
}

/// The effects of a beacon, given the assertions in effect before it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Observed {
    pub(crate) opted_out: bool,
    pub(crate) duplicate: bool,
    /// The attempts, plays and failures that it adds.
    pub(crate) counted: Counted,
    /// The state of attempts in its window after the beacon.
    pub(crate) in_window: InWindow,
    /// The time to the first frame in ms, if it counts.
    pub(crate) new_startup: Option<u32>,
    /// The classes of its errors that the session did not report before.
    pub(crate) new_errors: ErrorClasses,
    /// True if its first error code is a new error.
    pub(crate) has_new_code: bool,
    /// The amounts that it adds to each sum, in the order of [`SumMetric::ALL`]. They are reported, or follow from the
    /// states and totals of CMCD. The attempts, plays and failures are in `counted`.
    pub(crate) sums: [u32; SumMetric::COUNT],
}

impl Session {
    pub(crate) const fn new(hash: u64) -> Self {
        Self {
            hash,
            seen: Timestamp::EPOCH,
            attempts: Line::new(),
            startup: Assertion::NEVER,
            untimed_frame: Assertion::NEVER,
            opt_out: Assertion::NEVER,
            tracker: None,
            identities: Identities::new(),
            stated: Stated::nothing(),
            seats: Seats::none(),
        }
    }

    /// Records the assertions of a beacon. Returns its effects. `in_window` is the state of attempts in its window.
    pub(crate) fn observe(
        &mut self,
        beacon: &Observation,
        context: WindowContext,
        mut in_window: InWindow,
        now: &Now,
    ) -> Observed {
        let assertion = Assertion::at(now.record);
        let measures = beacon.measures();
        let startup_ms = measures.value(ValueMetric::StartupMs);
        let tracked = self.track(beacon, now);
        let statement = statement(beacon);
        // The first quality, chosen before anything plays, is not a switch. A late report of it is not a switch either.
        let is_switch = |playback: &Playback| {
            let is_change = playback.bitrate_changed && tracked.bitrate_change != Some(Ordering::Equal);
            is_change && (statement.frame || self.has_played(now))
        };
        let is_switch = beacon.playback().is_some_and(is_switch);
        let is_switch_to = |change| is_switch && tracked.bitrate_change == Some(change);
        let is_json = beacon.playback().is_none();
        let is_measured = is_json && self.attempts.has_start(now) && self.untimed_frame.holds(now);
        let counted = self.count(beacon, &statement, context, &mut in_window, now);
        // A beacon after some playing time was not sent at the first frame.
        let is_untimed_frame = is_json
            && (measures.play && !measures.attempt)
            && (startup_ms.is_none() && measures.sum(SumMetric::PlayingMs) == 0);
        let measured = counted.startup_ms.filter(|_| is_untimed_frame).or(tracked.startup_ms);
        // If the start is known, the worker measures the time itself (dash.js reports 1 ms, or 453 ms).
        let stated = startup_ms.filter(|_| {
            let is_new = counted.plays > 0 || !self.startup.holds(now) && !is_measured;
            is_new && !tracked.start_known && !tracked.start_interrupted
        });
        let mut new_errors = tracked.new_codes;
        if is_json || beacon.playback().is_some_and(|playback| playback.code.is_none()) {
            new_errors.add(measures.error);
        }
        let mut sums = measures.sums;
        if !is_json {
            for (sum, more) in sums.iter_mut().zip(tracked.sums) {
                *sum += more;
            }
            for (metric, is_change) in [
                (SumMetric::Switches, is_switch),
                (SumMetric::SwitchesUp, is_switch_to(Ordering::Greater)),
                (SumMetric::SwitchesDown, is_switch_to(Ordering::Less)),
            ] {
                sums[metric as usize] += u32::from(is_change);
            }
        }
        let observed = Observed {
            opted_out: beacon.opt_out() || self.opt_out.holds(now),
            duplicate: beacon.identity().is_some_and(|identity| self.repeats(identity, assertion, now)),
            counted,
            in_window,
            new_startup: measured.or(stated),
            new_errors,
            has_new_code: is_json || tracked.has_new_code,
            sums,
        };
        for (stated, field) in [
            (startup_ms.is_some(), &mut self.startup),
            (is_untimed_frame, &mut self.untimed_frame),
            (beacon.opt_out(), &mut self.opt_out),
        ] {
            if stated {
                *field = field.or_later(assertion);
            }
        }
        self.seen = self.seen.max(now.record);
        observed
    }

    /// Records an opt-out of the session, and nothing else of the record.
    pub(crate) fn opt_out(&mut self, record: Timestamp) {
        self.opt_out = self.opt_out.or_later(Assertion::at(record));
        self.seen = self.seen.max(record);
    }

    /// Returns the last identity, or 0.
    pub(crate) fn last_identity(&self) -> u64 {
        self.identities.last()
    }

    /// Returns true if a first frame is in effect.
    fn has_played(&self, now: &Now) -> bool {
        let cmcd = self.tracker.as_ref().map(|tracker| &tracker.attempts);
        cmcd.into_iter().flatten().chain([&self.attempts]).any(|line| line.has_played(now))
    }

    /// Records the reports of a beacon about its attempt. Returns its contribution to the window.
    fn count(
        &mut self,
        beacon: &Observation,
        statement: &Statement,
        context: WindowContext,
        open: &mut InWindow,
        now: &Now,
    ) -> Counted {
        let json = &mut self.attempts;
        let Some(tracker) = &mut self.tracker else {
            let line = if beacon.playback().is_some() { &mut Line::new() } else { json };
            return line.state(statement, &OtherLines::NONE, context, open, now);
        };
        let [events, requests] = &mut tracker.attempts;
        let (line, others) = match beacon.playback() {
            None => {
                let others =
                    OtherLines::NONE.and(events, context, open, now).and(requests, context, open, now);
                (json, others)
            }
            Some(playback) if playback.event => {
                (events, OtherLines::NONE.outranked_by(json, now).and(requests, context, open, now))
            }
            Some(_) => (requests, OtherLines::NONE.outranked_by(json, now).outranked_by(events, now)),
        };
        line.state(statement, &others, context, open, now)
    }

    /// Returns the amounts from states and totals, if there are any.
    fn track(&mut self, beacon: &Observation, now: &Now) -> Tracked {
        let Some(playback) = beacon.playback() else { return Tracked::default() };
        let is_stated = playback.has_content() || playback.code.is_some() || beacon.measures().play;
        if is_stated {
            self.tracker.get_or_insert_with(|| Box::new(Tracker::new()));
        }
        self.tracker.as_mut().map_or_else(Tracked::default, |tracker| tracker.observe(beacon, playback, now))
    }

    /// Returns true if a beacon with this identity was observed before. Records the identity in both cases.
    fn repeats(&mut self, identity: Identity, assertion: Assertion, now: &Now) -> bool {
        self.identities.observed(identity.get(), assertion, now).is_some_and(|before| before.holds(now))
    }
}

/// Returns the reports of a beacon about its attempt.
fn statement(beacon: &Observation) -> Statement {
    let measures = beacon.measures();
    Statement {
        at: beacon.own_time(),
        start: measures.attempt,
        frame: measures.play,
        idle: measures.idle,
        fatal: measures.fatal,
        end: measures.end,
    }
}
