//! The states that a session's records put on one clock.
//!
//! Records come out of order: a player reports in batches, and a request is reported with the time at which it began.
//! What counts is the latest state by the clock among the records that still hold. So it does not do to keep the latest:
//! when that expires, what it displaced must come back, as it would for whoever starts to read here.

use crowdfold_airlock::{Millis, State};

use crate::session::{Now, Said};

/// What a state means for those after it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Playing,
    Seeking,
    /// Waits for media.
    Stalled,
    Other,
}

impl Kind {
    const COUNT: usize = 4;

    const fn of(state: State) -> Self {
        match state {
            State::Playing => Self::Playing,
            State::Seeking => Self::Seeking,
            State::Rebuffering | State::Waiting => Self::Stalled,
            _ => Self::Other,
        }
    }
}

/// A state at a moment of the clock, and the record that said so.
#[derive(Clone, Copy, Debug)]
struct Entry {
    at: Millis,
    said: Said,
    state: State,
}

/// The states on one clock, in the order of the log: of each kind those alone that can be the latest once others have
/// expired. Seldom more than five.
#[derive(Debug, Default)]
pub(crate) struct Timeline(Vec<Entry>);

/// What the states that hold come to: of each kind the place of the latest in order (by the clock, then by the log).
#[derive(Clone, Copy, Default)]
struct Latest {
    all: Option<(Millis, usize)>,
    by_kind: [Option<(Millis, usize)>; Kind::COUNT],
}

impl Latest {
    const fn of(&self, kind: Kind) -> Option<(Millis, usize)> {
        self.by_kind[kind as usize]
    }

    /// Whether something has played, without a seek since.
    fn has_played(&self) -> bool {
        self.of(Kind::Playing).is_some_and(|played| self.of(Kind::Seeking) < Some(played))
    }
}

/// What a new state says of the time before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) playing_ms: u32,
    pub(crate) stalled_ms: u32,
    /// A stall begins with it.
    pub(crate) stall: bool,
}

/// Moments are cut into so many ms before differences are taken, so that these add up (privacy.md: times to 100 ms).
const UNIT: Millis = 100;

impl Timeline {
    /// What a state at that moment says of the time before it. Time up to `counted` has been counted otherwise.
    pub(crate) fn step(&self, state: State, at: Millis, counted: Option<Millis>, now: &Now) -> Step {
        let latest = self.latest(now);
        let Some((from, place)) = latest.all else { return Step::default() };
        if at < from || counted.is_some_and(|counted| at <= counted) {
            return Step::default();
        }
        let from = counted.map_or(from, |counted| counted.max(from));
        let credit = (units(at) - units(from)).min(now.idle / UNIT) * UNIT;
        let credit = u32::try_from(credit).unwrap_or(u32::MAX);
        let stalled = latest.of(Kind::Stalled);
        let mut step = Step {
            // a stall goes on until the next playing: the viewer may pause in it
            stall: Kind::of(state) == Kind::Stalled
                && latest.has_played()
                && stalled < latest.of(Kind::Playing),
            ..Step::default()
        };
        match Kind::of(self.0[place].state) {
            Kind::Playing => step.playing_ms = credit,
            Kind::Stalled if latest.has_played() => step.stalled_ms = credit,
            _ => {}
        }
        step
    }

    /// The latest moment of which a state is known.
    pub(crate) fn reaches(&self, now: &Now) -> Option<Millis> {
        self.latest(now).all.map(|(at, _)| at)
    }

    /// Takes down a state.
    pub(crate) fn state(&mut self, state: State, at: Millis, said: Said, now: &Now) {
        let kind = Kind::of(state);
        let same = |entry: &Entry| Kind::of(entry.state) == kind;
        #[cfg(feature = "planted")]
        if crate::planted::is(crate::planted::Mistake::LatestStateAlone)
            && self.0.iter().any(|entry| same(entry) && entry.at > at)
        {
            return;
        }
        if self.0.iter().any(|entry| same(entry) && entry.at > at && entry.said >= said) {
            return;
        }
        self.0.retain(|entry| !(same(entry) && entry.at <= at && entry.said <= said));
        if self.0.len() == self.0.capacity() {
            self.0.retain(|entry| !entry.said.is_past(now));
        }
        self.0.push(Entry { at, said, state });
    }

    fn latest(&self, now: &Now) -> Latest {
        let mut latest = Latest::default();
        for (place, entry) in self.0.iter().enumerate().filter(|(_, entry)| entry.said.holds(now)) {
            let here = Some((entry.at, place));
            latest.all = latest.all.max(here);
            let of_kind = &mut latest.by_kind[Kind::of(entry.state) as usize];
            *of_kind = (*of_kind).max(here);
        }
        latest
    }
}

/// Half up.
const fn units(moment: Millis) -> Millis {
    (moment + UNIT / 2) / UNIT
}

#[cfg(test)]
mod tests;
