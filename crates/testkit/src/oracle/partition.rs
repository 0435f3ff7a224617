//! One partition, beacon by beacon.

use std::collections::BTreeMap;

use super::beacon::{self, Beacon};
use super::playback::Playback;
use super::sitting::{Placed, Sitting};
use super::{Beacons, Millis, Record, Settings};

/// Whose sitting, in which window.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SittingKey {
    pub(super) start: Millis,
    pub(super) tenant: String,
    pub(super) session: String,
}

/// A partition as far as it was read.
pub(super) struct Partition<'a> {
    settings: &'a Settings,
    /// The highest record timestamp that moved the watermark.
    highest: Option<Millis>,
    sessions: BTreeMap<(String, String), Session>,
    sittings: BTreeMap<SittingKey, Sitting>,
    counts: Beacons,
}

/// What a session asserted: each field with the timestamp of the record that said so last.
#[derive(Default)]
struct Session {
    dimensions: BTreeMap<String, (String, Millis)>,
    attempt: Option<Millis>,
    play: Option<Millis>,
    startup: Option<Millis>,
    playing: Option<Millis>,
    opt_out: Option<Millis>,
    seen: BTreeMap<(u64, String), Millis>,
    playback: Playback,
}

impl Session {
    /// Takes over all that a beacon states.
    fn hear(&mut self, beacon: &Beacon, now: Millis) {
        for (dimension, value) in &beacon.dimensions {
            self.dimensions.insert(dimension.clone(), (value.clone(), now));
        }
        let stated = [
            (&mut self.attempt, beacon.states_attempt() || beacon.has_started()),
            (&mut self.play, beacon.states_play() || beacon.has_started()),
            (&mut self.startup, beacon.startup_ms.is_some()),
            (&mut self.playing, beacon.states_playing()),
            (&mut self.opt_out, beacon.opt_out),
        ];
        for (field, stated) in stated {
            if stated {
                *field = Some(now);
            }
        }
        self.seen.extend(beacon.identity().map(|identity| (identity, now)));
        self.playback.hear(beacon, now);
    }
}

impl<'a> Partition<'a> {
    pub(super) fn new(settings: &'a Settings) -> Self {
        Self {
            settings,
            highest: None,
            sessions: BTreeMap::new(),
            sittings: BTreeMap::new(),
            counts: Beacons::default(),
        }
    }

    /// Reads one record: all its beacons first, then the watermark. A record ahead of the clock is one rejection, and
    /// no time ahead of the clock moves the watermark.
    pub(super) fn read(&mut self, record: &Record) {
        if record.timestamp.is_some_and(|at| self.settings.is_ahead(at)) {
            self.counts.read += 1;
            *self.counts.rejected.entry("future").or_default() += 1;
            for parsed in beacon::split(&record.payload) {
                if let Err(rejected) = beacon::read(parsed, record.timestamp, self.settings) {
                    self.withdraw(rejected.opts_out);
                }
            }
            return;
        }
        let mut highest = self.highest;
        for parsed in beacon::split(&record.payload) {
            self.counts.read += 1;
            let said = match beacon::read(parsed, record.timestamp, self.settings) {
                Ok(beacon) => {
                    let now = record.timestamp.unwrap_or(beacon.ts);
                    self.judge(beacon, now);
                    Some(now)
                }
                Err(rejected) => {
                    *self.counts.rejected.entry(rejected.reason).or_default() += 1;
                    self.withdraw(rejected.opts_out);
                    rejected.claimed.filter(|at| !self.settings.is_ahead(*at))
                }
            };
            highest = highest.max(said);
        }
        self.highest = highest;
    }

    /// The verdict on one beacon of a record at `now`.
    fn judge(&mut self, beacon: Beacon, now: Millis) {
        if beacon.opt_out {
            self.take_out(&beacon.tenant, &beacon.session);
        }
        if beacon.is_excluded(self.settings) {
            self.counts.excluded += 1;
            // all that is heard of it
            if beacon.opt_out {
                self.sessions.entry((beacon.tenant, beacon.session)).or_default().opt_out = Some(now);
            }
            return;
        }
        let event_time = beacon.ts.min(now);
        let start = event_time / self.settings.window * self.settings.window;
        let late = self.is_closed(start);
        let (idle, closed_until) = (self.settings.idle, self.closed_until());
        let holds = |said: Option<Millis>| said.is_some_and(|at| now.max(closed_until) <= at + idle);

        let key = (beacon.tenant.clone(), beacon.session.clone());
        let session = self.sessions.entry(key).or_default();
        let opted_out = beacon.opt_out || holds(session.opt_out);
        let duplicate = beacon.identity().is_some_and(|same| holds(session.seen.get(&same).copied()));
        let had_played = holds(session.play) || holds(session.playing) || beacon.states_playing();
        let amounts = session.playback.amounts(&beacon, now, idle, had_played, holds);
        let stated = beacon.startup_ms.filter(|_| !amounts.start_known && !holds(session.startup));
        // What was asserted before this beacon; a failure is judged by what it says itself as well.
        let placed = Placed {
            attempt: beacon.states_attempt() && !holds(session.attempt),
            play: beacon.states_play() && !holds(session.play),
            startup: amounts.startup_ms.or(stated),
            had_played,
            amounts,
            asserted: session
                .dimensions
                .iter()
                .filter(|(_, (_, at))| holds(Some(*at)))
                .map(|(dimension, (value, _))| (dimension.clone(), value.clone()))
                .collect(),
            beacon,
        };
        session.hear(&placed.beacon, now);

        if opted_out {
            self.counts.opted_out += 1;
        } else if late {
            self.counts.late += 1;
        } else if duplicate {
            self.counts.duplicate += 1;
        } else {
            let (tenant, session) = (placed.beacon.tenant.clone(), placed.beacon.session.clone());
            self.sittings.entry(SittingKey { start, tenant, session }).or_default().place(placed);
        }
    }

    /// Lets a session opt out whose beacon counts as something else. Where nothing tells the time of that, it is the
    /// latest one of the log.
    fn withdraw(&mut self, session: Option<(String, String, Option<Millis>)>) {
        let Some((tenant, session, from)) = session else { return };
        self.take_out(&tenant, &session);
        let from = from.or(self.highest).or(self.settings.now).unwrap_or(0);
        self.sessions.entry((tenant, session)).or_default().opt_out = Some(from);
    }

    /// Takes a session out of every window that is not closed.
    fn take_out(&mut self, tenant: &str, session: &str) {
        let keys = self.sittings.keys().filter(|key| key.tenant == tenant && key.session == session);
        let open: Vec<_> = keys.filter(|key| !self.is_closed(key.start)).cloned().collect();
        for key in open {
            if let Some(sitting) = self.sittings.remove(&key) {
                self.counts.opted_out += sitting.beacons();
            }
        }
    }

    /// The end of the last window that the watermark has reached.
    fn closed_until(&self) -> Millis {
        let watermark = self.highest.unwrap_or(0).saturating_sub(self.settings.lateness);
        watermark / self.settings.window * self.settings.window
    }

    /// Whether a window is closed.
    fn is_closed(&self, start: Millis) -> bool {
        start + self.settings.window <= self.closed_until()
    }

    /// The end of the input: every window closes.
    pub(super) fn finish(self) -> (Beacons, BTreeMap<SittingKey, Sitting>) {
        (self.counts, self.sittings)
    }
}
