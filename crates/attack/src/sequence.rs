//! Attacks 4 and 7: an attacker combines the evidence about one session from several windows. In attack 4 the attacker
//! knows the id of the session, and either makes the session unusual or makes it appear in every second window. In
//! attack 7 the device of the session is unusual.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::bench;
use crate::join::Target;
use crate::likelihood::{Background, Knowledge};
use crate::random::Random;
use crate::rows::{Published, Row, Table};
use crate::scenario::{FIELDS, Rules, Scenario, Session, WINDOW, raw};
use crate::traffic::{Activity, TABLES};

/// The share of the sessions that are replaced from one window to the next.
const CHURN: f64 = 0.15;

/// The behaviour of the session in each window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Habit {
    /// An attacker who knows the session's id sends four errors of rare classes for it.
    Marked,
    /// Like `Marked`, but the session is present only in every second window.
    Toggled,
    /// The session has a weak device. Its stalls, dropped frames and switches all reach their clamps.
    Weak,
    /// The session is ordinary, and the attacker knows its whole activity.
    Ordinary,
}

impl Habit {
    fn activity(self, ordinary: &Activity) -> Activity {
        match self {
            Self::Marked | Self::Toggled => Target::FourRareEvents.activity(ordinary),
            Self::Ordinary => ordinary.clone(),
            Self::Weak => {
                let mut activity = ordinary.clone();
                let sums = &mut activity.sums;
                (sums.stalls, sums.stalled_ms, sums.dropped_frames, sums.switches) = (9, 40_000, 900, 30);
                (activity.bitrate_kbps, sums.playing_ms) = (Some(300), 20_000);
                activity
            }
        }
    }

    fn is_present(self, window: usize) -> bool {
        self != Self::Toggled || window.is_multiple_of(2)
    }
}

/// Consecutive windows of the same sessions. The session under attack is the first one in each window in which it is
/// present.
struct Sequence {
    habit: Habit,
    scenarios: Vec<Scenario>,
}

impl Sequence {
    fn new(habit: Habit, live: usize, windows: usize, rules: Rules, random: &mut Random) -> Self {
        let mut sessions: Vec<_> = (0..live).map(|_| Session::draw(random)).collect();
        let mut scenarios = Vec::with_capacity(windows);
        for window in 0..windows {
            for session in sessions.iter_mut().skip(1) {
                if random.chance(CHURN) {
                    *session = Session::draw(random);
                } else {
                    session.activity = session.profile.minute(random);
                }
            }
            sessions[0].activity = habit.activity(&sessions[0].profile.minute(random));
            let there = sessions[usize::from(!habit.is_present(window))..].to_vec();
            let mut scenario = Scenario::new(there, rules);
            scenario.start += window as u64 * WINDOW;
            scenarios.push(scenario);
        }
        Self { habit, scenarios }
    }

    /// Returns the cell key of the row that contains the session in most of the windows.
    fn truth(&self, table: usize) -> Vec<String> {
        let there = self.scenarios.iter().enumerate().filter(|(window, _)| self.habit.is_present(*window));
        let cell_keys: Vec<_> = there
            .map(|(_, scenario)| &scenario.tables[table])
            .map(|folded| folded.rows[folded.row_of(0)].cell_key.to_vec())
            .collect();
        let times = |cell_key: &&Vec<String>| cell_keys.iter().filter(|other| other == cell_key).count();
        cell_keys.iter().max_by_key(times).cloned().unwrap_or_default()
    }
}

/// A table of one window, with the likelihood ratios of its rows.
struct Seen<'a> {
    /// The index of each row by cell key.
    rows: BTreeMap<&'a [String], usize>,
    table: &'a Table,
    /// The logarithm of the likelihood ratio of each row with and without the session. It is empty in windows without
    /// the session.
    ratios: Vec<f64>,
}

impl<'a> Seen<'a> {
    fn new(table: &'a Table, ratio: impl Fn(&Row) -> Option<f64>) -> Self {
        let rows = table.rows.iter().enumerate().map(|(at, row)| (&row.cell_key[..], at)).collect();
        Self { rows, table, ratios: table.rows.iter().filter_map(ratio).collect() }
    }

    /// Returns the number of sessions of the row with this cell key.
    fn sessions(&self, cell_key: &[String]) -> Option<f64> {
        self.rows.get(cell_key).map(|at| self.table.rows[*at].sessions as f64)
    }

    /// Returns the likelihood ratio of a candidate's own row, or of the closest star row above it.
    fn ratio(&self, candidate: &[String]) -> f64 {
        if self.ratios.is_empty() {
            return 0.0;
        }
        let mut cell_key = candidate.to_vec();
        for depth in (0..=candidate.len()).rev() {
            cell_key[depth..].fill("*".to_owned());
            if let Some(at) = self.rows.get(&cell_key[..]) {
                return self.ratios[*at];
            }
        }
        // No row contains sessions with this cell key.
        -20.0
    }
}

/// The result of an attack.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Score {
    pub(crate) trials: u64,
    pub(crate) named: u64,
    pub(crate) largest: u64,
}

impl Score {
    /// Returns the gain over always naming the largest row, in percentage points.
    pub(crate) fn points(&self) -> f64 {
        (self.named as f64 - self.largest as f64) / self.trials as f64 * 100.0
    }

    pub(crate) fn share(&self) -> f64 {
        self.named as f64 / self.trials as f64 * 100.0
    }

    fn add(&mut self, other: Self) {
        self.trials += other.trials;
        self.named += other.named;
        self.largest += other.largest;
    }
}

/// Returns two guesses of the row that contains the attacked session: the most likely row, given all windows, and the
/// largest row, for comparison.
fn name(seen: &[Seen<'_>], habit: Habit) -> (Vec<String>, Vec<String>) {
    let cell_keys: BTreeSet<&[String]> = seen.iter().flat_map(|window| window.rows.keys().copied()).collect();
    let mut best = (f64::NEG_INFINITY, &[][..]);
    let mut largest = (0.0, &[][..]);
    for cell_key in cell_keys {
        let counts: Vec<_> = seen.iter().map(|window| window.sessions(cell_key)).collect();
        let usual = counts.iter().flatten().sum::<f64>() / seen.len() as f64;
        let mut score = usual.ln() + seen.iter().map(|window| window.ratio(cell_key)).sum::<f64>();
        if habit == Habit::Toggled {
            score += toggled(&counts, usual);
        }
        if score > best.0 {
            best = (score, cell_key);
        }
        if usual > largest.0 {
            largest = (usual, cell_key);
        }
    }
    (best.1.to_vec(), largest.1.to_vec())
}

/// Compares two explanations of a series of exact session counts: the session is present in every second window, or the
/// session is absent. Returns the logarithm of their likelihood ratio. If the share 1 − ρ of the sessions is replaced
/// from one window to the next, the variance of the alternating component is (1 − ρ) ÷ (1 + ρ) times the size.
fn toggled(seen: &[Option<f64>], usual: f64) -> f64 {
    if seen.iter().any(Option::is_none) {
        return 0.0;
    }
    let windows = seen.len() as f64;
    let sign = |at: usize| if Habit::Toggled.is_present(at) { 1.0 } else { -1.0 };
    let alternates = seen.iter().flatten().enumerate().map(|(at, count)| sign(at) * count).sum::<f64>();
    let variance = CHURN / (2.0 - CHURN) * usual;
    (alternates / windows / 2.0 - 0.125) * windows / variance
}

/// An attack on sequences of windows.
#[derive(Clone, Copy)]
pub(crate) struct Attack {
    pub(crate) habit: Habit,
    pub(crate) live: usize,
    pub(crate) windows: usize,
    pub(crate) rules: Rules,
    pub(crate) sequences: u64,
    /// The number of times that noise is drawn for each sequence.
    pub(crate) draws: u64,
}

impl Attack {
    /// Returns the score over all tables except the detail table.
    pub(crate) fn run(&self, random: &mut Random) -> Score {
        let knowledge = Knowledge::learn(self.live, &self.rules, random);
        let mut score = Score::default();
        for _ in 0..self.sequences {
            let sequence = Sequence::new(self.habit, self.live, self.windows, self.rules, random);
            for _ in 0..self.draws {
                score.add(self.one(&sequence, &knowledge, random));
            }
        }
        score
    }

    fn one(&self, sequence: &Sequence, knowledge: &Knowledge, random: &mut Random) -> Score {
        let rollups: Vec<Vec<Value>> =
            sequence.scenarios.iter().map(|scenario| bench::publish(scenario, random)).collect();
        let published: Vec<_> = rollups.iter().map(|rollups| Published::read(rollups)).collect();
        let there = |window: usize| self.habit.is_present(window).then(|| &sequence.scenarios[window]);
        let shows =
            |window| there(window).map_or([0; FIELDS], |scenario| raw(&scenario.sessions[0].activity));
        let backgrounds: Vec<_> = published
            .iter()
            .enumerate()
            .map(|(window, of)| Background::of(of, &shows(window), knowledge))
            .collect();
        let mut score = Score::default();
        for table in (0..TABLES.len()).filter(|table| *table != self.rules.detail) {
            let seen = published.iter().enumerate().map(|(window, of)| {
                let adds = there(window).map(|scenario| scenario.adds[0]);
                Seen::new(&of.tables[table], |row| Some(backgrounds[window].ratio(table, row, &adds?)))
            });
            let truth = sequence.truth(table);
            let (named, largest) = name(&seen.collect::<Vec<_>>(), self.habit);
            score.trials += 1;
            score.named += u64::from(named == truth);
            score.largest += u64::from(largest == truth);
        }
        score
    }
}
