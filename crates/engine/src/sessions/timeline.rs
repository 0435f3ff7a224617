//! The states that a session's records put on one clock.
//!
//! Records come out of order: a player reports in batches, and a request is reported with the time at which it began.
//! What counts is the latest state by the clock among the records that still hold. So it does not do to keep the latest:
//! when that expires, what it displaced must come back, as it would for whoever starts to read here.

use crowdfold_airlock::State;
use crowdfold_model::{Span, Timestamp};

use crate::sessions::session::{Assertion, Now};

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

/// The part of a playback that follows a player's statement that it plays, in the log and not earlier by the clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Since {
    /// Nothing that ends it.
    #[default]
    Playing,
    /// A stall interrupted it. The viewer may pause in it.
    Stalled,
    /// It ended otherwise: waiting for media is no stall until it plays again.
    Ended,
}

impl Since {
    const fn then(self, state: State) -> Self {
        match (self, state) {
            (_, State::Playing) => Self::Playing,
            (Self::Playing | Self::Stalled, State::Rebuffering | State::Waiting) => Self::Stalled,
            (Self::Stalled, State::Paused) => Self::Stalled,
            _ => Self::Ended,
        }
    }
}

/// A state at a moment of the clock, and the record that said so.
#[derive(Clone, Copy, Debug)]
struct Entry {
    at: Timestamp,
    assertion: Assertion,
    /// Its position in the log: of two at one moment the second is the later.
    nth: u32,
    state: State,
    /// Of one that plays.
    since: Since,
}

/// Those alone that can be the latest once others have expired, which is seldom more than one. They are in the order in
/// which they were said, and so, latest first, in that of the clock: a session that floods with ever earlier states does
/// not cost the square of them.
#[derive(Debug, Default)]
struct Entries(Vec<Entry>);

/// The states on one clock, by kind.
#[derive(Debug, Default)]
pub(crate) struct Timeline {
    kinds: [Entries; Kind::COUNT],
    stated: u32,
}

/// What the states that hold come to: the latest of each kind, by the clock and then by the log.
#[derive(Clone, Copy, Default)]
struct Latest([Option<Entry>; Kind::COUNT]);

impl Latest {
    fn of(&self, kind: Kind) -> Option<(Timestamp, u32)> {
        self.0[kind as usize].map(|entry| (entry.at, entry.nth))
    }

    /// The moment and the state of the latest of all.
    fn of_all(&self) -> Option<(Timestamp, State)> {
        let latest = self.0.iter().flatten().max_by_key(|entry| (entry.at, entry.nth));
        latest.map(|entry| (entry.at, entry.state))
    }

    /// Returns true if a seek came after it last played.
    fn seeks(&self) -> bool {
        self.of(Kind::Playing).is_some_and(|played| self.of(Kind::Seeking) > Some(played))
    }

    /// Returns what came after it last played; absent where nothing has played, or a seek came since.
    fn since_played(&self) -> Option<Since> {
        let played = self.0[Kind::Playing as usize]?;
        (self.of(Kind::Seeking) < Some((played.at, played.nth))).then_some(played.since)
    }

    /// The time from the latest of all until a moment, without the part that has been counted, and at most `most`.
    fn until(&self, at: Timestamp, counted: Option<Timestamp>, most: Span, now: &Now) -> Step {
        let Some((from, before)) = self.of_all() else { return Step::default() };
        let from = counted.map_or(from, |counted| counted.max(from));
        let credited = at.saturating_since(from).min(most);
        let credit = UNIT * units(from + credited).saturating_sub(units(from)).min(now.idle / UNIT);
        let credit = u32::try_from(credit.as_millis()).unwrap_or(u32::MAX);
        match Kind::of(before) {
            Kind::Playing => Step { playing_ms: credit, credited, ..Step::default() },
            Kind::Stalled if matches!(self.since_played(), Some(Since::Playing | Since::Stalled)) => {
                Step { stalled_ms: credit, credited, ..Step::default() }
            }
            Kind::Seeking | Kind::Stalled if self.seeks() => {
                Step { seeking_ms: credit, credited, ..Step::default() }
            }
            _ => Step::default(),
        }
    }
}

/// What a new state says of the time before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) playing_ms: u32,
    pub(crate) stalled_ms: u32,
    pub(crate) seeking_ms: u32,
    /// The time that was given to one of them, before it was rounded.
    pub(crate) credited: Span,
    /// A stall begins with it.
    pub(crate) stall: bool,
    /// A seek begins with it.
    pub(crate) seek: bool,
}

/// Timestamps are rounded to this before differences are taken, so that the differences add up
/// (docs/internals/cmcd.md, "States to time").
const UNIT: Span = Span::from_millis(100);

impl Timeline {
    /// Returns what a state at that moment means for the time before it. Time up to `counted` has been counted
    /// otherwise; no more than `most` is given.
    pub(crate) fn step(
        &self,
        state: State,
        at: Timestamp,
        counted: Option<Timestamp>,
        most: Span,
        now: &Now,
    ) -> Step {
        let latest = self.latest(now);
        if latest.of_all().is_none_or(|(from, _)| at < from) {
            return Step::default();
        }
        Step {
            // waiting is a stall only where it interrupts what plays, and it goes on until the next playing
            stall: Kind::of(state) == Kind::Stalled
                && latest.since_played() == Some(Since::Playing)
                && latest.of(Kind::Stalled) < latest.of(Kind::Playing),
            // several seeks without playing in between are one
            seek: Kind::of(state) == Kind::Seeking && latest.of(Kind::Playing).is_some() && !latest.seeks(),
            ..latest.until(at, counted, most, now)
        }
    }

    /// The time until that moment, as reported by a beacon without a state of its own.
    pub(crate) fn go_on(&self, at: Timestamp, counted: Option<Timestamp>, now: &Now) -> Step {
        self.latest(now).until(at, counted, Span::MAX, now)
    }

    /// The latest moment of which a state is known.
    pub(crate) fn reaches(&self, now: &Now) -> Option<Timestamp> {
        self.latest(now).of_all().map(|(at, _)| at)
    }

    /// Takes down a state.
    pub(crate) fn state(&mut self, state: State, at: Timestamp, assertion: Assertion, now: &Now) {
        self.stated = self.stated.wrapping_add(1);
        self.kinds[Kind::Playing as usize].then(state, at);
        let entries = &mut self.kinds[Kind::of(state) as usize];
        #[cfg(feature = "seeded-bugs")]
        if crate::seeded_bugs::is_set(crate::seeded_bugs::SeededBug::LatestStateAlone)
            && entries.0.iter().any(|entry| entry.at > at)
        {
            return;
        }
        entries.add(Entry { at, assertion, nth: self.stated, state, since: Since::Playing }, now);
    }

    fn latest(&self, now: &Now) -> Latest {
        Latest(self.kinds.each_ref().map(|entries| entries.latest(now).copied()))
    }
}

impl Entries {
    /// The number of latest entries that learn what came after them. More would cost the square of a flood.
    const LEARNING: usize = 8;

    /// Records what came after those that play and are not later by the clock. A replay, which has the last of them,
    /// does the same.
    fn then(&mut self, state: State, at: Timestamp) {
        let first = self.0.len().saturating_sub(Self::LEARNING);
        for entry in self.0[first..].iter_mut().filter(|entry| entry.at <= at) {
            entry.since = entry.since.then(state);
        }
    }

    fn latest(&self, now: &Now) -> Option<&Entry> {
        self.0.get(self.0.partition_point(|entry| !entry.assertion.holds(now)))
    }

    fn add(&mut self, entry: Entry, now: &Now) {
        let Self(entries) = self;
        let Entry { at, assertion, .. } = entry;
        let sooner = entries.partition_point(|entry| entry.assertion < assertion);
        if entries.get(sooner).is_some_and(|entry| entry.at > at) {
            return;
        }
        // what was said no later and is no later by the clock can never be the latest again
        let until =
            sooner + usize::from(entries.get(sooner).is_some_and(|entry| entry.assertion == assertion));
        let from = entries[..sooner].partition_point(|entry| entry.at > at);
        if from < until {
            entries[from] = entry;
            entries.drain(from + 1..until);
        } else {
            if entries.len() == entries.capacity() {
                let past = entries[..from].partition_point(|entry| entry.assertion.is_past(now));
                entries.drain(..past);
                entries.reserve_exact(entries.len().max(1));
                entries.insert(from - past, entry);
                return;
            }
            entries.insert(from, entry);
        }
    }
}

/// How far one clock is from that of the records: by the report that took the least time to come, of those that hold.
#[derive(Debug, Default)]
pub(crate) struct Distance(Entries);

impl Distance {
    /// Added to differences, so that none is negative: above all moments (2^53 ms).
    const ZERO: Span = Span::from_millis(1 << 54);

    /// Takes down that a record reports something of that moment of the other clock.
    pub(crate) fn report(&mut self, at: Timestamp, record: Timestamp, now: &Now) {
        let at = (at + Self::ZERO).saturating_sub(record.since_epoch());
        let entry = Entry {
            at,
            assertion: Assertion::at(record),
            nth: 0,
            state: State::Starting,
            since: Since::Playing,
        };
        self.0.add(entry, now);
    }

    /// What the other clock shows when a record has that timestamp.
    pub(crate) fn moment(&self, record: Timestamp, now: &Now) -> Option<Timestamp> {
        (self.0.latest(now)?.at + record.since_epoch()).checked_sub(Self::ZERO)
    }
}

/// Returns a time as a number of units, rounded half up.
fn units(moment: Timestamp) -> u64 {
    (moment + UNIT / 2).since_epoch() / UNIT
}

#[cfg(test)]
mod tests;
