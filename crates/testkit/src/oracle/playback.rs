//! Computes the amounts that a beacon adds, such as playing time, from the CMCD states and totals of its session. All
//! reports of the session are kept, and read again for each beacon. A report that has not expired is called *live*.
//!
//! Events and requests have different clocks. An event contains the time at which it occurred, by the player's clock. A
//! request usually contains no time, so its time is the timestamp of its record.

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
    pub(super) switches_up: u64,
    pub(super) switches_down: u64,
    pub(super) seeks: u64,
    pub(super) seeking_ms: u64,
    /// The time from a reported start to the first frame after it, if it was measured.
    pub(super) startup_ms: Option<u64>,
    /// For an event: the live bitrate that an earlier event reported, rounded to two digits.
    pub(super) bitrate_kbps: Option<u64>,
    /// True if an event has reported a start.
    pub(super) start_known: bool,
    /// True if a request has reported a start, and a later request has reported a pause or a seek before any request
    /// reported playing.
    pub(super) start_interrupted: bool,
    /// The playing, stalled or seeking time, before it is rounded.
    credited: Millis,
    /// The jitter. If the delay of this event is shorter than the delays of all earlier events by at most a second, the
    /// jitter is the difference. Otherwise it is 0.
    jitter: Millis,
}

/// A CMCD state that a beacon reported.
#[derive(Clone, Copy)]
struct StateReport {
    asserted_at: Millis,
    at: Millis,
    state: char,
    event: bool,
    batched: bool,
    changed: bool,
    /// The time that the beacon added to its session summary.
    credited: Millis,
    /// The jitter of the event, as in [`Amounts`].
    jitter: Millis,
    /// The index of the report in the log.
    nth: usize,
}

impl StateReport {
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

/// All CMCD reports of a session, in log order.
#[derive(Default)]
pub(super) struct Playback {
    reports: Vec<StateReport>,
    /// The cumulative values. Each element contains the key, the value, true if an event contained it, and the
    /// timestamp of the record.
    totals: Vec<(&'static str, u64, bool, Millis)>,
    /// The bitrates in events, and the timestamps of their records.
    bitrates: Vec<(u64, Millis)>,
    /// The error codes. Each element contains the codes of a record, true if the record is an event, and its timestamp.
    codes: Vec<(Vec<String>, bool, Millis)>,
}

impl Playback {
    /// Returns the amounts that a beacon adds if its record has the timestamp `now`. `holds(t)` returns true if a
    /// report in a record with the timestamp `t` is live. A report expires after `idle`.
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
                switches_up: beacon.switches_up,
                switches_down: beacon.switches_down,
                seeks: beacon.seeks,
                seeking_ms: beacon.seeking_ms,
                ..Amounts::default()
            };
        };
        let last = |of: &dyn Fn(&StateReport) -> bool| {
            let last = self.reports.iter().rfind(|report| of(report));
            last.filter(|report| holds(Some(report.asserted_at))).copied()
        };
        // The growth of a cumulative value since the last live value in events or the last live value in requests,
        // whichever is greater.
        let grown = |key: &str| {
            let last = |of_events: bool| {
                let last = self.totals.iter().rfind(|(of, _, event, _)| *of == key && *event == of_events);
                last.filter(|(.., asserted_at)| holds(Some(*asserted_at))).map(|(_, total, ..)| *total)
            };
            let before = last(true).max(last(false));
            before.zip(cmcd.totals.get(key)).map_or(0, |(before, total)| total.saturating_sub(before))
        };
        let held: Vec<_> =
            self.reports.iter().filter(|report| holds(Some(report.asserted_at))).copied().collect();
        let last_bitrate = self.bitrates.last().filter(|(_, asserted_at)| holds(Some(*asserted_at)));
        let bitrates = cmcd.bitrate.filter(|_| cmcd.event).zip(last_bitrate.map(|(rate, _)| *rate));
        let is_other_bitrate = bitrates.is_some_and(|(new, last)| new != last);
        let switches = u64::from(cmcd.bitrate_changed && had_played && is_other_bitrate);
        let is_start = |report: &StateReport| report.event && report.changed && report.state == 's';
        let start = last(&is_start);
        let asked_start = last(&|report| !report.event && report.state == 's');
        let mut amounts = Amounts {
            dropped_frames: grown("dfa"),
            switches,
            switches_up: if bitrates.is_some_and(|(new, last)| new > last) { switches } else { 0 },
            switches_down: if bitrates.is_some_and(|(new, last)| new < last) { switches } else { 0 },
            bitrate_kbps: last_bitrate.filter(|_| cmcd.event).map(|(rate, _)| two_digits(*rate)),
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
        let new = StateReport::of(beacon.ts, cmcd, state, now);
        if new.event && state == 'p' {
            let began = last(&|report| report.event && report.state == 'p');
            let is_first = !self.after(true, is_start).iter().any(|report| report.state == 'p')
                && !self.is_interrupted(true, is_start);
            let start = start.filter(|start| is_first && began.is_none_or(|began| start.at >= began.at));
            let took = start.and_then(|start| new.at.checked_sub(start.at)).filter(|took| *took <= idle);
            amounts.startup_ms = took.map(two_digits);
        }
        let mut most = Millis::MAX;
        if new.event {
            (most, amounts.jitter) = self.allowance(new, idle, &holds);
        }
        credit(&held, &self.reports, new, idle, most, &mut amounts);
        amounts
    }

    /// Returns the classes of the new errors in a beacon. An error is not new if the previous record of the same kind
    /// (event or request) has the same code. Consecutive records of one kind with the same code report the same error.
    pub(super) fn new_errors(
        &self,
        beacon: &Beacon,
        holds: impl Fn(Option<Millis>) -> bool,
    ) -> Vec<&'static str> {
        let codes = beacon.cmcd.as_ref().filter(|cmcd| !cmcd.codes.is_empty());
        let Some(cmcd) = codes else { return beacon.error.into_iter().collect() };
        let is_new = |code: &&String| self.is_new_code(cmcd, code, &holds);
        cmcd.codes.iter().filter(is_new).map(|code| class(code)).collect()
    }

    /// Returns true if the first error code of a beacon is new. A code in a JSON beacon is always new.
    pub(super) fn has_new_code(&self, beacon: &Beacon, holds: impl Fn(Option<Millis>) -> bool) -> bool {
        let Some(cmcd) = &beacon.cmcd else { return true };
        cmcd.codes.first().is_some_and(|code| self.is_new_code(cmcd, code, &holds))
    }

    fn is_new_code(&self, cmcd: &Cmcd, code: &String, holds: &impl Fn(Option<Millis>) -> bool) -> bool {
        let records = self.codes.iter().rev().filter(|(_, event, _)| *event == cmcd.event);
        let repeated =
            records.take_while(|(codes, ..)| codes.contains(code)).map(|(.., asserted_at)| *asserted_at);
        !holds(repeated.max())
    }

    /// Returns the reports of one kind (events or requests) after the last report for which `matches` returns true.
    fn after(&self, event: bool, matches: impl Fn(&StateReport) -> bool) -> Vec<&StateReport> {
        let of_clock: Vec<_> = self.reports.iter().filter(|report| report.event == event).collect();
        let from = of_clock.iter().rposition(|report| matches(report)).map_or(0, |at| at + 1);
        of_clock[from..].to_vec()
    }

    /// Returns true if the reports of one kind contain a pause or a seek between the last start and the next state `p`.
    fn is_interrupted(&self, event: bool, is_start: impl Fn(&StateReport) -> bool) -> bool {
        let after = self.after(event, is_start);
        let before_play = after.iter().take_while(|report| report.state != 'p');
        before_play.filter(|report| matches!(report.state, 'a' | 'k')).count() > 0
    }

    /// Returns the maximum time that an event may add, and the jitter that is included in it. The maximum is the time
    /// since the record of the previous event, plus the delay of that event, minus the time that earlier events of the
    /// same record have added.
    ///
    /// If the delay of this event is shorter than the delays of all earlier events by up to a second, the difference is
    /// the jitter. The event may add the jitter too.
    fn allowance(
        &self,
        new: StateReport,
        idle: Millis,
        holds: &impl Fn(Option<Millis>) -> bool,
    ) -> (Millis, Millis) {
        let events = || self.reports.iter().filter(|report| report.event);
        let latest = events().map(|event| event.asserted_at).max();
        if latest.is_some_and(|latest| latest > new.asserted_at) {
            return (0, 0);
        }
        let delay = |event: &StateReport| i128::from(event.asserted_at) - i128::from(event.at);
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

    /// Stores the reports of a beacon in a record with the timestamp `now`, together with the amounts that the beacon
    /// added.
    pub(super) fn observe(&mut self, beacon: &Beacon, now: Millis, amounts: &Amounts) {
        let Some(cmcd) = &beacon.cmcd else { return };
        self.totals.extend(cmcd.totals.iter().map(|(key, total)| (*key, *total, cmcd.event, now)));
        self.bitrates.extend(cmcd.bitrate.filter(|_| cmcd.event).map(|bitrate| (bitrate, now)));
        self.codes.push((cmcd.codes.clone(), cmcd.event, now));
        let Amounts { credited, jitter, .. } = *amounts;
        let nth = self.reports.len();
        let report =
            |state| StateReport { credited, jitter, nth, ..StateReport::of(beacon.ts, cmcd, state, now) };
        self.reports.extend(cmcd.state.map(report));
    }
}

/// Attributes the time between the previous report and a new report to the state in the previous report. The time is at
/// most `most`.
fn credit(
    held: &[StateReport],
    log: &[StateReport],
    new: StateReport,
    idle: Millis,
    most: Millis,
    amounts: &mut Amounts,
) {
    let events = || held.iter().filter(|report| report.event);
    let requests = || held.iter().filter(|report| !report.event);
    // The times of requests are used only if no event of the session is live.
    let has_events = !new.event && events().count() > 0;
    let mut clock: Vec<_> = if new.event || has_events { events().collect() } else { requests().collect() };
    // The sort is stable. Therefore, among reports with equal times, the last report in the log is the last one here.
    clock.sort_by_key(|report| report.at);
    let Some(before) = clock.last() else { return };
    let others = || events().filter(|report| !new.event || report.asserted_at != new.asserted_at);
    let mut at = i128::from(new.at);
    let mut from = i128::from(before.at);
    if new.event && others().count() == 0 {
        let counted = requests().map(|report| i128::from(report.at)).max();
        if counted.is_some_and(|counted| at <= counted) {
            return;
        }
        from = from.max(counted.unwrap_or(from));
    } else if new.event || has_events {
        // The time by which the broker's clock is ahead of the player's clock is at most the shortest delay of an
        // event.
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
    let played = clock.iter().rposition(|report| report.state == 'p');
    let is_first = |played: usize| clock[played..].iter().all(|report| report.state != 'k');
    let begins = played.is_some_and(|played| clock[played].at <= new.at && is_first(played));
    amounts.seeks = u64::from(!has_events && new.state == 'k' && begins);
    if !has_events && new.at < before.at {
        return;
    }
    let (mut plays, mut waits, mut seeks) = (false, false, false);
    for report in &clock {
        match report.state {
            'p' => (plays, waits, seeks) = (true, false, false),
            'k' => (plays, seeks) = (false, plays || seeks),
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
    } else if seeks && (before.state == 'k' || is_waiting(before.state)) {
        amounts.seeking_ms = rounded;
        amounts.credited = time;
    }
}

/// Returns the kind of states that followed the latest live state `p` in the reports of one kind. The result is `p` if
/// no other state followed, `r` if only a stall (and pauses in it) followed, and `x` otherwise. Reports whose time is
/// before that of `p` are ignored. Returns `None` if no `p` is live.
fn ended(held: &[StateReport], log: &[StateReport], event: bool) -> Option<char> {
    let of_clock = |report: &&StateReport| report.event == event && report.state == 'p';
    // Among reports with equal times, the last one in the log is used.
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
