//! Runs all sessions, and returns their records in the order of time.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;

use crowdfold_model::SumMetric;

use crate::profile::{Offer, Profile};
use crate::report::{Activity, Event, Outcome, Report};
use crate::session::Session;
use crate::{Faults, LoadgenError, PlayersConfig, json};
use crowdfold_random::Random;

/// The synthetic players: an endless iterator over the records that they send, in the order of `sent_ms`.
pub struct Players {
    offer: Offer,
    faults: Faults,
    seed: u64,
    heartbeat: u64,
    /// The live sessions.
    slots: Vec<Session>,
    begun: u64,
    agenda: BinaryHeap<Reverse<Due>>,
    noted: u64,
    /// Additional faulty records, which are returned before the next beacon.
    beside: VecDeque<Report>,
    mishaps: Random,
}

/// A scheduled action. Actions that are due at the same time run in the order in which they were scheduled.
struct Due {
    at: u64,
    order: u64,
    what: What,
}

enum What {
    /// Send the next beacon of the live session with this index.
    Slot(usize),
    /// Send a delayed beacon, or a beacon that is sent a second time.
    Send(Box<Report>),
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}
impl Eq for Due {}
impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Due {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

impl Players {
    /// Creates the players. The sessions of the beginning are already playing when the first beacon is sent.
    ///
    /// # Errors
    /// Returns an error that names the first invalid setting of the configuration.
    pub fn new(config: PlayersConfig) -> Result<Self, LoadgenError> {
        config.check()?;
        let mut players = Self {
            offer: Offer::new(&config),
            faults: config.faults,
            seed: config.seed,
            heartbeat: config.heartbeat_ms.into(),
            slots: Vec::with_capacity(config.sessions as usize),
            begun: 0,
            agenda: BinaryHeap::with_capacity(config.sessions as usize + 16),
            noted: 0,
            beside: VecDeque::new(),
            mishaps: Random::at(config.seed, [u64::MAX, 0]),
        };
        for slot in 0..config.sessions as usize {
            let (number, random) = players.next_session();
            let session =
                Session::under_way(number, &players.offer, random, config.start_ms, players.heartbeat);
            players.note(session.due, What::Slot(slot));
            players.slots.push(session);
        }
        Ok(players)
    }

    fn next_session(&mut self) -> (u64, Random) {
        let number = self.begun;
        self.begun += 1;
        (number, Random::at(self.seed, [number, 1]))
    }

    fn note(&mut self, at: u64, what: What) {
        self.agenda.push(Reverse(Due { at, order: self.noted, what }));
        self.noted += 1;
    }

    /// Returns the next beacon of a session. If the session ends with this beacon, replaces the session by a new one.
    fn beacon_of(&mut self, slot: usize) -> (Arc<Profile>, Activity) {
        let session = &mut self.slots[slot];
        let (activity, continues) = session.send(self.heartbeat);
        let profile = Arc::clone(&session.profile);
        if !continues {
            let (number, mut random) = self.next_session();
            let start = activity.ts + random.between(0, 3_000);
            self.slots[slot] = Session::begin(number, &self.offer, random, start);
        }
        self.note(self.slots[slot].due, What::Slot(slot));
        (profile, activity)
    }

    /// Applies random faults to a beacon. Returns its record, or `None` if the beacon is delayed.
    fn dispatch(&mut self, profile: Arc<Profile>, activity: Activity) -> Option<Report> {
        let payload = json::beacon(&profile, &activity);
        let outcome = if profile.opt_out { Outcome::OptedOut } else { Outcome::Placed };
        let report = Report { sent_ms: activity.ts, payload, outcome, profile: Some(profile), activity };
        self.beside_it(&report);
        if outcome == Outcome::OptedOut {
            return Some(report);
        }
        let drawn = self.mishaps.below(1_000);
        let (duplicate, late) = (u64::from(self.faults.duplicate), u64::from(self.faults.late));
        if drawn < duplicate {
            let sent_ms = report.sent_ms + self.mishaps.between(1, (self.heartbeat / 2).min(5_000));
            let again = Report {
                sent_ms,
                payload: report.payload.clone(),
                outcome: Outcome::Duplicate,
                profile: report.profile.clone(),
                activity: report.activity.clone(),
            };
            self.note(sent_ms, What::Send(Box::new(again)));
        } else if drawn < duplicate + late
            && report.activity.event == Event::Heartbeat
            && report.activity.sum(SumMetric::PlayingMs) > 0
        {
            let sent_ms = report.sent_ms + self.faults.late_by_ms;
            self.note(sent_ms, What::Send(Box::new(Report { sent_ms, outcome: Outcome::Late, ..report })));
            return None;
        }
        Some(report)
    }

    /// Adds faulty records at random, which are sent together with a beacon.
    fn beside_it(&mut self, report: &Report) {
        for (share, outcome) in [
            (self.faults.garbage, Outcome::Malformed),
            (self.faults.no_session, Outcome::NoSession),
            (self.faults.no_time, Outcome::NoTime),
        ] {
            if !self.mishaps.chance(share.into(), 1_000) {
                continue;
            }
            let ts = report.activity.ts;
            let payload = match outcome {
                Outcome::Malformed => self.garbage(&report.payload),
                Outcome::NoSession => match self.mishaps.below(3) {
                    0 => format!(r#"{{"ts":{ts},"event":"heartbeat","playing_ms":10000}}"#),
                    1 => format!(r#"{{"ts":{ts},"session":"","event":"heartbeat"}}"#),
                    _ => format!(r#"{{"ts":{ts},"session":"null","event":"heartbeat"}}"#),
                }
                .into_bytes(),
                _ => {
                    let session = self.mishaps.bits() | 1;
                    format!(r#"{{"session":"{session:016x}","event":"heartbeat"}}"#).into_bytes()
                }
            };
            self.beside.push_back(Report {
                sent_ms: report.sent_ms,
                payload,
                outcome,
                profile: None,
                activity: report.activity.clone(),
            });
        }
    }

    /// Returns a record that is not a beacon. It has no line break.
    fn garbage(&mut self, beacon: &[u8]) -> Vec<u8> {
        match self.mishaps.below(5) {
            0 => beacon[..self.mishaps.between(1, beacon.len() as u64 - 1) as usize].to_vec(),
            1 => b"GET /favicon.ico HTTP/1.1".to_vec(),
            2 => vec![0xff, 0xfe, 0x00, 0x7b, 0x22],
            3 => br#"{"ts":soon,"session":"later"}"#.to_vec(),
            _ => b"[1".to_vec(),
        }
    }
}

impl Iterator for Players {
    type Item = Report;

    fn next(&mut self) -> Option<Report> {
        if let Some(report) = self.beside.pop_front() {
            return Some(report);
        }
        loop {
            let Reverse(due) = self.agenda.pop()?;
            let sent = match due.what {
                What::Send(report) => Some(*report),
                What::Slot(slot) => {
                    let (profile, activity) = self.beacon_of(slot);
                    self.dispatch(profile, activity)
                }
            };
            // If the beacon is delayed, the faulty records that accompany it are sent now.
            if let Some(report) = sent.or_else(|| self.beside.pop_front()) {
                return Some(report);
            }
        }
    }
}
