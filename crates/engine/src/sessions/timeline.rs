//! The player states that a session reported, in the order of one clock.
//!
//! Records arrive out of order, because a player sends events in batches, and reports a response with the time at which
//! its request began. The current state is the state with the latest time on the clock, among the states that have not
//! expired. It is not sufficient to store only this state. When it expires, the state before it must become the current
//! one again, because a replay that starts at this point knows only the state before it.

use crowdfold_airlock::State;
use crowdfold_model::{Span, Timestamp};

use crate::sessions::session::{Assertion, Now};

/// The effect of a state on the time that follows it.
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

/// The condition of a period of playback. The period begins when the player reports that it plays. It is updated by
/// each state that follows in the log and whose time on the clock is not earlier.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Since {
    /// The player still plays.
    #[default]
    Playing,
    /// The player has stalled. If the viewer pauses during the stall, the stall continues.
    Stalled,
    /// The period has ended. Waiting for media is not a stall until the player plays again.
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

/// A state, its time on the clock, and the record that reported it.
#[derive(Clone, Copy, Debug)]
struct Entry {
    at: Timestamp,
    assertion: Assertion,
    /// The position of the state in the order of the log. Of two states with the same time, the one with the higher
    /// position is later.
    nth: u32,
    state: State,
    /// The period that began with this state, if the state is `Playing`.
    since: Since,
}

/// The states that are the latest one, or become the latest one when other states expire. There is rarely more than
/// one. They are in the order of the log, and in the reverse order of the clock. This order keeps the time linear if
/// many states arrive, each with an earlier time than the one before.
#[derive(Debug, Default)]
struct Entries(Vec<Entry>);

/// All states on one clock, with a separate list for each kind.
#[derive(Debug, Default)]
pub(crate) struct Timeline {
    kinds: [Entries; Kind::COUNT],
    /// The number of states that were recorded.
    recorded: u32,
}

/// The latest unexpired state of each kind. The latest state has the latest time on the clock, and among equal times
/// the last position in the log.
#[derive(Clone, Copy, Default)]
struct Latest([Option<Entry>; Kind::COUNT]);

impl Latest {
    fn of(&self, kind: Kind) -> Option<(Timestamp, u32)> {
        self.0[kind as usize].map(|entry| (entry.at, entry.nth))
    }

    /// Returns the time and the state of the latest entry of any kind, or `None` if there are no states.
    fn of_all(&self) -> Option<(Timestamp, State)> {
        let latest = self.0.iter().flatten().max_by_key(|entry| (entry.at, entry.nth));
        latest.map(|entry| (entry.at, entry.state))
    }

    /// Returns true if the player has begun to seek since the last playing state.
    fn seeks(&self) -> bool {
        self.of(Kind::Playing).is_some_and(|played| self.of(Kind::Seeking) > Some(played))
    }

    /// Returns the period that began with the last playing state. Returns `None` if the player has not played, or if it
    /// has begun to seek since that state.
    fn since_played(&self) -> Option<Since> {
        let played = self.0[Kind::Playing as usize]?;
        (self.of(Kind::Seeking) < Some((played.at, played.nth))).then_some(played.since)
    }

    /// Returns the time from the latest state until `at`. This time is attributed to the latest state. The time before
    /// `counted` is excluded, and the rest is limited to `most`.
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

/// The amounts that follow from a new state and from the states before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) playing_ms: u32,
    pub(crate) stalled_ms: u32,
    pub(crate) seeking_ms: u32,
    /// The time that is attributed to the previous state, without rounding.
    pub(crate) credited: Span,
    /// True if a stall begins with the new state.
    pub(crate) stall: bool,
    /// True if a seek begins with the new state.
    pub(crate) seek: bool,
}

/// The unit to which timestamps are rounded before they are subtracted. The sum of several differences is exact,
/// because timestamps are rounded and differences are not (docs/internals/cmcd.md, "States to time").
const UNIT: Span = Span::from_millis(100);

impl Timeline {
    /// Returns the amounts for a new state at time `at`. The time before `counted` has already been counted. The added
    /// time is at most `most`.
    pub(crate) fn step(
        &self,
        state: State,
        at: Timestamp,
        counted: Option<Timestamp>,
        most: Span,
        now: &Now,
    ) -> Step {
        let latest = self.latest(now);
        // Several seeks without playback between them count as one. Reports in parallel requests may arrive in another
        // order, so the report of a seek may arrive after the report of the state that follows the seek.
        let seek = Kind::of(state) == Kind::Seeking
            && latest.of(Kind::Playing).is_some_and(|(played, _)| played <= at)
            && !latest.seeks();
        if latest.of_all().is_none_or(|(from, _)| at < from) {
            return Step { seek, ..Step::default() };
        }
        Step {
            // Waiting is a stall only if it interrupts playback. The stall lasts until the player plays again.
            stall: Kind::of(state) == Kind::Stalled
                && latest.since_played() == Some(Since::Playing)
                && latest.of(Kind::Stalled) < latest.of(Kind::Playing),
            seek,
            ..latest.until(at, counted, most, now)
        }
    }

    /// Returns the amounts up to `at`, for a beacon that shows that the session continues in its last state.
    pub(crate) fn continue_until(&self, at: Timestamp, counted: Option<Timestamp>, now: &Now) -> Step {
        self.latest(now).until(at, counted, Span::MAX, now)
    }

    /// Returns the time of the latest unexpired state, or `None` if there is none.
    pub(crate) fn reaches(&self, now: &Now) -> Option<Timestamp> {
        self.latest(now).of_all().map(|(at, _)| at)
    }

    /// Records a state at time `at`.
    pub(crate) fn add_state(&mut self, state: State, at: Timestamp, assertion: Assertion, now: &Now) {
        self.recorded = self.recorded.wrapping_add(1);
        self.kinds[Kind::Playing as usize].then(state, at);
        let entries = &mut self.kinds[Kind::of(state) as usize];
        #[cfg(feature = "seeded-bugs")]
        if crate::seeded_bugs::is_set(crate::seeded_bugs::SeededBug::LatestStateAlone)
            && entries.0.iter().any(|entry| entry.at > at)
        {
            return;
        }
        entries.add(Entry { at, assertion, nth: self.recorded, state, since: Since::Playing }, now);
    }

    fn latest(&self, now: &Now) -> Latest {
        Latest(self.kinds.each_ref().map(|entries| entries.latest(now).copied()))
    }
}

impl Entries {
    /// The number of entries at the end of the list whose period is updated. Without this limit, many states would take
    /// quadratic time.
    const LEARNING: usize = 8;

    /// Updates the periods of the playing states whose time on the clock is not later than `at`.
    fn then(&mut self, state: State, at: Timestamp) {
        let first = self.0.len().saturating_sub(Self::LEARNING);
        for entry in self.0[first..].iter_mut().filter(|entry| entry.at <= at) {
            entry.since = entry.since.then(state);
        }
    }

    fn latest(&self, now: &Now) -> Option<&Entry> {
        self.0.get(self.0.partition_point(|entry| !entry.assertion.is_valid(now)))
    }

    fn add(&mut self, entry: Entry, now: &Now) {
        let Self(entries) = self;
        let Entry { at, assertion, .. } = entry;
        let sooner = entries.partition_point(|entry| entry.assertion < assertion);
        if entries.get(sooner).is_some_and(|entry| entry.at > at) {
            return;
        }
        // An entry can never become the latest one if another entry is later both in the log and on the clock. Such an
        // entry is removed.
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

/// The difference between the player's clock and the clock of the records. It is determined by the report with the
/// shortest delay among the reports that have not expired.
#[derive(Debug, Default)]
pub(crate) struct Distance(Entries);

impl Distance {
    /// A span that is added so that differences are never negative. It is greater than all times, which are below 2^53
    /// ms.
    const ZERO: Span = Span::from_millis(1 << 54);

    /// Records a report that was sent at the time `at` of the player's clock and has the record timestamp `record`.
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

    /// Returns the time of the player's clock at this record timestamp, or `None` if all reports have expired.
    pub(crate) fn moment(&self, record: Timestamp, now: &Now) -> Option<Timestamp> {
        (self.0.latest(now)?.at + record.since_epoch()).checked_sub(Self::ZERO)
    }
}

/// Returns a time as a number of [`UNIT`]s since the epoch, rounded half up.
fn units(moment: Timestamp) -> u64 {
    (moment + UNIT / 2).since_epoch() / UNIT
}

#[cfg(test)]
mod tests;
