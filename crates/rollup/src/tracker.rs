//! From what CMCD says to amounts: states to time, totals to differences, and what is counted once.
//!
//! The wall time between two beacons is of the state that the earlier one stated. A session may state it by events, on
//! its own clock and in batches, and with its requests, on ours. Events know more, so what requests state counts where no
//! event holds, and the first events do not count again what requests have counted. A request shows that the session goes
//! on, too: in what its last event stated, but for players that send events in batches, of which some are on their way. As
//! everything in a session, this is what records said, each for itself ([`crate::session`]).

use crowdfold_airlock::{Millis, Observation, Playback, State, Total};

use crate::session::{Now, Said};
use crate::sitting::quotient_to_two_digits;
use crate::timeline::{Distance, Step, Timeline};

/// What a session said by CMCD.
#[derive(Debug)]
pub(crate) struct Tracker {
    /// By the player's clock.
    events: Timeline,
    /// By the clock of who took the request.
    requests: Timeline,
    /// The last two records that stated a state by events.
    told: [Said; 2],
    /// The last two records with a batch of them.
    batched: [Said; 2],
    /// Of the player's clock from ours.
    distance: Distance,
    /// The latest record that stated a state with a request.
    asked: Said,
    /// When the player last began to start.
    start: (Millis, Said),
    /// An event last stated that it plays.
    began: Said,
    failed: Said,
    dropped_frames: (u32, Said),
    stalls: (u32, Said),
    stalled_ms: (u32, Said),
}

/// What a beacon's statements come to, beside those that held before it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tracked {
    pub(crate) playing_ms: u32,
    pub(crate) stalled_ms: u32,
    pub(crate) stalls: u32,
    pub(crate) dropped_frames: u32,
    /// Time from the start that was stated to the first frame, ms.
    pub(crate) startup_ms: Option<u32>,
    /// A start was stated.
    pub(crate) start_known: bool,
    /// It has failed before.
    pub(crate) failed: bool,
}

impl Tracker {
    pub(crate) fn new() -> Self {
        Self {
            events: Timeline::default(),
            requests: Timeline::default(),
            told: [Said::NEVER; 2],
            batched: [Said::NEVER; 2],
            distance: Distance::default(),
            asked: Said::NEVER,
            start: (0, Said::NEVER),
            began: Said::NEVER,
            failed: Said::NEVER,
            dropped_frames: (0, Said::NEVER),
            stalls: (0, Said::NEVER),
            stalled_ms: (0, Said::NEVER),
        }
    }

    /// Takes down what a beacon says of playback, and tells what is new in it.
    pub(crate) fn hear(&mut self, beacon: &Observation, playback: &Playback, now: &Now) -> Tracked {
        let said = Said::at(now.record);
        let at = beacon.own_time();
        let told = self.told[0].holds(now);
        let states = told || self.requests.reaches(now).is_some() || playback.state.is_some();
        let totals = &playback.totals;
        let stalls = difference(&mut self.stalls, totals.stalls, said, now);
        let stalled_ms = difference(&mut self.stalled_ms, totals.stalled_ms, said, now);
        let mut tracked = Tracked {
            dropped_frames: difference(&mut self.dropped_frames, totals.dropped_frames, said, now),
            failed: self.failed.holds(now),
            start_known: self.start.1.holds(now),
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
        } else if !told {
            self.requests.step(state, at, None, now)
        } else if self.batched[0].holds(now) {
            Step::default()
        } else {
            let at = self.distance.moment(now.record, now);
            at.map_or_else(Step::default, |at| self.events.go_on(at, self.heard(now), now))
        };
        tracked.playing_ms = step.playing_ms;
        tracked.stalled_ms = step.stalled_ms;
        tracked.stalls = step.stall.into();
        if playback.event && state == State::Playing && !self.began.holds(now) {
            tracked.startup_ms = self.startup(at, now);
        }
        self.take_down(state, at, playback, now);
        tracked
    }

    /// What an event says of the time before it.
    fn event(&mut self, state: State, at: Millis, now: &Now) -> Step {
        self.distance.report(at, now.record, now);
        if holds_before(self.told, now) {
            let counted = if holds_before(self.batched, now) { None } else { self.heard(now) };
            return self.events.step(state, at, counted, now);
        }
        let counted = self.requests.reaches(now);
        if counted.is_some_and(|counted| at <= counted) {
            return Step::default();
        }
        self.events.step(state, at, counted, now)
    }

    /// Until when requests have counted what events stated, by the player's clock.
    fn heard(&self, now: &Now) -> Option<Millis> {
        let asked = self.asked.record().filter(|_| self.asked.holds(now))?;
        self.distance.moment(asked, now)
    }

    fn take_down(&mut self, state: State, at: Millis, playback: &Playback, now: &Now) {
        let said = Said::at(now.record);
        if state == State::Failed {
            self.failed = said;
        }
        if !playback.event {
            #[cfg(feature = "planted")]
            if crate::planted::is(crate::planted::Mistake::RequestsUnheard) && self.told[0].holds(now) {
                return;
            }
            self.asked = self.asked.or_later(said);
            return self.requests.state(state, at, said, now);
        }
        self.events.state(state, at, said, now);
        self.told = said.last_two(self.told);
        if playback.batched {
            self.batched = said.last_two(self.batched);
        }
        match state {
            State::Starting if playback.changed => self.start = (at, said),
            State::Playing => self.began = said,
            _ => {}
        }
    }

    /// The time from the last start that was stated to now. What is longer than a statement holds is a clock that was
    /// set.
    fn startup(&self, at: Millis, now: &Now) -> Option<u32> {
        let (start, said) = self.start;
        let took = at.checked_sub(start).filter(|took| said.holds(now) && *took <= now.idle)?;
        u32::try_from(quotient_to_two_digits(took, 1)).ok()
    }
}

/// Whether one of the last two records that said a thing holds, and is not this one.
fn holds_before([last, before]: [Said; 2], now: &Now) -> bool {
    if last == Said::at(now.record) { before.holds(now) } else { last.holds(now) }
}

/// What a total adds to the last one, which it takes the place of. Without one that holds nothing can be said: the total
/// may be hours old.
fn difference(last: &mut (u32, Said), total: Total, said: Said, now: &Now) -> u32 {
    let Some(total) = total.get() else { return 0 };
    let (before, stated) = std::mem::replace(last, (total, said));
    if stated.holds(now) { total.saturating_sub(before) } else { 0 }
}

/// Half up.
const fn to_100_ms(ms: u32) -> u32 {
    ms.saturating_add(50) / 100 * 100
}

#[cfg(test)]
mod tests;
