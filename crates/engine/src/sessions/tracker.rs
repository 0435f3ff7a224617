//! From what CMCD says to amounts: states to time, totals to differences, and what is counted once.
//!
//! The wall time between two beacons is of the state that the earlier one stated. A session may state it by events, on
//! its own clock and in batches, and with its requests, on ours. Events know more, so what requests state counts where no
//! event holds, and the first events do not count again what requests have counted. A request shows that the session goes
//! on, too: in what its last event stated, but for players that send events in batches, of which some are on their way. As
//! everything in a session, this is what records said, each for itself ([`crate::sessions::session`]).

use std::cmp::Ordering;

use crowdfold_airlock::{Observation, Playback, State, Total};
use crowdfold_model::{Span, Timestamp};

use crate::sessions::attempts::Line;
use crate::sessions::codes::Codes;
use crate::sessions::errors::ErrorClasses;
use crate::sessions::session::{Assertion, Now};
use crate::sessions::session_summary::quotient_to_two_digits;
use crate::sessions::timeline::{Distance, Step, Timeline};

/// What a session said by CMCD.
#[derive(Debug)]
pub(crate) struct Tracker {
    /// By the player's clock.
    events: Timeline,
    /// By the clock of who took the request.
    requests: Timeline,
    /// The last two records that stated a state by events.
    reported: [Assertion; 2],
    /// The last two records with a batch of them.
    batched: [Assertion; 2],
    /// Of the player's clock from ours.
    distance: Distance,
    /// The latest record that stated a state with a request.
    asked: Assertion,
    /// The time that the events of one record may add.
    allowance: Allowance,
    /// The last start that an event stated.
    start: Start,
    /// The last start that a request stated.
    asked_start: Start,
    /// When an event last stated that it plays.
    began: (Timestamp, Assertion),
    codes: Codes,
    /// Assertions of events and of requests about attempts.
    pub(crate) attempts: [Line; 2],
    /// The last bitrate that an event stated, kbit/s.
    bitrate: (u32, Assertion),
    /// The last totals of requests and of events.
    dropped_frames: [(u32, Assertion); 2],
    stalls: [(u32, Assertion); 2],
    stalled_ms: [(u32, Assertion); 2],
}

/// What a beacon's statements come to, beside those that held before it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tracked {
    pub(crate) playing_ms: u32,
    pub(crate) stalled_ms: u32,
    pub(crate) stalls: u32,
    pub(crate) seeks: u32,
    pub(crate) seeking_ms: u32,
    pub(crate) dropped_frames: u32,
    /// Time from the start that was stated to the first frame, ms.
    pub(crate) startup_ms: Option<u32>,
    /// An event stated a start.
    pub(crate) start_known: bool,
    /// A request stated a start, and a pause or a seek before the first frame.
    pub(crate) start_interrupted: bool,
    /// The classes of the error codes that the last record of its way and endpoint did not have.
    pub(crate) new_codes: ErrorClasses,
    /// The bitrate that an event states, compared with the one that an event stated before; absent if either is unknown.
    pub(crate) bitrate_change: Option<Ordering>,
}

/// A start that was stated.
#[derive(Clone, Copy, Debug)]
struct Start {
    at: Timestamp,
    assertion: Assertion,
    /// A pause or a seek came after it, and no first frame in between.
    interrupted: bool,
    /// A first frame came after it.
    over: bool,
}

impl Start {
    const NONE: Self =
        Self { at: Timestamp::EPOCH, assertion: Assertion::NEVER, interrupted: false, over: false };

    /// Records a state that comes after it.
    const fn then(&mut self, state: State) {
        match state {
            State::Playing => self.over = true,
            State::Paused | State::Seeking => self.interrupted |= !self.over,
            _ => {}
        }
    }
}

/// The largest difference between two delays of reports that is taken for jitter of the network. A clock that moves
/// by more was set.
const MOST_JITTER: Span = Span::SECOND;

/// The time that the events of one record may add: the player's clock may be set at any moment, and must not make
/// playing time.
#[derive(Clone, Copy, Debug)]
struct Allowance {
    /// The latest record whose events stated a state. Records with one timestamp are taken for one.
    record: Assertion,
    /// The latest time of its events.
    latest: Timestamp,
    /// The rest of it.
    left: Span,
}

impl Allowance {
    /// Returns what is left for an event of a record. The first event of a record sets it to the time since the record
    /// before, plus that one's delay beyond the smallest delay that is known; without one to `idle`. An event that came
    /// sooner than all before it adds the difference, as far as that may be jitter. The events of a record that is older
    /// than the latest one add nothing.
    fn of(&mut self, at: Timestamp, distance: &Distance, now: &Now) -> Span {
        let before = self.record.record();
        let sooner =
            distance.moment(now.record, now).map_or(Span::ZERO, |expected| at.saturating_since(expected));
        let jitter = if sooner <= MOST_JITTER { sooner } else { Span::ZERO };
        if before == Some(now.record) {
            self.latest = self.latest.max(at);
            self.left += jitter;
            return self.left;
        }
        if before.is_some_and(|before| before > now.record) {
            return Span::ZERO;
        }
        self.left = match before.filter(|_| self.record.holds(now)) {
            Some(before) => {
                let delay = distance
                    .moment(before, now)
                    .map_or(Span::ZERO, |moment| moment.saturating_since(self.latest));
                now.record - before + delay
            }
            None => now.idle,
        } + jitter;
        (self.record, self.latest) = (Assertion::at(now.record), at);
        self.left
    }

    fn spend(&mut self, credited: Span, now: &Now) {
        if self.record == Assertion::at(now.record) {
            self.left = self.left.saturating_sub(credited);
        }
    }
}

impl Tracker {
    pub(crate) fn new() -> Self {
        Self {
            events: Timeline::default(),
            requests: Timeline::default(),
            reported: [Assertion::NEVER; 2],
            batched: [Assertion::NEVER; 2],
            distance: Distance::default(),
            asked: Assertion::NEVER,
            allowance: Allowance { record: Assertion::NEVER, latest: Timestamp::EPOCH, left: Span::ZERO },
            start: Start::NONE,
            asked_start: Start::NONE,
            began: (Timestamp::EPOCH, Assertion::NEVER),
            codes: Codes::default(),
            attempts: [Line::new(), Line::new()],
            bitrate: (0, Assertion::NEVER),
            dropped_frames: [(0, Assertion::NEVER); 2],
            stalls: [(0, Assertion::NEVER); 2],
            stalled_ms: [(0, Assertion::NEVER); 2],
        }
    }

    /// Takes down what a beacon says of playback, and tells what is new in it.
    pub(crate) fn observe(&mut self, beacon: &Observation, playback: &Playback, now: &Now) -> Tracked {
        let at = beacon.own_time();
        let reported = self.reported[0].holds(now);
        let states = reported || self.requests.reaches(now).is_some() || playback.state.is_some();
        let totals = &playback.totals;
        // requests overtake batches of events, so each of the two has totals of its own
        let line = usize::from(playback.event);
        let stalls = difference(&mut self.stalls, line, totals.stalls, now);
        let stalled_ms = difference(&mut self.stalled_ms, line, totals.stalled_ms, now);
        let mut tracked = Tracked {
            dropped_frames: difference(&mut self.dropped_frames, line, totals.dropped_frames, now),
            bitrate_change: self.bitrate_change(playback, now),
            start_known: self.start.assertion.holds(now),
            start_interrupted: self.asked_start.assertion.holds(now) && self.asked_start.interrupted,
            new_codes: self.new_codes(beacon, playback, now),
            ..Tracked::default()
        };
        if !states {
            // all that there is; where states are known they say more, and the two would count twice
            tracked.stalls = stalls;
            tracked.stalled_ms = to_100_ms(stalled_ms);
        }
        let Some(state) = playback.state else { return tracked };
        let step = if playback.event {
            self.event(state, at, now)
        } else if !reported {
            self.requests.step(state, at, None, Span::MAX, now)
        } else if self.batched[0].holds(now) {
            Step::default()
        } else {
            let at = self.distance.moment(now.record, now);
            at.map_or_else(Step::default, |at| self.events.go_on(at, self.observed(now), now))
        };
        tracked.playing_ms = step.playing_ms;
        tracked.stalled_ms = step.stalled_ms;
        tracked.stalls = step.stall.into();
        tracked.seeks = step.seek.into();
        tracked.seeking_ms = step.seeking_ms;
        if playback.event && state == State::Playing {
            tracked.startup_ms = self.startup(at, now);
        }
        self.take_down(state, at, playback, now);
        tracked
    }

    /// Returns the classes of the error codes that are new errors, and records the codes.
    fn new_codes(&mut self, beacon: &Observation, playback: &Playback, now: &Now) -> ErrorClasses {
        let more = || playback.more_codes.iter().flat_map(|more| more.iter());
        let codes = playback.code.into_iter().chain(more().map(|(code, _)| code));
        let mut new = ErrorClasses::NONE;
        self.codes.state(playback.event, playback.endpoint, codes, now, |code| {
            let class = if playback.code == Some(code) {
                beacon.measures().error
            } else {
                more().find(|(known, _)| *known == code).map(|(_, class)| class)
            };
            new.add(class);
        });
        new
    }

    /// Compares the bitrate that an event states with the last one that holds, and records it.
    fn bitrate_change(&mut self, playback: &Playback, now: &Now) -> Option<Ordering> {
        let bitrate = playback.bitrate_kbps.get()?;
        let (before, stated) = std::mem::replace(&mut self.bitrate, (bitrate, Assertion::at(now.record)));
        stated.holds(now).then(|| bitrate.cmp(&before))
    }

    /// Returns what an event means for the time before it.
    fn event(&mut self, state: State, at: Timestamp, now: &Now) -> Step {
        let most = self.allowance.of(at, &self.distance, now);
        self.distance.report(at, now.record, now);
        let counted = if holds_before(self.reported, now) {
            if holds_before(self.batched, now) { None } else { self.observed(now) }
        } else {
            let counted = self.requests.reaches(now);
            if counted.is_some_and(|counted| at <= counted) {
                return Step::default();
            }
            counted
        };
        let step = self.events.step(state, at, counted, most, now);
        self.allowance.spend(step.credited, now);
        step
    }

    /// Until when requests have counted what events stated, by the player's clock.
    fn observed(&self, now: &Now) -> Option<Timestamp> {
        let asked = self.asked.record().filter(|_| self.asked.holds(now))?;
        self.distance.moment(asked, now)
    }

    fn take_down(&mut self, state: State, at: Timestamp, playback: &Playback, now: &Now) {
        let assertion = Assertion::at(now.record);
        if !playback.event {
            #[cfg(feature = "seeded-bugs")]
            if crate::seeded_bugs::is_set(crate::seeded_bugs::SeededBug::RequestsIgnored)
                && self.reported[0].holds(now)
            {
                return;
            }
            self.asked = self.asked.or_later(assertion);
            self.asked_start.then(state);
            if state == State::Starting {
                self.asked_start = Start { at, assertion, ..Start::NONE };
            }
            return self.requests.state(state, at, assertion, now);
        }
        self.events.state(state, at, assertion, now);
        self.reported = assertion.last_two(self.reported);
        if playback.batched {
            self.batched = assertion.last_two(self.batched);
        }
        self.start.then(state);
        match state {
            State::Starting if playback.changed => self.start = Start { at, assertion, ..Start::NONE },
            State::Playing => self.began = (at, assertion),
            _ => {}
        }
    }

    /// Returns the time from the last start to a first frame now. It is absent where a pause or a seek came in between,
    /// where the start is from before the last first frame (a report that was repeated), and where it took longer than a
    /// statement holds: then the clock was set.
    fn startup(&self, at: Timestamp, now: &Now) -> Option<u32> {
        let Start { at: start, assertion, interrupted, over } = self.start;
        let (began, before) = self.began;
        if !assertion.holds(now) || interrupted || over || before.holds(now) && start < began {
            return None;
        }
        let took = at.checked_since(start).filter(|took| *took <= now.idle)?;
        u32::try_from(quotient_to_two_digits(took.as_millis(), 1)).ok()
    }
}

/// Whether one of the last two records that said a thing holds, and is not this one.
fn holds_before([last, before]: [Assertion; 2], now: &Now) -> bool {
    if last == Assertion::at(now.record) { before.holds(now) } else { last.holds(now) }
}

/// Returns what a total adds to the greater one of the last totals of requests and of events, and replaces the last one of
/// its line. Without one that holds nothing can be said: the total may be hours old.
fn difference(last: &mut [(u32, Assertion); 2], line: usize, total: Total, now: &Now) -> u32 {
    let Some(total) = total.get() else { return 0 };
    let held = last.iter().filter(|(_, stated)| stated.holds(now)).map(|(total, _)| *total);
    let added = held.max().map_or(0, |before| total.saturating_sub(before));
    last[line] = (total, Assertion::at(now.record));
    added
}

/// Half up.
const fn to_100_ms(ms: u32) -> u32 {
    ms.saturating_add(50) / 100 * 100
}

#[cfg(test)]
mod tests;
