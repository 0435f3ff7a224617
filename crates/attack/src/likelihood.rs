//! Finds the row that contains a session by the likelihood of all fields together, which is the most accurate rule. The
//! attacker knows the activity of the session, the algorithm, and this kind of traffic.

use std::collections::BTreeMap;

use crowdfold_testkit::oracle::{BOUNDED, clamp_of};

use crate::random::Random;
use crate::rows::{Published, Row};
use crate::scenario::{FIELDS, Fields, Rules, Scenario, WINDOW, raw};
use crate::traffic::TABLES;

/// The expected contribution of a session that the attacker does not know.
#[derive(Clone, Copy)]
struct Usual {
    mean: [f64; FIELDS],
    variance: [f64; FIELDS],
}

/// The attacker's knowledge of ordinary traffic. It comes from rows of many other windows, so noise is averaged out.
pub(crate) struct Knowledge {
    /// The mean of each field per session in the detail table.
    shown: [f64; FIELDS],
    /// The expected contribution of any session.
    all: Usual,
    /// The expected contribution by table and cell key of the row.
    of_row: Vec<BTreeMap<Vec<String>, Usual>>,
}

/// Sums over sessions and rows, from which [`Usual`] is computed.
#[derive(Clone, Copy, Default)]
struct Learned {
    sessions: f64,
    sum: [f64; FIELDS],
    squares: [f64; FIELDS],
}

impl Learned {
    fn add(&mut self, adds: &Fields) {
        self.sessions += 1.0;
        for ((sum, squares), add) in self.sum.iter_mut().zip(&mut self.squares).zip(adds) {
            let add = *add as f64;
            *sum += add;
            *squares += add * add;
        }
    }

    fn usual(&self) -> Usual {
        let mean = self.sum.map(|sum| sum / self.sessions);
        let variance = std::array::from_fn(|at| self.squares[at] / self.sessions - mean[at].powi(2));
        Usual { mean, variance }
    }
}

impl Knowledge {
    /// Computes the knowledge from windows of another day with the same kind of traffic.
    pub(crate) fn learn(live: usize, rules: &Rules, random: &mut Random) -> Self {
        /// The minimum number of sessions from which the knowledge is computed.
        const ENOUGH: usize = 60_000;
        let windows = ENOUGH.div_ceil(live);
        let mut all = Learned::default();
        let mut shown = [0.0; FIELDS];
        let mut of_row = vec![BTreeMap::<Vec<String>, Learned>::new(); TABLES.len()];
        for _ in 0..windows {
            let scenario = Scenario::ordinary(live, *rules, random);
            for (at, adds) in scenario.adds.iter().enumerate() {
                all.add(adds);
                let raw = raw(&scenario.sessions[at].activity);
                shown.iter_mut().zip(raw).for_each(|(sum, value)| *sum += value as f64);
                for (table, of_row) in scenario.tables.iter().zip(&mut of_row) {
                    let row = &table.rows[table.row_of(at)];
                    match of_row.get_mut(&row.cell_key[..]) {
                        Some(learned) => learned.add(adds),
                        None => of_row.entry(row.cell_key.to_vec()).or_default().add(adds),
                    }
                }
            }
        }
        let usual = |rows: BTreeMap<Vec<String>, Learned>| {
            let enough = rows.into_iter().filter(|(_, learned)| learned.sessions >= 1_000.0);
            enough.map(|(cell_key, learned)| (cell_key, learned.usual())).collect()
        };
        let of_row = of_row.into_iter().map(usual).collect();
        Self { shown: shown.map(|sum| sum / all.sessions), all: all.usual(), of_row }
    }
}

/// The attacker's estimate of the other sessions of a window.
pub(crate) struct Background<'a> {
    knowledge: &'a Knowledge,
    /// The ratio of the total of each field to its usual total.
    scale: [f64; FIELDS],
    sigma: [f64; FIELDS],
}

impl<'a> Background<'a> {
    /// Estimates the other sessions of a window from the exact totals of its detail table, if there is one. `target` is
    /// the contribution of the session to that table.
    pub(crate) fn of(published: &Published, target: &Fields, knowledge: &'a Knowledge) -> Self {
        let others = published.sessions() as f64 - 1.0;
        let totals = published.totals();
        let sigma = BOUNDED.map(|(field, ..)| published.noise * clamp_of(field, WINDOW) as f64);
        let scale = std::array::from_fn(|field| {
            let theirs = totals.map(|totals| (totals[field] - target[field] as f64).max(0.0));
            theirs.map_or(1.0, |theirs| theirs / (others * knowledge.shown[field]).max(1e-9))
        });
        Self { knowledge, scale, sigma }
    }

    /// Returns the logarithm of the likelihood ratio of a row with and without the session.
    pub(crate) fn ratio(&self, table: usize, row: &Row, adds: &Fields) -> f64 {
        let Some(fields) = row.fields else { return 0.0 };
        let usual = self.knowledge.of_row[table].get(&row.cell_key).unwrap_or(&self.knowledge.all);
        let sessions = row.sessions as f64;
        let mut ratio = 0.0;
        for field in 0..FIELDS {
            let add = adds[field] as f64;
            let density = |others: f64, with: f64| {
                // Without noise and without other sessions, a field is exact. In that case, a standard deviation of a
                // thousandth is used.
                let theirs = others * self.scale[field];
                let variance = self.sigma[field].powi(2) + theirs * usual.variance[field] + 1e-6;
                let off = fields[field] - theirs * usual.mean[field] - with;
                -0.5 * (off * off / variance + variance.ln())
            };
            ratio += density(sessions - 1.0, add) - density(sessions, 0.0);
        }
        ratio
    }
}

/// A guess and the probability that the attacker assigns to it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Guess {
    pub(crate) row: usize,
    pub(crate) chance: f64,
}

/// Returns the most likely row. The prior probability of a row is proportional to its size.
pub(crate) fn guess(weights: impl Iterator<Item = f64>, ratios: impl Iterator<Item = f64>) -> Guess {
    let scores: Vec<f64> = weights.zip(ratios).map(|(weight, ratio)| weight.ln() + ratio).collect();
    let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let row = scores.iter().position(|score| *score == most).unwrap_or(0);
    let sum: f64 = scores.iter().map(|score| (score - most).exp()).sum();
    Guess { row, chance: 1.0 / sum }
}
