//! Evaluates the records of one partition, one beacon after the other.

use std::collections::BTreeMap;

use super::attempts::{Attempts, BeaconAssertions};
use super::beacon::{self, Beacon};
use super::playback::Playback;
use super::session_summary::{InsertedBeacon, SessionSummary};
use super::{Beacons, Millis, Record, Settings};

/// Identifies a session summary: the start of its window, the tenant and the session id.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SummaryKey {
    pub(super) start: Millis,
    pub(super) tenant: String,
    pub(super) session: String,
}

/// The state of a partition after the records that were read so far.
pub(super) struct Partition<'a> {
    settings: &'a Settings,
    /// The highest record timestamp so far, except timestamps that are ahead of the machine's clock.
    highest: Option<Millis>,
    /// The timestamp of the first record.
    began: Option<Millis>,
    sessions: BTreeMap<(String, String), Session>,
    summaries: BTreeMap<SummaryKey, SessionSummary>,
    counts: Beacons,
}

/// The assertions of a session. Each assertion is stored with the timestamp of the last record that contained it.
#[derive(Default)]
struct Session {
    dimensions: BTreeMap<String, (String, Millis)>,
    startup: Option<Millis>,
    /// The timestamp of the last record with a JSON beacon that reports a first frame without a startup time.
    untimed_frame: Option<Millis>,
    opt_out: Option<Millis>,
    seen: BTreeMap<String, Millis>,
    attempts: Attempts,
    playback: Playback,
}

impl Session {
    /// Returns the dimension values that have not expired.
    fn live_dimensions(&self, holds: impl Fn(Option<Millis>) -> bool) -> BTreeMap<String, String> {
        let live = self.dimensions.iter().filter(|(_, (_, at))| holds(Some(*at)));
        live.map(|(dimension, (value, _))| (dimension.clone(), value.clone())).collect()
    }

    /// Stores only the opt-out of a beacon in a record with the timestamp `now`.
    fn observe_opt_out(&mut self, now: Millis) {
        self.opt_out = self.opt_out.max(Some(now));
    }

    /// Stores all assertions of a beacon in a record with the timestamp `now`.
    fn observe(&mut self, beacon: &Beacon, now: Millis) {
        for (dimension, value) in &beacon.dimensions {
            self.dimensions.insert(dimension.clone(), (value.clone(), now));
        }
        let reported = [
            (&mut self.startup, beacon.startup_ms.is_some()),
            (&mut self.untimed_frame, beacon.reports_untimed_frame()),
            (&mut self.opt_out, beacon.opt_out),
        ];
        for (field, reported) in reported {
            if reported {
                *field = (*field).max(Some(now));
            }
        }
        self.seen.extend(beacon.identity().map(|identity| (identity, now)));
    }
}

impl<'a> Partition<'a> {
    pub(super) fn new(settings: &'a Settings) -> Self {
        Self {
            settings,
            highest: None,
            began: None,
            sessions: BTreeMap::new(),
            summaries: BTreeMap::new(),
            counts: Beacons::default(),
        }
    }

    /// Reads one record. All beacons of the record are evaluated before the watermark moves. If the timestamp of a
    /// record is ahead of the machine's clock, the whole record is rejected and does not move the watermark.
    pub(super) fn read(&mut self, record: &Record) {
        if record.timestamp.is_some_and(|at| self.settings.is_ahead(at)) {
            self.counts.read += 1;
            *self.counts.rejected.entry("future").or_default() += 1;
            for parsed in beacon::split(&record.payload) {
                if let Err(rejected) = beacon::read(parsed, record.timestamp, self.settings) {
                    self.opt_out(rejected.opts_out);
                }
            }
            return;
        }
        let mut highest = self.highest;
        for parsed in beacon::split(&record.payload) {
            self.counts.read += 1;
            let first = record.timestamp.or(parsed.as_ref().and_then(|parsed| parsed.ts));
            self.began = self.began.or(first.filter(|first| !self.settings.is_ahead(*first)));
            let latest = match beacon::read(parsed, record.timestamp, self.settings) {
                Ok(beacon) => {
                    let now = record.timestamp.unwrap_or(beacon.ts);
                    self.evaluate(beacon, now);
                    Some(now)
                }
                Err(rejected) => {
                    *self.counts.rejected.entry(rejected.reason).or_default() += 1;
                    self.opt_out(rejected.opts_out);
                    rejected.claimed.filter(|at| !self.settings.is_ahead(*at))
                }
            };
            highest = highest.max(latest);
        }
        self.highest = highest;
    }

    /// Evaluates one beacon of a record with the timestamp `now`, and counts its outcome.
    fn evaluate(&mut self, mut beacon: Beacon, now: Millis) {
        if beacon.clock_ahead {
            self.counts.clock_ahead += 1;
        }
        if beacon.opt_out {
            self.remove_from_open_windows(&beacon.tenant, &beacon.session);
        }
        if beacon.is_excluded(self.settings) {
            self.counts.excluded += 1;
            // Of an excluded beacon, only the opt-out is stored.
            if beacon.opt_out {
                self.sessions.entry((beacon.tenant, beacon.session)).or_default().observe_opt_out(now);
            }
            return;
        }
        let event_time = beacon.ts.min(now);
        let start = event_time / self.settings.window * self.settings.window;
        let late = self.is_closed(start);
        let (idle, closed_until) = (self.settings.idle, self.closed_until());
        let holds =
            |asserted_at: Option<Millis>| asserted_at.is_some_and(|at| now.max(closed_until) <= at + idle);

        let key = (beacon.tenant.clone(), beacon.session.clone());
        let session = self.sessions.entry(key).or_default();
        let opted_out = beacon.opt_out || holds(session.opt_out);
        let duplicate = beacon.identity().is_some_and(|same| holds(session.seen.get(&same).copied()));
        let is_history_known =
            self.settings.whole_history || self.began.is_some_and(|began| start >= began + idle);
        let summary_key =
            SummaryKey { start, tenant: beacon.tenant.clone(), session: beacon.session.clone() };
        let summary = self.summaries.get_mut(&summary_key).filter(|_| !late);
        let mut in_window = summary.map(|summary| summary.attempts.clone()).unwrap_or_default();

        let assertions = BeaconAssertions::of(&beacon, now, start);
        let has_played = assertions.frame || session.attempts.has_played(holds);
        let before = in_window.clone();
        let untimed = beacon.reports_untimed_frame();
        let took = assertions.since_start(&session.attempts, idle, holds).filter(|_| untimed);
        let is_measured =
            beacon.cmcd.is_none() && session.attempts.has_json_start(holds) && holds(session.untimed_frame);
        let began_earlier = session.attempts.began_earlier(now, idle, holds);
        session.attempts.add(assertions, &mut in_window, is_history_known, holds);
        let is_new_play = in_window.plays > before.plays;
        // If the play also begins an attempt, an earlier start has failed. The time since that start is then not the
        // startup time of this play.
        let took = took.filter(|_| is_new_play && in_window.attempts == before.attempts);
        let amounts = session.playback.amounts(&beacon, now, idle, has_played, holds);
        let reported = beacon.startup_ms.filter(|_| {
            let is_new = is_new_play || !is_measured && !holds(session.startup) && !began_earlier;
            !amounts.start_known && !amounts.start_interrupted && is_new
        });
        if !session.playback.has_new_code(&beacon, holds) {
            beacon.dimensions.remove("error_code");
        }
        let inserted = InsertedBeacon {
            startup: took.or(amounts.startup_ms).or(reported),
            errors: session.playback.new_errors(&beacon, holds),
            asserted: session.live_dimensions(holds),
            amounts,
            beacon,
        };
        session.observe(&inserted.beacon, now);
        session.playback.observe(&inserted.beacon, now, &inserted.amounts);

        if opted_out {
            self.counts.opted_out += 1;
        } else if late {
            self.counts.late += 1;
        } else if duplicate {
            self.counts.duplicate += 1;
        } else {
            let summary = self.summaries.entry(summary_key).or_default();
            summary.attempts = in_window;
            summary.insert(inserted);
        }
    }

    /// Opts out the session of a rejected beacon. If the beacon does not contain the time from which the opt-out takes
    /// effect, that time is the highest timestamp so far.
    fn opt_out(&mut self, session: Option<(String, String, Option<Millis>)>) {
        let Some((tenant, session, from)) = session else { return };
        self.remove_from_open_windows(&tenant, &session);
        let from = from.or(self.highest).or(self.settings.now).unwrap_or(0);
        self.sessions.entry((tenant, session)).or_default().opt_out = Some(from);
    }

    /// Removes the summaries of a session from all open windows.
    fn remove_from_open_windows(&mut self, tenant: &str, session: &str) {
        let keys = self.summaries.keys().filter(|key| key.tenant == tenant && key.session == session);
        let open: Vec<_> = keys.filter(|key| !self.is_closed(key.start)).cloned().collect();
        for key in open {
            if let Some(summary) = self.summaries.remove(&key) {
                self.counts.opted_out += summary.beacons();
            }
        }
    }

    /// Returns the end of the last closed window.
    fn closed_until(&self) -> Millis {
        let watermark = self.highest.unwrap_or(0).saturating_sub(self.settings.lateness);
        watermark / self.settings.window * self.settings.window
    }

    /// Returns true if the window that begins at `start` is closed.
    fn is_closed(&self, start: Millis) -> bool {
        start + self.settings.window <= self.closed_until()
    }

    /// Ends the input, and closes all windows. Returns the counts of beacons and the session summaries.
    pub(super) fn finish(self) -> (Beacons, BTreeMap<SummaryKey, SessionSummary>) {
        (self.counts, self.summaries)
    }
}
