//! Attack 3: finds the row of one session in each table of one window, and so joins the tables for this session.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::likelihood::{Background, Guess, Knowledge, guess};
use crate::random::Random;
use crate::rows::{Published, Table};
use crate::scenario::{Rules, Scenario, Session, WINDOW, raw};
use crate::traffic::{Activity, TABLES};

/// The activity of the session that the attacker looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// An ordinary minute with one error of a class that no other session has.
    RareEvent,
    /// Every event that a session can report, each with at least its clamp.
    Everything,
    /// Four errors of classes that no other session has. The whole budget is spent on the most unusual events.
    FourRareEvents,
}

impl Target {
    pub(crate) const ALL: [Self; 3] = [Self::RareEvent, Self::Everything, Self::FourRareEvents];

    const fn classes(self) -> &'static [&'static str] {
        match self {
            Self::RareEvent => &["manifest"],
            Self::Everything => &[],
            Self::FourRareEvents => &["network", "manifest", "media", "drm"],
        }
    }

    /// Returns the activity of the target session, derived from the activity of an ordinary session.
    pub(crate) fn activity(self, ordinary: &Activity) -> Activity {
        let mut activity = ordinary.clone();
        match self {
            Self::RareEvent => drop(activity.sums.errors.insert("manifest", 1)),
            Self::FourRareEvents => {
                activity = Activity::default();
                activity.sums.errors = self.classes().iter().map(|class| (*class, 1)).collect();
            }
            Self::Everything => {
                let sums = &mut activity.sums;
                (sums.attempts, sums.plays) = (1, 1);
                (sums.startup_failures, sums.playback_failures) = (1, 1);
                (sums.stalls, sums.stalled_ms, sums.dropped_frames, sums.switches) = (9, 40_000, 900, 30);
                sums.playing_ms = 60_000;
                let classes = ["network", "manifest", "media", "drm", "timeout", "other"];
                sums.errors = classes.into_iter().map(|class| (class, 1)).collect();
                (activity.startup_ms, activity.bitrate_kbps) = (Some(30_000), Some(16_000));
                activity.bandwidth_kbps = Some(90_000);
            }
        }
        activity
    }

    /// Returns a window of sessions without errors of the classes that are unique to the target.
    pub(crate) fn window(self, live: usize, rules: Rules, random: &mut Random) -> Scenario {
        let others = (0..live).map(|_| {
            let mut session = Session::draw(random);
            session.activity.sums.errors.retain(|class, _| !self.classes().contains(class));
            session
        });
        Scenario::new(others.collect(), rules)
    }
}

/// The result in one table.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Score {
    pub(crate) trials: u64,
    pub(crate) named: u64,
    /// The number of trials in which the largest row contained the session.
    pub(crate) largest: u64,
    /// The sum over trials of (named − largest)².
    differ: u64,
    /// The sum of the probabilities that the attacker assigned to the guesses. `before` is the sum for guesses that use
    /// only the sizes of rows.
    believed: f64,
    before: f64,
    rows: u64,
}

impl Score {
    /// Returns the gain over always naming the largest row, in percentage points.
    pub(crate) fn points(&self) -> f64 {
        (self.named as f64 - self.largest as f64) / self.trials as f64 * 100.0
    }

    /// Returns the standard error of [`Self::points`].
    pub(crate) fn error(&self) -> f64 {
        let trials = self.trials as f64;
        let mean = self.points() / 100.0;
        ((self.differ as f64 / trials - mean * mean).max(0.0) / trials).sqrt() * 100.0
    }

    /// Returns the gain that the attacker expects: the mean probability of its guesses, minus the mean probability of
    /// the largest row. This value varies less than [`Self::points`].
    pub(crate) fn believed_points(&self) -> f64 {
        (self.believed - self.before) / self.trials as f64 * 100.0
    }

    pub(crate) fn share(&self) -> f64 {
        self.named as f64 / self.trials as f64 * 100.0
    }

    pub(crate) fn rows(&self) -> f64 {
        self.rows as f64 / self.trials as f64
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.trials += other.trials;
        self.named += other.named;
        self.largest += other.largest;
        self.differ += other.differ;
        self.believed += other.believed;
        self.before += other.before;
        self.rows += other.rows;
    }

    fn count(&mut self, table: &Table, truth: usize, best: Guess) {
        let blind = guess(sizes(table), std::iter::repeat(0.0));
        let (hit, by_size) = (best.row == truth, blind.row == truth);
        self.trials += 1;
        self.named += u64::from(hit);
        self.largest += u64::from(by_size);
        self.differ += u64::from(hit != by_size);
        self.believed += best.chance;
        self.before += blind.chance;
        self.rows += table.rows.len() as u64;
    }
}

fn sizes(table: &Table) -> impl Iterator<Item = f64> {
    table.rows.iter().map(|row| row.sessions as f64)
}

/// Scores by table.
pub(crate) type Scores = BTreeMap<usize, Score>;

/// An attack on a number of windows.
pub(crate) struct Attack<'a> {
    pub(crate) live: usize,
    pub(crate) rules: Rules,
    pub(crate) target: Target,
    pub(crate) windows: u64,
    /// Publishes the rows of a scenario.
    pub(crate) publish: &'a dyn Fn(&Scenario, &mut Random) -> Vec<Value>,
}

impl Attack<'_> {
    /// The number of sessions of each scenario that are attacked, one after the other.
    const TRIALS_PER_SCENARIO: u64 = 10;

    pub(crate) fn run(&self, random: &mut Random) -> Scores {
        let knowledge = Knowledge::learn(self.live, &self.rules, random);
        let mut scores = Scores::new();
        let mut left = self.windows;
        while left > 0 {
            let mut scenario = self.target.window(self.live, self.rules, random);
            for _ in 0..Self::TRIALS_PER_SCENARIO.min(left) {
                self.one(&mut scenario, &knowledge, random, &mut scores);
            }
            left = left.saturating_sub(Self::TRIALS_PER_SCENARIO);
        }
        scores
    }

    fn one(&self, scenario: &mut Scenario, knowledge: &Knowledge, random: &mut Random, scores: &mut Scores) {
        let session = random.below(scenario.sessions.len() as u64) as usize;
        let ordinary = scenario.sessions[session].activity.clone();
        scenario.replace(session, self.target.activity(&ordinary));
        scenario.start += WINDOW;
        let published = Published::read(&(self.publish)(scenario, random));
        let (activity, adds) = (&scenario.sessions[session].activity, &scenario.adds[session]);
        let background = Background::of(&published, &raw(activity), knowledge);
        for at in (0..TABLES.len()).filter(|at| *at != scenario.rules.detail) {
            let (table, folded) = (&published.tables[at], &scenario.tables[at]);
            let truth = folded.row_of(session);
            let ratios = table.rows.iter().map(|row| background.ratio(at, row, adds));
            let best = guess(sizes(table), ratios);
            scores.entry(at).or_default().count(table, truth, best);
        }
        scenario.replace(session, ordinary);
    }
}
