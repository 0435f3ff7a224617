//! The states in a session's records on one clock.
//!
//! Records arrive out of order: a player reports in batches, and a request is reported with the time at which it began.
//! The state that counts is the latest one by the clock among the records in effect. It is not sufficient to keep only
//! this state. When it expires, an earlier state must count again, as it does for a replay that starts here.

use crowdfold_airlock::State;
use crowdfold_model::{Span, Timestamp};

use crate::sessions::session::{Assertion, Now};

/// The meaning of a state for the time after it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Playing,
    Seeking,
    /// The player waits for media.
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

/// The period that begins when a player reports that it plays. It includes the states that follow in the log and are
/// not earlier by the clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Since {
    /// No state has ended it.
    #[default]
    Playing,
    /// A stall interrupted it. The viewer may pause during the stall.
    Stalled,
    /// It has ended. Waiting for media is not a stall until the player plays again.
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

/// A state at a time of the clock, and the record that reported it.
#[derive(Clone, Copy, Debug)]
struct Entry {
    at: Timestamp,
    assertion: Assertion,
    /// Its position in the log. Of two states at the same time, the one with the greater position is later.
    nth: u32,
    state: State,
    /// The period that a playing state began.
    since: Since,
}

/// The states that may become the latest when others expire. There is rarely more than one. They are in log order,
/// which is also the reverse order of the clock. Therefore the time for a flood of ever earlier states is not
/// quadratic.
#[derive(Debug, Default)]
struct Entries(Vec<Entry>);

/// The states on one clock, by kind.
#[derive(Debug, Default)]
pub(crate) struct Timeline {
    kinds: [Entries; Kind::COUNT],
    stated: u32,
}

/// The states in effect: the latest of each kind, by the clock and then by the log.
#[derive(Clone, Copy, Default)]
struct Latest([Option<Entry>; Kind::COUNT]);

impl Latest {
    fn of(&self, kind: Kind) -> Option<(Timestamp, u32)> {
        self.0[kind as usize].map(|entry| (entry.at, entry.nth))
    }

    /// Returns the time and the state of the latest entry of all kinds.
    fn of_all(&self) -> Option<(Timestamp, State)> {
        let latest = self.0.iter().flatten().max_by_key(|entry| (entry.at, entry.nth));
        latest.map(|entry| (entry.at, entry.state))
    }

    /// Returns true if a seek came after it last played.
    fn seeks(&self) -> bool {
        self.of(Kind::Playing).is_some_and(|played| self.of(Kind::Seeking) > Some(played))
    }

    /// Returns the period since the last playing state. It is absent if nothing has played, or if a seek came after it.
    fn since_played(&self) -> Option<Since> {
        let played = self.0[Kind::Playing as usize]?;
        (self.of(Kind::Seeking) < Some((played.at, played.nth))).then_some(played.since)
    }

    /// Returns the time from the latest entry until `at`, without the part that is already counted, and up to `most`.
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

/// The effects of a new state on the time before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) playing_ms: u32,
    pub(crate) stalled_ms: u32,
    pub(crate) seeking_ms: u32,
    /// The playing or stalled time before rounding.
    pub(crate) credited: Span,
    /// True if a stall begins.
    pub(crate) stall: bool,
    /// True if a seek begins.
    pub(crate) seek: bool,
}

/// The unit to which timestamps are rounded before they are subtracted, so that the differences add up
/// (docs/internals/cmcd.md, "States to time").
const UNIT: Span = Span::from_millis(100);

impl Timeline {
    /// Returns the effects of a state at this time. The time up to `counted` is already counted. At most `most` is
    /// added.
    pub(crate) fn step(
        &self,
        state: State,
        at: Timestamp,
        counted: Option<Timestamp>,
        most: Span,
        now: &Now,
    ) -> Step {
        let latest = self.latest(now);
        // Several seeks without playback in between are one. Players send reports in parallel requests, so the state after
        // a seek may arrive before the seek.
        let seek = Kind::of(state) == Kind::Seeking
            && latest.of(Kind::Playing).is_some_and(|(played, _)| played <= at)
            && !latest.seeks();
        if latest.of_all().is_none_or(|(from, _)| at < from) {
            return Step { seek, ..Step::default() };
        }
        Step {
            // Waiting is a stall only if it interrupts playback. The stall continues until the player plays again.
            stall: Kind::of(state) == Kind::Stalled
                && latest.since_played() == Some(Since::Playing)
                && latest.of(Kind::Stalled) < latest.of(Kind::Playing),
            seek,
            ..latest.until(at, counted, most, now)
        }
    }

    /// Returns the time until `at`, for a beacon that does not report a state.
    pub(crate) fn continue_until(&self, at: Timestamp, counted: Option<Timestamp>, now: &Now) -> Step {
        self.latest(now).until(at, counted, Span::MAX, now)
    }

    /// Returns the latest time with a known state.
    pub(crate) fn reaches(&self, now: &Now) -> Option<Timestamp> {
        self.latest(now).of_all().map(|(at, _)| at)
    }

    /// Records a state.
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
    /// The number of latest entries whose period is updated. More would make the time for a flood quadratic.
    const LEARNING: usize = 8;

    /// Updates the periods of playing states that are not later by the clock. A replay reads the last of them, and does
    /// the same.
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
        // An entry that is not later in the log and not later by the clock can never become the latest again.
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

/// The distance between the other clock and the record clock. It is the shortest delay of a report in effect.
#[derive(Debug, Default)]
pub(crate) struct Distance(Entries);

impl Distance {
    /// An offset that is greater than all times (2^53 ms), so that no difference is negative.
    const ZERO: Span = Span::from_millis(1 << 54);

    /// Records a report of the time `at` on the other clock.
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

    /// Returns the time of the other clock at this record timestamp.
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
