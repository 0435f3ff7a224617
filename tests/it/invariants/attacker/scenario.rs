//! Small random scenarios with a number of sessions at each point, and the rows that `release` publishes for them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crowdfold_model::{Cell, CellKey, Dimension, Span, Table, Timestamp, ValueMetric, Window};
use crowdfold_random::Random;
use crowdfold_release::{Detail, Policy, PolicySettings, release};
use serde_json::Value;

/// The number of values of each dimension.
const VALUES: usize = 3;

/// The sessions of a scenario. Axis 0 is the window, and the other axes are the dimensions, ordered by name.
pub(super) struct Scenario {
    windows: usize,
    names: Vec<String>,
    /// The number of sessions at each point. The points are in the order of their coordinates, with axis 0 as the
    /// slowest.
    sessions: Vec<u64>,
    /// True if the attacker assumes that a row with `*` also covers the matching points without sessions. If false, no
    /// row covers a point without sessions.
    empty_too: bool,
}

/// A released row, and the points that it covers. The attacker knows which cells were folded into a row, although the
/// published values do not show this.
pub(super) struct Row {
    pub(super) sessions: u64,
    pub(super) covers: Vec<bool>,
}

impl Scenario {
    fn empty(breakdowns: &[&[&str]], windows: usize) -> Self {
        let mut names: Vec<String> =
            breakdowns.iter().flat_map(|d| d.iter().map(ToString::to_string)).collect();
        names.sort();
        names.dedup();
        let points = windows * VALUES.pow(names.len() as u32);
        Self { windows, names, sessions: vec![0; points], empty_too: true }
    }

    /// Returns a random scenario. Many points have no sessions, and the others have from one to 34.
    pub(super) fn random(seed: u64, breakdowns: &[&[&str]]) -> Self {
        let mut dice = Random::new(seed);
        // With four dimensions, a scenario has only one window, to limit the number of points.
        let mut scenario = Self::empty(breakdowns, 2);
        if scenario.names.len() > 3 {
            scenario = Self::empty(breakdowns, 1);
        }
        scenario.empty_too = seed.is_multiple_of(2);
        // With more points, a larger share of them is empty. Otherwise a product of many points would never have few
        // sessions.
        let rare = 1 + scenario.sessions.len() as u64 / 12;
        for at in &mut scenario.sessions {
            *at = match dice.below(3 + rare) {
                0 => 1 + dice.below(3),
                1 => 1 + dice.below(12),
                2 => 5 + dice.below(30),
                _ => 0,
            };
        }
        scenario
    }

    /// Returns a scenario with one window and two dimensions. `sessions[second][first]` is the number of sessions with
    /// these values of the first and the second dimension, in the order of their names.
    pub(super) fn of(breakdowns: &[&[&str]], sessions: &[[u64; VALUES]; VALUES]) -> Self {
        let mut scenario = Self::empty(breakdowns, 1);
        for (second, row) in sessions.iter().enumerate() {
            for (first, count) in row.iter().enumerate() {
                scenario.sessions[first * VALUES + second] = *count;
            }
        }
        scenario
    }

    /// Returns the window (axis 0) or the dimension value (other axes) of a point.
    fn coordinate(&self, point: usize, axis: usize) -> usize {
        let below = VALUES.pow((self.names.len() - axis) as u32);
        let most = if axis == 0 { self.windows } else { VALUES };
        point / below % most
    }

    /// Returns the values of a point for the dimensions of a breakdown.
    fn cell_key(&self, point: usize, breakdown: &[&str]) -> Vec<String> {
        let axis = |name: &&str| 1 + self.names.iter().position(|known| known == name).unwrap();
        breakdown.iter().map(|name| self.coordinate(point, axis(name)).to_string()).collect()
    }

    pub(super) fn sessions_of(&self, points: &[bool]) -> u64 {
        self.sessions.iter().zip(points).filter(|(_, covered)| **covered).map(|(sessions, _)| sessions).sum()
    }

    /// Returns the released rows of all windows. The release is repeated with each table as the detail table, because
    /// only sums of the detail table identify the cells of a row. The attacker receives only the session counts.
    pub(super) fn released(&self, breakdowns: &[&[&str]], k: u64) -> Vec<Row> {
        let dimensions =
            breakdowns.iter().map(|d| d.iter().map(|name| Dimension::named(name).unwrap()).collect());
        let dimensions: Vec<Vec<_>> = dimensions.collect();
        let policy = |detail| {
            let settings = PolicySettings {
                k,
                allow_small_k: true,
                breakdowns: dimensions.clone(),
                detail: Detail::Index(detail),
                ..PolicySettings::default()
            };
            Policy::threshold(settings).unwrap()
        };
        let policies: Vec<_> = (0..breakdowns.len()).map(policy).collect();
        let windows = (0..self.windows).flat_map(|window| (0..breakdowns.len()).map(move |at| (window, at)));
        windows.flat_map(|(window, at)| self.released_in(window, breakdowns, &policies[at], at)).collect()
    }

    /// Returns the rows of the table of breakdown `of` in one window.
    fn released_in(&self, window: usize, breakdowns: &[&[&str]], policy: &Policy, of: usize) -> Vec<Row> {
        let here = |point: &usize| self.coordinate(*point, 0) == window;
        // Each cell has a distribution with one value, which is a different power of two. Therefore the sum of a row
        // identifies its cells.
        let table = |breakdown: &&[&str]| -> BTreeMap<Vec<String>, Cell> {
            let mut table = BTreeMap::<_, Cell>::new();
            for point in (0..self.sessions.len()).filter(here).filter(|point| self.sessions[*point] > 0) {
                table.entry(self.cell_key(point, breakdown)).or_default().sessions += self.sessions[point];
            }
            for (cell, number) in table.values_mut().zip(0..) {
                cell.values[ValueMetric::BandwidthKbps].record(1 << number);
            }
            table
        };
        let marked: Vec<_> = breakdowns.iter().map(table).collect();
        let shared =
            |cell_key: &Vec<String>| -> CellKey { cell_key.iter().map(|v| Arc::from(v.as_str())).collect() };
        let tables = marked.iter().map(|table| -> Table {
            table.iter().map(|(cell_key, cell)| (shared(cell_key), cell.clone())).collect()
        });
        let span = Window::at(Timestamp::EPOCH + Span::SECOND * window as u64, Span::SECOND);
        let released = release("tenant", span, tables.collect(), policy, None);
        assert_eq!(released.fault, None);
        let mut rollups = released.rollups.iter();
        let mut rows = Vec::new();
        for (at, ((breakdown, marked), count)) in
            breakdowns.iter().zip(&marked).zip(&released.rows).enumerate()
        {
            for rollup in rollups.by_ref().take(*count as usize).filter(|_| at == of) {
                let json: Value = serde_json::from_slice(&rollup.json()).unwrap();
                let mark = json["bandwidth_kbps"]["sum"].as_u64().unwrap();
                let held = marked.keys().zip(0..).filter(|(_, number)| mark >> number & 1 == 1);
                let held: BTreeSet<_> = held.map(|(cell_key, _)| cell_key.clone()).collect();
                let prefix: Vec<_> =
                    rollup.cell_key().take_while(|value| *value != "*").map(String::from).collect();
                let covers = |point: usize| {
                    let cell_key = self.cell_key(point, breakdown);
                    let empty = !marked.contains_key(&cell_key);
                    here(&point)
                        && (held.contains(&cell_key)
                            || empty && self.empty_too && cell_key.starts_with(&prefix))
                };
                rows.push(Row {
                    sessions: rollup.sessions(),
                    covers: (0..self.sessions.len()).map(covers).collect(),
                });
            }
        }
        rows
    }

    /// Returns every product of a nonempty set of windows and a nonempty set of values of each dimension, as the points
    /// that it covers.
    pub(super) fn products(&self) -> impl Iterator<Item = Vec<bool>> {
        let most: Vec<usize> = (0..=self.names.len())
            .map(|axis| (1 << if axis == 0 { self.windows } else { VALUES }) - 1)
            .collect();
        (0..most.iter().product()).map(move |mut code: usize| {
            let mut sets = Vec::with_capacity(most.len());
            for most in &most {
                sets.push(code % most + 1);
                code /= most;
            }
            let covers = |point: &usize| {
                sets.iter().enumerate().all(|(axis, set)| set >> self.coordinate(*point, axis) & 1 == 1)
            };
            (0..self.sessions.len()).map(|point| covers(&point)).collect()
        })
    }
}
