//! Converts CMCD reports to amounts. Player states become playing, stalled and seeking time. Totals become differences,
//! and repeated error codes become single errors.
//!
//! The time between two reports is attributed to the state in the first of them. A session may report states in events,
//! which have the time of the player's clock and may arrive in batches. It may also report states in requests, which
//! have the time of the server's clock. Events are more precise. Therefore the states of requests count only if all
//! events have expired, and the first events do not count time that requests have already counted.
//!
//! A request also shows that the session continues in the state of its last event. This does not apply to players that
//! send events in batches, because an event after this state may not have arrived yet. All values are assertions of
//! single records ([`crate::sessions::session`]).

use std::cmp::Ordering;

use crowdfold_airlock::{Observation, Playback, State, Total};
use crowdfold_model::{Span, SumMetric, Timestamp, Unit, ValueMetric};

use crate::sessions::attempts::Line;
use crate::sessions::codes::Codes;
use crate::sessions::errors::ErrorClasses;
use crate::sessions::session::{Assertion, Now};
use crate::sessions::session_summary::quotient_to_two_digits;
use crate::sessions::timeline::{Distance, Step, Timeline};

/// The CMCD state of one session.
#[derive(Debug)]
pub(crate) struct Tracker {
    /// The states of events, by the player's clock.
    events: Timeline,
    /// The states of requests, by the clock of the server that received the requests.
    requests: Timeline,
    /// The last two records that contained an event with a state.
    reported: [Assertion; 2],
    /// The last two records that contained a batch of events.
    batched: [Assertion; 2],
    /// The difference between the player's clock and the clock of the records.
    distance: Distance,
    /// The latest record that contained a request with a state.
    asked: Assertion,
    /// The limit of the time that the events of one record may add.
    allowance: Allowance,
    /// The last start that an event reported.
    start: Start,
    /// The last start that a request reported.
    asked_start: Start,
    /// The last time at which an event reported that the player plays, and the record of this event.
    began: (Timestamp, Assertion),
    codes: Codes,
    /// The assertions about attempts in events, and those in requests.
    pub(crate) attempts: [Line; 2],
    bitrate: Bitrate,
    /// For each metric of [`SumMetric::TOTALS`], the last total in a request and the last total in an event. Each total
    /// has the timestamp of its record.
    totals: [[(u32, Assertion); 2]; SumMetric::TOTALS.len()],
}

/// The effects of a CMCD beacon. They depend on the assertions that have not expired before the beacon.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tracked {
    /// The amounts that the beacon adds, in the order of [`SumMetric::ALL`].
    pub(crate) sums: [u32; SumMetric::COUNT],
    /// The time in milliseconds from the reported start to the first frame. The value is `None` if the beacon reports
    /// no first frame, or if the time is unknown.
    pub(crate) startup_ms: Option<u32>,
    /// True if an event has reported a start that has not expired.
    pub(crate) start_known: bool,
    /// True if a request has reported a start, and a pause or a seek followed before the first frame.
    pub(crate) start_interrupted: bool,
    /// The classes of the new error codes. A code is new if the previous record in the same mode and at the same
    /// endpoint did not contain it.
    pub(crate) new_codes: ErrorClasses,
    /// True if the first error code is new.
    pub(crate) has_new_code: bool,
    /// The result of comparing the bitrate in this event with that in the last event, or `None` if one of them is
    /// unknown.
    pub(crate) bitrate_change: Option<Ordering>,
    /// The last unexpired bitrate of the events before this one, rounded to two significant digits. It is the bitrate
    /// during the time that this event adds. The value is `None` for requests.
    pub(crate) bitrate_before: Option<u32>,
}

/// The last bitrate that an event reported, in kbit/s.
#[derive(Clone, Copy, Debug)]
struct Bitrate {
    kbps: u32,
    /// The bitrate, rounded to two significant digits.
    rounded: u32,
    reported_at: Assertion,
}

/// A start that was reported.
#[derive(Clone, Copy, Debug)]
struct Start {
    at: Timestamp,
    assertion: Assertion,
    /// True if a pause or a seek followed the start before the first frame.
    interrupted: bool,
    /// True if a first frame followed the start.
    over: bool,
}

impl Start {
    const NONE: Self =
        Self { at: Timestamp::EPOCH, assertion: Assertion::NEVER, interrupted: false, over: false };

    /// Records a state that follows the start.
    const fn then(&mut self, state: State) {
        match state {
            State::Playing => self.over = true,
            State::Paused | State::Seeking => self.interrupted |= !self.over,
            _ => {}
        }
    }
}

/// The largest difference between the delays of two reports that counts as network jitter. If the difference is larger,
/// the player's clock was changed.
const MOST_JITTER: Span = Span::SECOND;

/// The limit of the time that the events of one record may add. The limit is necessary because the player's clock may
/// be changed at any time.
#[derive(Clone, Copy, Debug)]
struct Allowance {
    /// The latest record that contained an event with a state. Records with the same timestamp count as one record.
    record: Assertion,
    /// The latest time, on the player's clock, of the events in this record.
    latest: Timestamp,
    /// The time that the events of this record may still add.
    left: Span,
}

impl Allowance {
    /// Returns the time that an event may add.
    ///
    /// The first event of a record sets the limit: the time since the previous record, plus the additional delay of the
    /// previous record in comparison with the shortest known delay. If there is no previous record, the limit is
    /// `idle`. If an event has a shorter delay than all events before it, the difference is added to the limit, unless
    /// the difference is too large for network jitter. If a record is older than the latest one, its events add
    /// nothing.
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
        self.left = match before.filter(|_| self.record.is_valid(now)) {
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

    /// Subtracts the time that an event has added.
    fn subtract(&mut self, credited: Span, now: &Now) {
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
            bitrate: Bitrate { kbps: 0, rounded: 0, reported_at: Assertion::NEVER },
            totals: [[(0, Assertion::NEVER); 2]; SumMetric::TOTALS.len()],
        }
    }

    /// Records the playback values of a beacon. Returns the effects of the beacon.
    pub(crate) fn observe(&mut self, beacon: &Observation, playback: &Playback, now: &Now) -> Tracked {
        let at = beacon.own_time();
        let reported = self.reported[0].is_valid(now);
        let states = reported || self.requests.reaches(now).is_some() || playback.state.is_some();
        let (new_codes, has_new_code) = self.new_codes(beacon, playback, now);
        let mut tracked = Tracked {
            sums: self.differences(playback, states, now),
            bitrate_before: self.bitrate_before(playback, now),
            bitrate_change: self.bitrate_change(beacon, playback, now),
            start_known: self.start.assertion.is_valid(now),
            start_interrupted: self.asked_start.assertion.is_valid(now) && self.asked_start.interrupted,
            new_codes,
            has_new_code,
            ..Tracked::default()
        };
        let Some(state) = playback.state else { return tracked };
        let step = if playback.event {
            self.event(state, at, now)
        } else if !reported {
            self.requests.step(state, at, None, Span::MAX, now)
        } else if self.batched[0].is_valid(now) {
            Step::default()
        } else {
            let at = self.distance.moment(now.record, now);
            at.map_or_else(Step::default, |at| self.events.continue_until(at, self.observed(now), now))
        };
        tracked.sums[SumMetric::PlayingMs as usize] = step.playing_ms;
        tracked.sums[SumMetric::StalledMs as usize] = step.stalled_ms;
        tracked.sums[SumMetric::Stalls as usize] = step.stall.into();
        tracked.sums[SumMetric::Seeks as usize] = step.seek.into();
        tracked.sums[SumMetric::SeekingMs as usize] = step.seeking_ms;
        if playback.event && state == State::Playing {
            tracked.startup_ms = self.startup(at, now);
        }
        self.take_down(state, at, playback, now);
        tracked
    }

    /// Records the totals of a beacon. Returns the amounts that they add. `states` is true if states of the session are
    /// known.
    fn differences(&mut self, playback: &Playback, states: bool, now: &Now) -> [u32; SumMetric::COUNT] {
        let mut sums = [0; SumMetric::COUNT];
        // Requests may arrive before batches of events, so totals in requests and totals in events are stored
        // separately.
        let line = usize::from(playback.event);
        for ((metric, last), total) in
            SumMetric::TOTALS.into_iter().zip(&mut self.totals).zip(playback.totals)
        {
            let added = difference(last, line, total, now);
            // Totals are not used if the same amount follows from states. States are more precise, and the same time
            // must not count twice.
            if !(states && follows_from_states(metric)) {
                let is_time = matches!(metric.unit(), Unit::Milliseconds);
                sums[metric as usize] = if is_time { to_100_ms(added) } else { added };
            }
        }
        sums
    }

    /// Records the error codes of a beacon. Returns the classes of the codes that are new errors. Also returns true if
    /// the first code is a new error.
    fn new_codes(&mut self, beacon: &Observation, playback: &Playback, now: &Now) -> (ErrorClasses, bool) {
        let more = || playback.more_codes.iter().flat_map(|more| more.iter());
        let codes = playback.code.into_iter().chain(more().map(|(code, _)| code));
        let (mut new, mut is_first_new) = (ErrorClasses::NONE, false);
        self.codes.observe(playback.event, playback.endpoint, codes, now, |code| {
            let class = if playback.code == Some(code) {
                is_first_new = true;
                beacon.measures().error
            } else {
                more().find(|(known, _)| *known == code).map(|(_, class)| class)
            };
            new.add(class);
        });
        (new, is_first_new)
    }

    /// Returns the last unexpired bitrate before an event.
    fn bitrate_before(&self, playback: &Playback, now: &Now) -> Option<u32> {
        (playback.event && self.bitrate.reported_at.is_valid(now)).then_some(self.bitrate.rounded)
    }

    /// Records the bitrate of an event. Returns the result of comparing it with the last unexpired bitrate, or `None`
    /// if one of them is missing.
    fn bitrate_change(&mut self, beacon: &Observation, playback: &Playback, now: &Now) -> Option<Ordering> {
        let kbps = playback.bitrate_kbps.get()?;
        let rounded = beacon.measures().value(ValueMetric::BitrateKbps).unwrap_or(kbps);
        let new = Bitrate { kbps, rounded, reported_at: Assertion::at(now.record) };
        let before = std::mem::replace(&mut self.bitrate, new);
        before.reported_at.is_valid(now).then(|| kbps.cmp(&before.kbps))
    }

    /// Returns the amounts that follow from the state of an event.
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
        self.allowance.subtract(step.credited, now);
        step
    }

    /// Returns the time, on the player's clock, until which requests have already counted the states of events.
    fn observed(&self, now: &Now) -> Option<Timestamp> {
        let asked = self.asked.record().filter(|_| self.asked.is_valid(now))?;
        self.distance.moment(asked, now)
    }

    fn take_down(&mut self, state: State, at: Timestamp, playback: &Playback, now: &Now) {
        let assertion = Assertion::at(now.record);
        if !playback.event {
            #[cfg(feature = "seeded-bugs")]
            if crate::seeded_bugs::is_set(crate::seeded_bugs::SeededBug::RequestsIgnored)
                && self.reported[0].is_valid(now)
            {
                return;
            }
            self.asked = self.asked.or_later(assertion);
            self.asked_start.then(state);
            if state == State::Starting {
                self.asked_start = Start { at, assertion, ..Start::NONE };
            }
            return self.requests.add_state(state, at, assertion, now);
        }
        self.events.add_state(state, at, assertion, now);
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

    /// Returns the time from the last start to a first frame at `at`. Returns `None` in three cases: a pause or a seek
    /// came between them; the start is before the last first frame, so it is a repeated report; or the time is longer
    /// than the idle time-out, so the player's clock was changed.
    fn startup(&self, at: Timestamp, now: &Now) -> Option<u32> {
        let Start { at: start, assertion, interrupted, over } = self.start;
        let (began, before) = self.began;
        if !assertion.is_valid(now) || interrupted || over || before.is_valid(now) && start < began {
            return None;
        }
        let took = at.checked_since(start).filter(|took| *took <= now.idle)?;
        u32::try_from(quotient_to_two_digits(took.as_millis(), 1)).ok()
    }
}

/// Returns true for a sum that is computed from states if states are known.
const fn follows_from_states(metric: SumMetric) -> bool {
    matches!(metric, SumMetric::PlayingMs | SumMetric::StalledMs | SumMetric::Stalls)
}

/// Returns true if the latest of these two records has not expired. The current record is not considered.
fn holds_before([last, before]: [Assertion; 2], now: &Now) -> bool {
    if last == Assertion::at(now.record) { before.is_valid(now) } else { last.is_valid(now) }
}

/// Stores a total. Returns the difference between it and the greatest unexpired total of requests and events. Returns 0
/// if no total is unexpired, because an expired total may be hours old. `line` is 0 for requests and 1 for events.
fn difference(last: &mut [(u32, Assertion); 2], line: usize, total: Total, now: &Now) -> u32 {
    let Some(total) = total.get() else { return 0 };
    let valid = last.iter().filter(|(_, reported_at)| reported_at.is_valid(now)).map(|(total, _)| *total);
    let added = valid.max().map_or(0, |before| total.saturating_sub(before));
    last[line] = (total, Assertion::at(now.record));
    added
}

/// Rounds a time to a multiple of 100 ms, half up.
const fn to_100_ms(ms: u32) -> u32 {
    ms.saturating_add(50) / 100 * 100
}

#[cfg(test)]
mod tests;
