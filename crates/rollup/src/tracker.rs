//! From what CMCD says to amounts: states to time, totals to differences, and what is counted once.
//!
//! The wall time between two beacons is of the state that the earlier one stated. A session may state it by events, on
//! its own clock and in batches, and with its requests, on ours. Events know more, so requests count where none hold,
//! and the first events do not count again what requests have counted. As everything in a session, this is what records
//! said, each for itself ([`crate::session`]).

use crowdfold_airlock::{Millis, Observation, Playback, State, Total};

use crate::session::{Now, Said};
use crate::sitting::quotient_to_two_digits;
use crate::timeline::{Step, Timeline};

/// What a session said by CMCD.
#[derive(Debug)]
pub(crate) struct Tracker {
    /// By the player's clock.
    events: Timeline,
    /// By the clock of who took the request.
    requests: Timeline,
    /// The last two records that stated a state by events.
    told: [Said; 2],
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
            let counted = if self.told_before(now) { None } else { self.requests.reaches(now) };
            self.events.step(state, at, counted, now)
        } else if told {
            Step::default()
        } else {
            self.requests.step(state, at, None, now)
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
            return self.requests.state(state, at, said, now);
        }
        self.events.state(state, at, said, now);
        self.told = said.last_two(self.told);
        match state {
            State::Starting if playback.changed => self.start = (at, said),
            State::Playing => self.began = said,
            _ => {}
        }
    }

    /// Whether another record has stated a state by an event.
    fn told_before(&self, now: &Now) -> bool {
        let [last, before] = self.told;
        if last == Said::at(now.record) { before.holds(now) } else { last.holds(now) }
    }

    /// The time from the last start that was stated to now. What is longer than a statement holds is a clock that was
    /// set.
    fn startup(&self, at: Millis, now: &Now) -> Option<u32> {
        let (start, said) = self.start;
        let took = at.checked_sub(start).filter(|took| said.holds(now) && *took <= now.idle)?;
        u32::try_from(quotient_to_two_digits(took, 1)).ok()
    }
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
