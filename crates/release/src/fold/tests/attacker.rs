//! Adds and subtracts published rows as an attacker would. The scenarios are small enough to try every combination.

use crowdfold_model::{Cell, Table};
use crowdfold_random::Random;

use crate::fold::{Margin, fold};
use crate::testing::cell_key;

/// The session count of one row, and the points of the scenario that the row covers. A point is a combination of two
/// dimension values.
struct Published {
    sessions: i64,
    covers: Vec<bool>,
}

/// Returns the smallest number of sessions above 0 that can be computed for a set of points by adding and subtracting
/// rows.
fn least_computed(rows: &[Published], points: usize) -> Option<i64> {
    let mut least = None;
    for mut code in 0..3_usize.pow(rows.len() as u32) {
        let (mut sessions, mut function) = (0, vec![0_i64; points]);
        for row in rows {
            let sign = (code % 3) as i64 - 1;
            code /= 3;
            sessions += sign * row.sessions;
            function.iter_mut().zip(&row.covers).for_each(|(at, covers)| *at += sign * i64::from(*covers));
        }
        if sessions > 0 && function.iter().all(|at| matches!(at, 0 | 1)) {
            least = Some(least.map_or(sessions, |least: i64| least.min(sessions)));
        }
    }
    least
}

/// The number of sessions for each pair of values of the two dimensions.
type Scenario = [[u64; 3]; 3];

fn scenario(numbers: &mut Random) -> Scenario {
    std::array::from_fn(|_| {
        std::array::from_fn(|_| match numbers.bits() % 4 {
            0 => 0,
            1 => 1 + numbers.bits() % 3,
            2 => 1 + numbers.bits() % 12,
            _ => 5 + numbers.bits() % 30,
        })
    })
}

/// Builds a table. `of` returns the cell key of a point. The field `beacons` of a cell has one bit for each point in
/// the cell.
fn cells(scenario: &Scenario, of: impl Fn(usize, usize) -> Vec<String>) -> Table {
    let mut table = Table::new();
    for (a, row) in scenario.iter().enumerate() {
        for (b, sessions) in row.iter().enumerate().filter(|(_, sessions)| **sessions > 0) {
            let mut cell = Cell { sessions: *sessions, ..Cell::default() };
            cell.sums.beacons = 1 << (3 * a + b);
            table.entry(cell_key(&of(a, b))).or_default().add(&cell);
        }
    }
    table
}

/// Returns the session counts of rows and the points that they cover. Points without sessions do not count as
/// covered, which gives the attacker more combinations.
fn published(rows: impl IntoIterator<Item = Cell>) -> Vec<Published> {
    let one = |cell: Cell| Published {
        sessions: cell.sessions as i64,
        covers: (0..9).map(|point| cell.sums.beacons >> point & 1 == 1).collect(),
    };
    rows.into_iter().map(one).collect()
}

fn folded(table: Table, k: u64) -> Vec<Published> {
    published(fold(table, Margin::NONE, |cell| cell.sessions >= k).into_iter().map(|row| row.cell))
}

#[test]
fn no_group_below_k_can_be_computed_from_one_table() {
    let mut numbers = Random::new(1);
    let mut releases = 0;
    for _ in 0..200 {
        let scenario = scenario(&mut numbers);
        for k in [2, 5, 10] {
            let rows = folded(cells(&scenario, |a, b| vec![a.to_string(), b.to_string()]), k);
            releases += usize::from(!rows.is_empty());
            let least = least_computed(&rows, 9);
            assert!(
                least.is_none_or(|least| least >= k as i64),
                "{least:?} sessions can be computed with k = {k} in {scenario:?}"
            );
        }
    }
    assert!(releases > 300, "{releases} releases are too few to attack");
}

#[test]
fn no_group_below_k_can_be_computed_from_two_tables_of_different_families() {
    let mut numbers = Random::new(2);
    let mut releases = 0;
    for _ in 0..300 {
        let scenario = scenario(&mut numbers);
        for k in [2, 5, 10] {
            let mut rows = folded(cells(&scenario, |a, _| vec![a.to_string()]), k);
            let first = rows.len();
            rows.extend(folded(cells(&scenario, |_, b| vec![b.to_string()]), k));
            // Each table has only one of the two dimensions. A row that covers a value of this dimension covers all
            // points with that value.
            for (index, row) in rows.iter_mut().enumerate() {
                let value = |point: usize| if index < first { point / 3 } else { point % 3 };
                let covered: Vec<_> = (0..9).filter(|point| row.covers[*point]).map(value).collect();
                row.covers = (0..9).map(|point| covered.contains(&value(point))).collect();
            }
            releases += usize::from(rows.len() > 2);
            let least = least_computed(&rows, 9);
            assert!(
                least.is_none_or(|least| least >= k as i64),
                "{least:?} sessions can be computed with k = {k} in {scenario:?}"
            );
        }
    }
    assert!(releases > 300, "{releases} releases are too few to attack");
}

#[test]
fn attacker_computes_a_small_group_if_rows_are_not_folded() {
    let scenario = [[900, 70, 9], [0, 30, 0], [4, 0, 0]];
    let table = cells(&scenario, |a, b| vec![a.to_string(), b.to_string()]);
    assert_eq!(least_computed(&published(table.into_values()), 9), Some(4));
}

#[test]
fn attacker_computes_a_small_group_from_two_tables_of_one_family() {
    // The table [a, b] has the rows */* with 65 sessions and a0/b1 with 90 sessions. The table [a] has the row a0 with
    // 150 sessions. So 65 - (150 - 90) = 5 sessions belong to a1.
    let scenario = [[60, 90, 0], [5, 0, 0], [70, 0, 0]];
    let mut rows = folded(cells(&scenario, |a, b| vec![a.to_string(), b.to_string()]), 50);
    rows.extend(folded(cells(&scenario, |a, _| vec![a.to_string()]), 50));
    assert_eq!(least_computed(&rows, 9), Some(5));
}
