//! What a session's states and totals come to. All that it ever stated is kept, and gone through for each beacon.

use super::Millis;
use super::beacon::Beacon;
use super::cmcd::{Cmcd, class};
use super::numbers::{to_100_ms, two_digits};

/// The amounts that a beacon adds to its session summary.
#[derive(Clone, Copy, Default)]
pub(super) struct Amounts {
    pub(super) playing_ms: u64,
    pub(super) stalled_ms: u64,
    pub(super) stalls: u64,
    pub(super) dropped_frames: u64,
    pub(super) switches: u64,
    /// The time from a start that was stated to a first frame that was not known.
    pub(super) startup_ms: Option<u64>,
    /// An event stated a start.
    pub(super) start_known: bool,
    /// A request stated a start, and a pause or a seek after it, before anything played.
    pub(super) start_interrupted: bool,
    /// Playing and stalled time by the clock, before it was rounded.
    credited: Millis,
    /// The time by which an event came sooner than all events before it, if that may be jitter.
    jitter: Millis,
}

/// A state that was stated.
#[derive(Clone, Copy)]
struct Statement {
    asserted_at: Millis,
    at: Millis,
    state: char,
    event: bool,
    batched: bool,
    changed: bool,
    /// The time that it added.
    credited: Millis,
    /// The time by which it came sooner than all before it, if that may be jitter.
    jitter: Millis,
    /// Its place in the log.
    nth: usize,
}

impl Statement {
    fn of(at: Millis, cmcd: &Cmcd, state: char, now: Millis) -> Self {
        Self {
            asserted_at: now,
            at,
            state,
            event: cmcd.event,
            batched: cmcd.batched,
            changed: cmcd.changed,
            credited: 0,
            jitter: 0,
            nth: 0,
        }
    }
}

/// All that a session stated by CMCD, in log order.
#[derive(Default)]
pub(super) struct Playback {
    statements: Vec<Statement>,
    /// Each with whether it was an event.
    totals: Vec<(&'static str, u64, bool, Millis)>,
    /// Of events.
    bitrates: Vec<(u64, Millis)>,
    /// The error codes of every record, and whether it was an event.
    codes: Vec<(Vec<String>, bool, Millis)>,
}

impl Playback {
    /// What a beacon of a record at `now` adds. `holds` says what is still true of what was said at a time; `idle` is
    /// for how long that is.
    pub(super) fn amounts(
        &self,
        beacon: &Beacon,
        now: Millis,
        idle: Millis,
        had_played: bool,
        holds: impl Fn(Option<Millis>) -> bool,
    ) -> Amounts {
        let Some(cmcd) = &beacon.cmcd else {
            return Amounts {
                playing_ms: beacon.playing_ms,
                stalled_ms: beacon.stalled_ms,
                stalls: beacon.stalls,
                dropped_frames: beacon.dropped_frames,
                switches: beacon.switches,
                ..Amounts::default()
            };
        };
        let last = |of: &dyn Fn(&Statement) -> bool| {
            let last = self.statements.iter().rfind(|statement| of(statement));
            last.filter(|statement| holds(Some(statement.asserted_at))).copied()
        };
        // the greater one of the last totals of events and of requests
        let grown = |key: &str| {
            let last = |of_events: bool| {
                let last = self.totals.iter().rfind(|(of, _, event, _)| *of == key && *event == of_events);
                last.filter(|(.., asserted_at)| holds(Some(*asserted_at))).map(|(_, total, ..)| *total)
            };
            let before = last(true).max(last(false));
            before.zip(cmcd.totals.get(key)).map_or(0, |(before, total)| total.saturating_sub(before))
        };
        let held: Vec<_> =
            self.statements.iter().filter(|statement| holds(Some(statement.asserted_at))).copied().collect();
        let last_bitrate = self.bitrates.last().filter(|(_, asserted_at)| holds(Some(*asserted_at)));
        let is_same_bitrate =
            cmcd.event && cmcd.bitrate.is_some() && last_bitrate.map(|(rate, _)| *rate) == cmcd.bitrate;
        let is_start = |statement: &Statement| statement.event && statement.changed && statement.state == 's';
        let start = last(&is_start);
        let asked_start = last(&|statement| !statement.event && statement.state == 's');
        let mut amounts = Amounts {
            dropped_frames: grown("dfa"),
            switches: u64::from(cmcd.bitrate_changed && had_played && !is_same_bitrate),
            start_known: start.is_some(),
            start_interrupted: asked_start.is_some() && self.is_interrupted(false, |s| s.state == 's'),
            ..Amounts::default()
        };
        let Some(state) = cmcd.state else {
            if held.is_empty() {
                amounts.stalls = grown("bsa");
                amounts.stalled_ms = to_100_ms(grown("bsda"));
            }
            return amounts;
        };
        let new = Statement::of(beacon.ts, cmcd, state, now);
        if new.event && state == 'p' {
            let began = last(&|statement| statement.event && statement.state == 'p');
            let is_first = !self.after(true, is_start).iter().any(|statement| statement.state == 'p')
                && !self.is_interrupted(true, is_start);
            let start = start.filter(|start| is_first && began.is_none_or(|began| start.at >= began.at));
            let took = start.and_then(|start| new.at.checked_sub(start.at)).filter(|took| *took <= idle);
            amounts.startup_ms = took.map(two_digits);
        }
        let mut most = Millis::MAX;
        if new.event {
            (most, amounts.jitter) = self.allowance(new, idle, &holds);
        }
        credit(&held, &self.statements, new, idle, most, &mut amounts);
        amounts
    }

    /// The classes of the errors that a beacon reports and that are new: not among the codes of the records of the same
    /// way before it, without one in between that lacks them.
    pub(super) fn new_errors(
        &self,
        beacon: &Beacon,
        holds: impl Fn(Option<Millis>) -> bool,
    ) -> Vec<&'static str> {
        let codes = beacon.cmcd.as_ref().filter(|cmcd| !cmcd.codes.is_empty());
        let Some(cmcd) = codes else { return beacon.error.into_iter().collect() };
        let is_new = |code: &&String| {
            let records = self.codes.iter().rev().filter(|(_, event, _)| *event == cmcd.event);
            let repeated =
                records.take_while(|(codes, ..)| codes.contains(code)).map(|(.., asserted_at)| *asserted_at);
            !holds(repeated.max())
        };
        cmcd.codes.iter().filter(is_new).map(|code| class(code)).collect()
    }

    /// The statements of one clock that came after the last one that is such.
    fn after(&self, event: bool, is_such: impl Fn(&Statement) -> bool) -> Vec<&Statement> {
        let of_clock: Vec<_> = self.statements.iter().filter(|statement| statement.event == event).collect();
        let from = of_clock.iter().rposition(|statement| is_such(statement)).map_or(0, |at| at + 1);
        of_clock[from..].to_vec()
    }

    /// Returns whether a pause or a seek came after the last start on that clock, before anything played.
    fn is_interrupted(&self, event: bool, is_start: impl Fn(&Statement) -> bool) -> bool {
        let after = self.after(event, is_start);
        let before_play = after.iter().take_while(|statement| statement.state != 'p');
        before_play.filter(|statement| matches!(statement.state, 'a' | 'k')).count() > 0
    }

    /// The most that an event may add: the time since the record of events before its own, and the delay of that one;
    /// less what the events before it in its own record have added.
    /// The second number is the jitter in it: what comes up to a second sooner than all before adds that.
    fn allowance(
        &self,
        new: Statement,
        idle: Millis,
        holds: &impl Fn(Option<Millis>) -> bool,
    ) -> (Millis, Millis) {
        let events = || self.statements.iter().filter(|statement| statement.event);
        let latest = events().map(|event| event.asserted_at).max();
        if latest.is_some_and(|latest| latest > new.asserted_at) {
            return (0, 0);
        }
        let delay = |event: &Statement| i128::from(event.asserted_at) - i128::from(event.at);
        let soonest = events().filter(|event| holds(Some(event.asserted_at))).map(delay).min();
        let jitter = soonest.map_or(0, |soonest| soonest - delay(&new));
        let jitter = if (0..=1_000).contains(&jitter) { jitter as Millis } else { 0 };
        let at = events().position(|event| event.asserted_at == new.asserted_at);
        let earlier: Vec<_> = events().take(at.unwrap_or(usize::MAX)).collect();
        let own = || events().filter(|event| event.asserted_at == new.asserted_at);
        let spent: Millis = own().map(|event| event.credited).sum();
        let jitters: Millis = own().map(|event| event.jitter).sum();
        let left = |most: Millis| ((most + jitters + jitter).saturating_sub(spent), jitter);
        let before = earlier
            .iter()
            .map(|event| event.asserted_at)
            .max()
            .filter(|asserted_at| holds(Some(*asserted_at)));
        let Some(before) = before else { return left(idle) };
        let least =
            earlier.iter().filter(|event| holds(Some(event.asserted_at))).map(|event| delay(event)).min();
        let its = earlier.iter().filter(|event| event.asserted_at == before).map(|event| delay(event)).min();
        let delay = its.zip(least).map_or(0, |(its, least)| its - least);
        left(new.asserted_at - before + u64::try_from(delay).unwrap_or(0))
    }

    /// Takes down what a beacon of a record at `now` states, and what it added.
    pub(super) fn observe(&mut self, beacon: &Beacon, now: Millis, amounts: &Amounts) {
        let Some(cmcd) = &beacon.cmcd else { return };
        self.totals.extend(cmcd.totals.iter().map(|(key, total)| (*key, *total, cmcd.event, now)));
        self.bitrates.extend(cmcd.bitrate.filter(|_| cmcd.event).map(|bitrate| (bitrate, now)));
        self.codes.push((cmcd.codes.clone(), cmcd.event, now));
        let Amounts { credited, jitter, .. } = *amounts;
        let nth = self.statements.len();
        let statement =
            |state| Statement { credited, jitter, nth, ..Statement::of(beacon.ts, cmcd, state, now) };
        self.statements.extend(cmcd.state.map(statement));
    }
}

/// The time before a new statement, to the state before it, and no more than `most`.
fn credit(
    held: &[Statement],
    log: &[Statement],
    new: Statement,
    idle: Millis,
    most: Millis,
    amounts: &mut Amounts,
) {
    let events = || held.iter().filter(|statement| statement.event);
    let requests = || held.iter().filter(|statement| !statement.event);
    // what requests say themselves counts where no event holds
    let has_events = !new.event && events().count() > 0;
    let mut clock: Vec<_> = if new.event || has_events { events().collect() } else { requests().collect() };
    // stable: among equals the last of the log comes last
    clock.sort_by_key(|statement| statement.at);
    let Some(before) = clock.last() else { return };
    let others = || events().filter(|statement| !new.event || statement.asserted_at != new.asserted_at);
    let mut at = i128::from(new.at);
    let mut from = i128::from(before.at);
    if new.event && others().count() == 0 {
        let counted = requests().map(|statement| i128::from(statement.at)).max();
        if counted.is_some_and(|counted| at <= counted) {
            return;
        }
        from = from.max(counted.unwrap_or(from));
    } else if new.event || has_events {
        // the two clocks are as far apart as for the event that came soonest
        let of_new = Some(&new).filter(|new| new.event);
        let delays = events().chain(of_new).map(|event| i128::from(event.asserted_at) - i128::from(event.at));
        let distance = delays.min().unwrap_or(0);
        let is_batched = others().any(|event| event.batched);
        if has_events {
            if is_batched {
                return;
            }
            at = i128::from(new.asserted_at) - distance;
        }
        let requested = requests().map(|request| i128::from(request.asserted_at) - distance).max();
        from = from.max(requested.filter(|_| !is_batched).unwrap_or(from));
    }
    if !has_events && new.at < before.at {
        return;
    }
    let (mut plays, mut waits) = (false, false);
    for statement in &clock {
        match statement.state {
            'p' => (plays, waits) = (true, false),
            'k' => plays = false,
            'r' | 'w' => waits |= plays,
            _ => {}
        }
    }
    let ended = ended(held, log, new.event || has_events);
    let is_waiting = |state| matches!(state, 'r' | 'w');
    amounts.stalls = u64::from(!has_events && is_waiting(new.state) && plays && !waits && ended == Some('p'));
    let units = |moment: i128| u64::try_from(moment).map_or(0, to_100_ms);
    let time = u64::try_from(at - from).unwrap_or(0).min(most);
    let rounded = units(from + i128::from(time)).saturating_sub(units(from)).min(idle / 100 * 100);
    if before.state == 'p' {
        amounts.playing_ms = rounded;
        amounts.credited = time;
    } else if is_waiting(before.state) && plays && ended != Some('x') {
        amounts.stalled_ms = rounded;
        amounts.credited = time;
    }
}

/// Returns the kind of what came, in the log, after the latest `p` of a clock that holds, and is not earlier by the clock: `p` for nothing,
/// `r` for a stall (and pauses in it), `x` for anything else.
fn ended(held: &[Statement], log: &[Statement], event: bool) -> Option<char> {
    let of_clock = |statement: &&Statement| statement.event == event && statement.state == 'p';
    // of two at one moment the later of the log
    let played = held.iter().filter(of_clock).max_by_key(|played| (played.at, played.nth))?;
    let mut ended = 'p';
    for later in log.iter().filter(|later| later.event == event && later.nth > played.nth) {
        if later.at >= played.at {
            ended = match (ended, later.state) {
                (_, 'p') => 'p',
                ('p' | 'r', 'r' | 'w') | ('r', 'a') => 'r',
                _ => 'x',
            };
        }
    }
    Some(ended)
}
