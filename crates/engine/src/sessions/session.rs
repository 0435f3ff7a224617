//! The state of a session between its beacons. This state consists of assertions, which expire.
//!
//! An assertion is one fact that a record reported, such as a first frame. It expires when the idle time-out, `idle`, has
//! passed since the timestamp of this record. No assertion is derived from another assertion, and the assertions of a
//! beacon are stored regardless of its outcome. Therefore a replay restores every unexpired assertion if it begins `idle`
//! before the end of the last closed window (docs/internals/protocol.md, "Session state").

use std::cmp::Ordering;

use crowdfold_airlock::{Identity, Observation, Playback};
use crowdfold_model::{Span, SumMetric, Timestamp, ValueMetric};

use crate::sessions::attempts::{AttemptReport, Counted, InWindow, Line, OtherLines, WindowContext};
use crate::sessions::errors::ErrorClasses;
use crate::sessions::frames::RecentFrames;
use crate::sessions::identities::Identities;
use crate::sessions::tracker::{Tracked, Tracker};

/// The timestamp of the last record that reported a certain fact. If no record reported it, the value is
/// [`Assertion::NEVER`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Assertion(Timestamp);

impl Assertion {
    pub(crate) const NEVER: Self = Self(Timestamp::MAX);

    pub(crate) const fn at(record: Timestamp) -> Self {
        Self(record)
    }

    /// Returns the timestamp of the record, or `None` if the fact was never reported.
    pub(crate) fn record(self) -> Option<Timestamp> {
        (self != Self::NEVER).then_some(self.0)
    }

    /// Returns the later of two assertions. Any assertion is later than [`Assertion::NEVER`].
    pub(crate) fn or_later(self, other: Self) -> Self {
        if self == Self::NEVER || other != Self::NEVER && other > self { other } else { self }
    }

    /// Returns the latest two different assertions among this one and two others. The latest assertion is first. The
    /// two others must be in this order too.
    pub(crate) fn last_two(self, [last, before]: [Self; 2]) -> [Self; 2] {
        if last == Self::NEVER || self > last {
            [self, last]
        } else if self < last && (before == Self::NEVER || self > before) {
            [last, self]
        } else {
            [last, before]
        }
    }

    /// Returns true if the assertion has expired for this beacon and all later ones, so that the assertion can be
    /// removed.
    #[inline]
    pub(crate) fn is_past(self, now: &Now) -> bool {
        self.0 < now.horizon
    }

    /// Returns true if the fact was reported, and the assertion has not expired for the current beacon.
    #[inline]
    pub(crate) fn is_valid(self, now: &Now) -> bool {
        self != Self::NEVER && !self.is_past(now) && now.record.saturating_since(self.0) <= now.idle
    }
}

/// The time of a beacon, for which assertions are evaluated.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now {
    /// The timestamp of the beacon's record.
    pub(crate) record: Timestamp,
    /// The time after which assertions expire.
    pub(crate) idle: Span,
    /// The end of the last closed window minus `idle`. Assertions before this time have expired for all beacons,
    /// because a replay does not read their records. For beacons in open windows, these assertions are also older than
    /// `idle`.
    pub(crate) horizon: Timestamp,
}

/// The last record that reported a value, for each dimension slot. Most beacons of a session report the same
/// dimensions, so the record of the last beacon is stored once for all of its slots.
#[derive(Debug)]
pub(crate) struct ReportedSlots {
    /// The slots in the last beacon that reported any dimension. Each slot has one bit.
    last: u32,
    at: Assertion,
    earlier: Option<Box<Earlier>>,
}

/// The slots that were reported before the last beacon and not in the last beacon.
#[derive(Debug, Default)]
struct Earlier {
    slots: u32,
    at: Vec<(u32, Assertion)>,
}

impl ReportedSlots {
    const fn none() -> Self {
        Self { last: 0, at: Assertion::NEVER, earlier: None }
    }

    /// Returns the slots of `wanted` whose last value has not expired.
    pub(crate) fn valid(&self, wanted: u32, now: &Now) -> u32 {
        let last = if wanted & self.last != 0 && self.at.is_valid(now) { wanted & self.last } else { 0 };
        let Some(earlier) = self.earlier.as_ref().filter(|earlier| earlier.slots & wanted != 0) else {
            return last;
        };
        let valid = earlier.at.iter().filter(|(slots, at)| slots & wanted != 0 && at.is_valid(now));
        valid.fold(last, |all, (slots, _)| all | slots & wanted)
    }

    /// Records that a beacon reported values for these slots.
    pub(crate) fn report(&mut self, slots: u32, assertion: Assertion) {
        if slots == 0 {
            return;
        }
        let left = self.last & !slots;
        if left != 0 || self.earlier.is_some() {
            self.earlier.get_or_insert_default().keep(left, self.at, slots);
        }
        self.last = slots;
        self.at = assertion;
    }
}

impl Earlier {
    /// Adds `slots`, which were last reported at `at`. Removes the slots in `again`, because a later beacon reported
    /// them too.
    fn keep(&mut self, slots: u32, at: Assertion, again: u32) {
        self.slots = self.slots & !again | slots;
        self.at.retain_mut(|(kept, _)| {
            *kept &= !again;
            *kept != 0
        });
        if slots != 0 {
            self.at.push((slots, at));
        }
    }
}

/// The session summaries of one session in open windows. Each is a pair of the start of the window and the index of the
/// summary in the window. A session rarely has more than two summaries.
#[derive(Debug)]
pub(crate) struct OpenSummaries {
    newest: (Timestamp, u32),
    others: Vec<(Timestamp, u32)>,
}

impl OpenSummaries {
    const NONE: u32 = u32::MAX;

    const fn none() -> Self {
        Self { newest: (Timestamp::EPOCH, Self::NONE), others: Vec::new() }
    }

    /// Returns the index of the session summary in the window with this start, or `None` if the session has no summary
    /// in the window.
    pub(crate) fn find(&self, start: Timestamp) -> Option<u32> {
        if self.newest.0 == start && self.newest.1 != Self::NONE {
            return Some(self.newest.1);
        }
        self.others.iter().find(|(window, _)| *window == start).map(|(_, index)| *index)
    }

    /// Adds a session summary. Removes entries of windows for which `is_open` returns false.
    pub(crate) fn add(&mut self, entry: (Timestamp, u32), is_open: impl Fn(Timestamp) -> bool) {
        let before = std::mem::replace(&mut self.newest, entry);
        self.others.retain(|(start, _)| is_open(*start));
        if before.1 != Self::NONE && is_open(before.0) {
            self.others.push(before);
        }
    }

    /// Removes and returns all entries.
    pub(crate) fn take(&mut self) -> impl Iterator<Item = (Timestamp, u32)> + use<> {
        let taken = std::mem::replace(self, Self::none());
        taken.others.into_iter().chain([taken.newest]).filter(|(_, index)| *index != Self::NONE)
    }
}

/// The state of one session.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) hash: u64,
    /// The timestamp of the session's latest record. All assertions have expired `idle` after this time.
    pub(crate) seen: Timestamp,
    /// The reports of JSON beacons about attempts. The tracker contains the reports of CMCD.
    attempts: Line,
    startup: Assertion,
    /// The last JSON beacon that reported a first frame without a startup time.
    untimed_frame: Assertion,
    frames: RecentFrames,
    opt_out: Assertion,
    /// The state that only sessions with CMCD need. It is boxed to keep other sessions small.
    tracker: Option<Box<Tracker>>,
    identities: Identities,
    pub(crate) reported_slots: ReportedSlots,
    pub(crate) open_summaries: OpenSummaries,
}

/// The effects of a beacon. They depend on the assertions that have not expired before the beacon.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Observed {
    pub(crate) opted_out: bool,
    pub(crate) duplicate: bool,
    /// The attempts, plays and failures that the beacon adds.
    pub(crate) counted: Counted,
    /// The state of attempts in the window of the beacon, after the beacon.
    pub(crate) in_window: InWindow,
    /// The time to the first frame in milliseconds, or `None` if the beacon adds no such time.
    pub(crate) new_startup: Option<u32>,
    /// The classes of the new errors in the beacon.
    pub(crate) new_errors: ErrorClasses,
    /// True if the first error code of the beacon is a new error.
    pub(crate) has_new_code: bool,
    /// The bitrate during the time that an event adds, if an earlier event reported it.
    pub(crate) bitrate_before: Option<u32>,
    /// The amounts that the beacon adds to each sum, in the order of [`SumMetric::ALL`]. For JSON, the beacon contains
    /// them. For CMCD, they are computed from states and totals. Attempts, plays and failures are not included, because
    /// they are in `counted`.
    pub(crate) sums: [u32; SumMetric::COUNT],
}

impl Session {
    pub(crate) const fn new(hash: u64) -> Self {
        Self {
            hash,
            seen: Timestamp::EPOCH,
            attempts: Line::new(),
            startup: Assertion::NEVER,
            untimed_frame: Assertion::NEVER,
            frames: RecentFrames::NONE,
            opt_out: Assertion::NEVER,
            tracker: None,
            identities: Identities::new(),
            reported_slots: ReportedSlots::none(),
            open_summaries: OpenSummaries::none(),
        }
    }

    /// Records the assertions of a beacon. Returns the effects of the beacon. `in_window` is the state of attempts in
    /// the window of the beacon, before the beacon.
    pub(crate) fn observe(
        &mut self,
        beacon: &Observation,
        context: WindowContext,
        mut in_window: InWindow,
        now: &Now,
    ) -> Observed {
        let assertion = Assertion::at(now.record);
        let measures = beacon.measures();
        let startup_ms = measures.value(ValueMetric::StartupMs);
        let tracked = self.track(beacon, now);
        let report = attempt_report(beacon);
        // Before anything plays, the first selection of a bitrate is not a switch, even if the report of it arrives
        // late. If one of the two bitrates is unknown, the event may report the first selection, or a change of audio.
        let is_switch = |playback: &Playback| {
            let is_change = matches!(tracked.bitrate_change, Some(Ordering::Less | Ordering::Greater));
            playback.bitrate_changed && is_change && (report.frame || self.has_played(now))
        };
        let is_switch = beacon.playback().is_some_and(is_switch);
        let is_switch_to = |change| is_switch && tracked.bitrate_change == Some(change);
        let is_json = beacon.playback().is_none();
        let is_measured = is_json && self.attempts.has_start(now) && self.untimed_frame.is_valid(now);
        let counted = self.count(beacon, &report, context, &mut in_window, now);
        // A beacon with playing time was not sent at the first frame.
        let is_untimed_frame = is_json
            && (measures.play && !measures.attempt)
            && (startup_ms.is_none() && measures.sum(SumMetric::PlayingMs) == 0);
        let measured = counted.startup_ms.filter(|_| is_untimed_frame).or(tracked.startup_ms);
        // If the start was reported, the startup time is computed here, because the reported startup time is
        // unreliable. For example, dash.js reports 1 ms or 453 ms.
        let reported = startup_ms.filter(|_| {
            let is_known = is_measured || self.startup.is_valid(now) || self.frames.began_earlier(now);
            let is_new = counted.plays > 0 || !is_known;
            is_new && !tracked.start_known && !tracked.start_interrupted
        });
        let mut new_errors = tracked.new_codes;
        if is_json || beacon.playback().is_some_and(|playback| playback.code.is_none()) {
            new_errors.add(measures.error);
        }
        let mut sums = measures.sums;
        if !is_json {
            for (sum, more) in sums.iter_mut().zip(tracked.sums) {
                *sum += more;
            }
            for (metric, is_change) in [
                (SumMetric::Switches, is_switch),
                (SumMetric::SwitchesUp, is_switch_to(Ordering::Greater)),
                (SumMetric::SwitchesDown, is_switch_to(Ordering::Less)),
            ] {
                sums[metric as usize] += u32::from(is_change);
            }
        }
        let observed = Observed {
            opted_out: beacon.opt_out() || self.opt_out.is_valid(now),
            duplicate: beacon.identity().is_some_and(|identity| self.repeats(identity, assertion, now)),
            counted,
            in_window,
            new_startup: measured.or(reported),
            new_errors,
            has_new_code: is_json || tracked.has_new_code,
            bitrate_before: tracked.bitrate_before,
            sums,
        };
        for (is_reported, field) in [
            (startup_ms.is_some(), &mut self.startup),
            (is_untimed_frame, &mut self.untimed_frame),
            (beacon.opt_out(), &mut self.opt_out),
        ] {
            if is_reported {
                *field = field.or_later(assertion);
            }
        }
        if report.frame {
            self.frames.add(now);
        }
        self.seen = self.seen.max(now.record);
        observed
    }

    /// Records that the session opted out. Ignores all other data in the record.
    pub(crate) fn opt_out(&mut self, record: Timestamp) {
        self.opt_out = self.opt_out.or_later(Assertion::at(record));
        self.seen = self.seen.max(record);
    }

    /// Returns one of the last identities, or 0 if there is no identity.
    pub(crate) fn last_identity(&self) -> u64 {
        self.identities.last()
    }

    /// Returns true if any line has an unexpired first frame.
    fn has_played(&self, now: &Now) -> bool {
        let cmcd = self.tracker.as_ref().map(|tracker| &tracker.attempts);
        cmcd.into_iter().flatten().chain([&self.attempts]).any(|line| line.has_played(now))
    }

    /// Records the reports of a beacon about its attempt. Returns the amounts that they add to the counts of the
    /// window.
    fn count(
        &mut self,
        beacon: &Observation,
        report: &AttemptReport,
        context: WindowContext,
        open: &mut InWindow,
        now: &Now,
    ) -> Counted {
        let json = &mut self.attempts;
        let Some(tracker) = &mut self.tracker else {
            let line = if beacon.playback().is_some() { &mut Line::new() } else { json };
            return line.report(report, &OtherLines::NONE, context, open, now);
        };
        let [events, requests] = &mut tracker.attempts;
        let (line, others) = match beacon.playback() {
            None => {
                let others =
                    OtherLines::NONE.above(events, context, open, now).above(requests, context, open, now);
                (json, others)
            }
            Some(playback) if playback.event => {
                (events, OtherLines::NONE.below(json, context, open, now).above(requests, context, open, now))
            }
            Some(_) => {
                (requests, OtherLines::NONE.below(json, context, open, now).below(events, context, open, now))
            }
        };
        line.report(report, &others, context, open, now)
    }

    /// Records the states and totals of a CMCD beacon. Returns the amounts that follow from them. For a JSON beacon,
    /// all amounts are 0.
    fn track(&mut self, beacon: &Observation, now: &Now) -> Tracked {
        let Some(playback) = beacon.playback() else { return Tracked::default() };
        let needs_tracker = playback.has_content() || playback.code.is_some() || beacon.measures().play;
        if needs_tracker {
            self.tracker.get_or_insert_with(|| Box::new(Tracker::new()));
        }
        self.tracker.as_mut().map_or_else(Tracked::default, |tracker| tracker.observe(beacon, playback, now))
    }

    /// Records an identity. Returns true if a beacon with the same identity was observed before and its assertion has
    /// not expired.
    fn repeats(&mut self, identity: Identity, assertion: Assertion, now: &Now) -> bool {
        self.identities.observed(identity.get(), assertion, now).is_some_and(|before| before.is_valid(now))
    }
}

/// Returns the reports of a beacon about its attempt.
fn attempt_report(beacon: &Observation) -> AttemptReport {
    let measures = beacon.measures();
    AttemptReport {
        at: beacon.own_time(),
        start: measures.attempt,
        frame: measures.play,
        idle: measures.idle,
        fatal: measures.fatal,
        end: measures.end,
    }
}
