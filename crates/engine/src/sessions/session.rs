//! The state of a session between its beacons. It consists of assertions, which expire.
//!
//! An assertion is one fact that a record reported, such as a first frame. It expires `idle`
//! (`sessions.idle_timeout`) after the timestamp of this record. No assertion is derived from another, and a
//! beacon's assertions are stored regardless of its outcome. Therefore a replay that begins `idle` earlier restores
//! every unexpired assertion (docs/internals/protocol.md, "Session state").

use std::cmp::Ordering;

use crowdfold_airlock::{Identity, Observation, Playback};
use crowdfold_model::{Span, SumMetric, Timestamp, ValueMetric};

use crate::sessions::attempts::{Counted, InWindow, Line, OtherLines, Statement, WindowContext};
use crate::sessions::errors::ErrorClasses;
use crate::sessions::identities::Identities;
use crate::sessions::tracker::{Tracked, Tracker};

/// The timestamp of the last record that reported a certain fact, or [`Assertion::NEVER`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Assertion(Timestamp);

impl Assertion {
    pub(crate) const NEVER: Self = Self(Timestamp::MAX);

    pub(crate) const fn at(record: Timestamp) -> Self {
        Self(record)
    }

    /// Returns the timestamp of the record, or `None` if the fact was never reported.
    pub(crate) fn record(self) -> Option<Timestamp> {
        (self != Self::NEVER).then_some(self.0)
    }

    /// Returns the later of two assertions. Any assertion is later than [`Assertion::NEVER`].
    pub(crate) fn or_later(self, other: Self) -> Self {
        if self == Self::NEVER || other != Self::NEVER && other > self { other } else { self }
    }

    /// Returns the latest two different assertions among this one and two others, the latest one first. The others
    /// must be in this order.
    pub(crate) fn last_two(self, [last, before]: [Self; 2]) -> [Self; 2] {
        if last == Self::NEVER || self > last {
            [self, last]
        } else if self < last && (before == Self::NEVER || self > before) {
            [last, self]
        } else {
            [last, before]
        }
    }

    /// Returns true if the assertion has expired for all later beacons, so that it can be removed.
    #[inline]
    pub(crate) fn is_past(self, now: &Now) -> bool {
        self.0 < now.horizon
    }

    #[inline]
    pub(crate) fn holds(self, now: &Now) -> bool {
        self != Self::NEVER && !self.is_past(now) && now.record.saturating_since(self.0) <= now.idle
    }
}

/// The time for which a beacon's assertions are evaluated.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now {
    /// The timestamp of the beacon's record.
    pub(crate) record: Timestamp,
    /// The time after which assertions expire (`sessions.idle_timeout`).
    pub(crate) idle: Span,
    /// The time `idle` before the end of the last closed window. Assertions before it have expired for all beacons,
    /// because a replay does not read their records. For beacons in open windows, the limit `idle` implies this one.
    pub(crate) horizon: Timestamp,
}

/// The last record of each dimension slot in which the session reported a value. Most beacons of a session report the
/// same dimensions, so the record of the last beacon is stored once for all of its slots.
#[derive(Debug)]
pub(crate) struct Stated {
    /// The slots that the last beacon with any dimension reported. Each slot has one bit.
    last: u32,
    at: Assertion,
    earlier: Option<Box<Earlier>>,
}

/// Slots that an earlier beacon reported, but not the last one.
#[derive(Debug, Default)]
struct Earlier {
    slots: u32,
    at: Vec<(u32, Assertion)>,
}

impl Stated {
    const fn nothing() -> Self {
        Self { last: 0, at: Assertion::NEVER, earlier: None }
    }

    /// Returns those of the slots in `asked` whose last value has not expired.
    pub(crate) fn holding(&self, asked: u32, now: &Now) -> u32 {
        let last = if asked & self.last != 0 && self.at.holds(now) { asked & self.last } else { 0 };
        let Some(earlier) = self.earlier.as_ref().filter(|earlier| earlier.slots & asked != 0) else {
            return last;
        };
        let held = earlier.at.iter().filter(|(slots, at)| slots & asked != 0 && at.holds(now));
        held.fold(last, |held, (slots, _)| held | slots & asked)
    }

    /// Records that a beacon reported values for these slots.
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
    /// Adds `slots`, which were last reported at `at`. Removes the slots in `again`, which are reported again.
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

/// The session summaries of one session in open windows, as pairs of the start of the window and the index in it. A
/// session rarely has more than two.
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

    /// Returns the index of the session summary in the window with this start, or `None` if the session has none
    /// there.
    pub(crate) fn find(&self, start: Timestamp) -> Option<u32> {
        if self.newest.0 == start && self.newest.1 != Self::NONE {
            return Some(self.newest.1);
        }
        self.others.iter().find(|(window, _)| *window == start).map(|(_, index)| *index)
    }

    /// Adds a session summary. Removes entries of windows for which `is_open` returns false.
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

/// The state of one session.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) hash: u64,
    /// The timestamp of the session's latest record. When it is older than `idle`, all assertions have expired.
    pub(crate) seen: Timestamp,
    /// The assertions of JSON beacons about attempts. Those of CMCD are in the tracker.
    attempts: Line,
    startup: Assertion,
    /// The last JSON beacon that reported a first frame without a startup time.
    untimed_frame: Assertion,
    opt_out: Assertion,
    /// The state that only sessions with CMCD need. It is boxed to keep other sessions small.
    tracker: Option<Box<Tracker>>,
    identities: Identities,
    pub(crate) stated: Stated,
    pub(crate) seats: Seats,
}

/// The effects of a beacon, given the unexpired assertions before it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Observed {
    pub(crate) opted_out: bool,
    pub(crate) duplicate: bool,
    /// The attempts, plays and failures that the beacon adds.
    pub(crate) counted: Counted,
    /// The state of attempts in the beacon's window after the beacon.
    pub(crate) in_window: InWindow,
    /// The time to the first frame in milliseconds, or `None` if the beacon adds none.
    pub(crate) new_startup: Option<u32>,
    /// The classes of the beacon's errors that are new.
    pub(crate) new_errors: ErrorClasses,
    /// True if the first error code of the beacon is a new error.
    pub(crate) has_new_code: bool,
    /// The amounts that the beacon adds to each sum, in the order of [`SumMetric::ALL`]. They are reported in JSON,
    /// and computed from states and totals in CMCD. Attempts, plays and failures are not included, because they are
    /// in `counted`.
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

    /// Records the assertions of a beacon. Returns its effects. `in_window` is the state of attempts in the beacon's
    /// window before the beacon.
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
        // The first choice of a bitrate, before anything plays, is not a switch, even if its report arrives late.
        let is_switch = |playback: &Playback| {
            let is_change = playback.bitrate_changed && tracked.bitrate_change != Some(Ordering::Equal);
            is_change && (statement.frame || self.has_played(now))
        };
        let is_switch = beacon.playback().is_some_and(is_switch);
        let is_switch_to = |change| is_switch && tracked.bitrate_change == Some(change);
        let is_json = beacon.playback().is_none();
        let is_measured = is_json && self.attempts.has_start(now) && self.untimed_frame.holds(now);
        let counted = self.count(beacon, &statement, context, &mut in_window, now);
        // A beacon that contains playing time was not sent at the first frame.
        let is_untimed_frame = is_json
            && (measures.play && !measures.attempt)
            && (startup_ms.is_none() && measures.sum(SumMetric::PlayingMs) == 0);
        let measured = counted.startup_ms.filter(|_| is_untimed_frame).or(tracked.startup_ms);
        // If the start was reported, the startup time is computed here, because the reported one is unreliable
        // (dash.js reports 1 ms, or 453 ms).
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

    /// Records that the session opted out. Ignores everything else in the record.
    pub(crate) fn opt_out(&mut self, record: Timestamp) {
        self.opt_out = self.opt_out.or_later(Assertion::at(record));
        self.seen = self.seen.max(record);
    }

    /// Returns one of the last identities, or 0 if there are none.
    pub(crate) fn last_identity(&self) -> u64 {
        self.identities.last()
    }

    /// Returns true if any line has an unexpired first frame.
    fn has_played(&self, now: &Now) -> bool {
        let cmcd = self.tracker.as_ref().map(|tracker| &tracker.attempts);
        cmcd.into_iter().flatten().chain([&self.attempts]).any(|line| line.has_played(now))
    }

    /// Records the reports of a beacon about its attempt. Returns what they add to the counts of the window.
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

    /// Records the states and totals of a CMCD beacon. Returns the amounts that follow from them, which are 0 for a
    /// JSON beacon.
    fn track(&mut self, beacon: &Observation, now: &Now) -> Tracked {
        let Some(playback) = beacon.playback() else { return Tracked::default() };
        let is_stated = playback.has_content() || playback.code.is_some() || beacon.measures().play;
        if is_stated {
            self.tracker.get_or_insert_with(|| Box::new(Tracker::new()));
        }
        self.tracker.as_mut().map_or_else(Tracked::default, |tracker| tracker.observe(beacon, playback, now))
    }

    /// Returns true if a beacon with this identity was observed before and has not expired. Records the identity in
    /// any case.
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
