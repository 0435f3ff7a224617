//! What a session's states and totals come to. All that it ever stated is kept, and gone through for each beacon.

use super::Millis;
use super::beacon::Beacon;
use super::cmcd::Cmcd;
use super::numbers::{to_100_ms, two_digits};

/// What a beacon adds to its sitting.
#[derive(Clone, Copy, Default)]
pub(super) struct Amounts {
    pub(super) playing_ms: u64,
    pub(super) stalled_ms: u64,
    pub(super) stalls: u64,
    pub(super) dropped_frames: u64,
    pub(super) switches: u64,
    /// A fatal error that counts.
    pub(super) failure: bool,
    /// The time from a start that was stated to a first frame that was not known.
    pub(super) startup_ms: Option<u64>,
    /// A start was stated.
    pub(super) start_known: bool,
}

/// A state that was stated.
#[derive(Clone, Copy)]
struct Statement {
    said: Millis,
    at: Millis,
    state: char,
    event: bool,
    batched: bool,
    changed: bool,
}

impl Statement {
    fn of(at: Millis, cmcd: &Cmcd, state: char, now: Millis) -> Self {
        Self { said: now, at, state, event: cmcd.event, batched: cmcd.batched, changed: cmcd.changed }
    }
}

/// All that a session stated by CMCD, in log order.
#[derive(Default)]
pub(super) struct Playback {
    statements: Vec<Statement>,
    totals: Vec<(&'static str, u64, Millis)>,
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
                failure: beacon.fatal && beacon.error.is_some(),
                ..Amounts::default()
            };
        };
        let last = |of: &dyn Fn(&Statement) -> bool| {
            let last = self.statements.iter().rfind(|statement| of(statement));
            last.filter(|statement| holds(Some(statement.said))).copied()
        };
        let grown = |key: &str| {
            let last = self.totals.iter().rfind(|(of, ..)| *of == key);
            match (last, cmcd.totals.get(key)) {
                (Some((_, before, said)), Some(total)) if holds(Some(*said)) => total.saturating_sub(*before),
                _ => 0,
            }
        };
        let held: Vec<_> =
            self.statements.iter().filter(|statement| holds(Some(statement.said))).copied().collect();
        let start = last(&|statement| statement.event && statement.changed && statement.state == 's');
        let began = last(&|statement| statement.event && statement.state == 'p');
        let mut amounts = Amounts {
            dropped_frames: grown("dfa"),
            switches: u64::from(cmcd.bitrate_changed && had_played),
            failure: beacon.fatal && last(&|statement| statement.state == 'f').is_none(),
            start_known: start.is_some(),
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
        if new.event && state == 'p' && began.is_none() {
            let took = start.and_then(|start| new.at.checked_sub(start.at)).filter(|took| *took <= idle);
            amounts.startup_ms = took.map(two_digits);
        }
        credit(&held, new, idle, &mut amounts);
        amounts
    }

    /// Takes down what a beacon of a record at `now` states.
    pub(super) fn hear(&mut self, beacon: &Beacon, now: Millis) {
        let Some(cmcd) = &beacon.cmcd else { return };
        self.totals.extend(cmcd.totals.iter().map(|(key, total)| (*key, *total, now)));
        self.statements.extend(cmcd.state.map(|state| Statement::of(beacon.ts, cmcd, state, now)));
    }
}

/// The time before a new statement, to the state before it.
fn credit(held: &[Statement], new: Statement, idle: Millis, amounts: &mut Amounts) {
    let events = || held.iter().filter(|statement| statement.event);
    let requests = || held.iter().filter(|statement| !statement.event);
    // what requests say themselves counts where no event holds
    let is_heard = !new.event && events().count() > 0;
    let mut clock: Vec<_> = if new.event || is_heard { events().collect() } else { requests().collect() };
    // stable: among equals the last of the log comes last
    clock.sort_by_key(|statement| statement.at);
    let Some(before) = clock.last() else { return };
    let others = || events().filter(|statement| !new.event || statement.said != new.said);
    let mut at = i128::from(new.at);
    let mut from = i128::from(before.at);
    if new.event && others().count() == 0 {
        let counted = requests().map(|statement| i128::from(statement.at)).max();
        if counted.is_some_and(|counted| at <= counted) {
            return;
        }
        from = from.max(counted.unwrap_or(from));
    } else if new.event || is_heard {
        // the two clocks are as far apart as for the event that came soonest
        let of_new = Some(&new).filter(|new| new.event);
        let delays = events().chain(of_new).map(|event| i128::from(event.said) - i128::from(event.at));
        let distance = delays.min().unwrap_or(0);
        let is_batched = others().any(|event| event.batched);
        if is_heard {
            if is_batched {
                return;
            }
            at = i128::from(new.said) - distance;
        }
        let heard = requests().map(|request| i128::from(request.said) - distance).max();
        from = from.max(heard.filter(|_| !is_batched).unwrap_or(from));
    }
    if !is_heard && new.at < before.at {
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
    let is_waiting = |state| matches!(state, 'r' | 'w');
    amounts.stalls = u64::from(!is_heard && is_waiting(new.state) && plays && !waits);
    let units = |moment: i128| u64::try_from(moment).map_or(0, to_100_ms);
    let time = units(at).saturating_sub(units(from)).min(idle / 100 * 100);
    if before.state == 'p' {
        amounts.playing_ms = time;
    } else if is_waiting(before.state) && plays {
        amounts.stalled_ms = time;
    }
}
