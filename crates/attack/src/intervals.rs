//! Attack 2: bounds for small groups. A star row is a row with `*`. The attacker tries every sequence of merges that
//! may have led to a star row, and applies linear programming to the rows of two tables.

use std::collections::{BTreeSet, HashSet};

use crowdfold_testkit::oracle::possible_rests;

use crate::rows::{Published, Row, Table};
use crate::scenario::{Rules, Scenario};
use crate::simplex::Program;

/// The maximum size of a star row that is attacked. Larger rows have too many possible sequences of merges, and their
/// bounds are wide.
const MOST: u64 = 600;

/// A star row, with the values that an attacker can read or compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Star {
    pub(crate) sessions: u64,
    /// The size of the smallest other row of its node, if there is one.
    pub(crate) left: Option<u64>,
}

/// Returns the star rows of a table with their indexes.
pub(crate) fn stars(table: &Table) -> Vec<(usize, Star)> {
    let is_star = |row: &Row| row.cell_key.last().is_some_and(|value| value == "*");
    let stars = table.rows.iter().enumerate().filter(|(_, row)| is_star(row));
    let star = |(at, row): (usize, &Row)| {
        let depth = row.cell_key.iter().position(|value| value == "*").unwrap_or(0);
        let others = table.rows.iter().enumerate().filter(|(other, _)| *other != at);
        let below = others.filter(|(_, other)| other.cell_key[..depth] == row.cell_key[..depth]);
        (at, Star { sessions: row.sessions, left: below.map(|(_, other)| other.sessions).min() })
    };
    stars.map(star).collect()
}

/// Returns every possible size of the small rest of a star row. A size is possible if a sequence of merges leads from a
/// rest of this size to the star row. If `taken` is set, only sequences with this number of merged rows count.
pub(crate) fn rests(star: Star, k: u64, margin: u64, taken: Option<u64>) -> BTreeSet<u64> {
    let mut search = Search { star, k, margin, taken, dead_ends: HashSet::new() };
    (1..k).filter(|rest| search.reaches((*rest, 0, k))).collect()
}

/// A search for sequences of merges that end in a star row.
struct Search {
    star: Star,
    k: u64,
    margin: u64,
    /// The number of merged rows, if known.
    taken: Option<u64>,
    /// States from which no sequence leads to the star row.
    dead_ends: HashSet<(u64, u64, u64)>,
}

impl Search {
    /// Returns true if a sequence of merges leads from a state to the star row. A state consists of the sessions so
    /// far, the number of merged rows, and the size of the last merged row.
    fn reaches(&mut self, from: (u64, u64, u64)) -> bool {
        let (sum, taken, last) = from;
        let Self { star, k, margin, .. } = *self;
        if self.dead_ends.contains(&from) {
            return false;
        }
        if sum == star.sessions && taken > 0 && self.taken.is_none_or(|wanted| wanted == taken) {
            let stops = star.left.is_none_or(|left| possible_rests(sum, taken, left, k) >= margin);
            if stops {
                return true;
            }
        }
        let mut reaches = false;
        if self.taken.is_none_or(|wanted| taken < wanted) && sum + last <= star.sessions {
            let largest = star.left.unwrap_or(star.sessions).min(star.sessions - sum);
            reaches = (last..=largest).any(|next| {
                let continues = taken == 0 || sum < k || possible_rests(sum, taken, next, k) < margin;
                continues && self.reaches((sum + next, taken + 1, next))
            });
        }
        if !reaches {
            self.dead_ends.insert(from);
        }
        reaches
    }
}

/// The bounds for small rests in published star rows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rests {
    /// The number of small rests in star rows whose node has other rows. The next four fields count some of these
    /// rests.
    pub(crate) beside_rows: u64,
    /// The number of rests that have fewer than b possible sizes if the attacker knows the number of merged rows.
    pub(crate) narrow: u64,
    /// The number of rests that have fewer than b possible sizes by all sequences of merges together.
    pub(crate) narrow_by_history: u64,
    /// The number of rests whose size is bounded to within ±1 by all sequences of merges together. `within_3` is the
    /// same for ±3.
    pub(crate) within_1: u64,
    pub(crate) within_3: u64,
    /// The number of small rests in star rows whose node has no other row. The next two fields count the rests among
    /// them whose size is bounded to within ±1, and to within ±3.
    pub(crate) alone: u64,
    pub(crate) alone_within_1: u64,
    pub(crate) alone_within_3: u64,
    /// The minimum number of possible sizes of a rest whose node has other rows.
    pub(crate) fewest: Option<u64>,
}

impl Rests {
    /// Attacks every star row of a window, and compares the result with the actual rest in the scenario.
    pub(crate) fn attack(&mut self, scenario: &Scenario, published: &Published, least: u64) {
        for (folded, table) in scenario.tables.iter().zip(&published.tables) {
            for (at, star) in stars(table) {
                let (taken, rest) = folded.taken[at];
                if taken == 0 || star.sessions > MOST {
                    continue;
                }
                let all = rests(star, published.k, published.margin, None);
                assert!(
                    all.contains(&rest),
                    "{star:?} has a rest of {rest}, which is not among the possible sizes"
                );
                let width = all.last().zip(all.first()).map_or(0, |(last, first)| last - first + 1);
                let Some(left) = star.left else {
                    self.alone += 1;
                    self.alone_within_1 += u64::from(width <= 3);
                    self.alone_within_3 += u64::from(width <= 7);
                    continue;
                };
                self.beside_rows += 1;
                self.narrow += u64::from(possible_rests(star.sessions, taken, left, published.k) < least);
                self.narrow_by_history += u64::from((all.len() as u64) < least);
                self.within_1 += u64::from(width <= 3);
                self.within_3 += u64::from(width <= 7);
                self.fewest =
                    Some(self.fewest.map_or(all.len() as u64, |fewest| fewest.min(all.len() as u64)));
            }
        }
    }
}

/// Bounds for groups that are in one row of one table and one row of another.
#[derive(Clone, Debug, Default)]
pub(crate) struct Products {
    /// The number of groups of 1 to k − 1 sessions.
    pub(crate) small: u64,
    pub(crate) within_1: u64,
    pub(crate) within_3: u64,
    /// The number of groups of any size whose bounds are less than k apart. Groups that are a whole row do not count.
    pub(crate) narrow: u64,
}

impl Products {
    /// Computes bounds for every group of two tables by linear programming.
    pub(crate) fn attack(
        &mut self,
        scenario: &Scenario,
        published: &Published,
        (one, other): (usize, usize),
        k: u64,
    ) {
        let (rows, columns) = (&published.tables[one].rows, &published.tables[other].rows);
        let mut truth = vec![0; rows.len() * columns.len()];
        for session in 0..scenario.sessions.len() {
            let (row, column) =
                (scenario.tables[one].row_of(session), scenario.tables[other].row_of(session));
            truth[row * columns.len() + column] += 1;
        }
        let mut program = Program::new(truth.len());
        for (at, row) in rows.iter().enumerate() {
            let covers = (0..truth.len()).map(|group| group / columns.len() == at);
            program.equals(covers.collect(), row.sessions);
        }
        for (at, column) in columns.iter().enumerate() {
            let covers = (0..truth.len()).map(|group| group % columns.len() == at);
            program.equals(covers.collect(), column.sessions);
        }
        for (group, sessions) in truth.iter().enumerate() {
            let (least, most) = program.bounds(group);
            let (least, most) = (least.ceil() as u64, most.floor() as u64);
            assert!((least..=most).contains(sessions), "{sessions} is not between {least} and {most}");
            let width = most - least + 1;
            // If one of the tables has only one row, each group is a row of the other table.
            let is_whole = rows.len() == 1 || columns.len() == 1;
            self.narrow += u64::from(!is_whole && width <= k);
            if (1..k).contains(sessions) {
                self.small += 1;
                self.within_1 += u64::from(width <= 3);
                self.within_3 += u64::from(width <= 7);
            }
        }
    }
}

/// Returns rules without a margin.
pub(crate) fn without_margin() -> Rules {
    Rules { margin: 0, ..Rules::default() }
}
