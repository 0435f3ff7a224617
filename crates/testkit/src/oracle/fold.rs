//! Folds tables with a margin. The steps are those of docs/internals/privacy-model.md.

use std::collections::BTreeSet;

use super::{Cell, Cells};

/// A published row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The value of each dimension of the breakdown. A folded value is `*`.
    pub cell_key: Vec<String>,
    /// The sums over the sessions of the row.
    pub cell: Cell,
    /// The number of rows that were merged with a group below `k` to form this row.
    pub taken: u64,
    /// The number of sessions of that group before it was merged with rows.
    pub rest: u64,
}

/// Folds the cells of a table. Returns the rows ordered by their dimension values. Returns no rows if the table has
/// fewer than `k` sessions. If a group below `k` is merged with rows, the resulting row permits at least `margin` sizes
/// of that group, or contains all rows of its node.
#[must_use]
pub fn fold(cells: &Cells, k: u64, margin: u64) -> Vec<Row> {
    let depth = cells.keys().next().map_or(0, Vec::len);
    let (mut rows, _withheld) = fold_node(cells, k, margin, &[], depth);
    rows.sort_by(|a, b| a.cell_key.cmp(&b.cell_key));
    rows
}

/// Folds the cells whose dimension values begin with `prefix`. Returns their rows, and the remaining group below `k`,
/// which the caller merges at the level above.
fn fold_node(cells: &Cells, k: u64, margin: u64, prefix: &[String], depth: usize) -> (Vec<Row>, Cell) {
    if prefix.len() == depth {
        let cell = cells.get(prefix).cloned().unwrap_or_default();
        return if cell.sessions >= k {
            (vec![Row { cell_key: prefix.to_vec(), cell, taken: 0, rest: 0 }], Cell::default())
        } else {
            (Vec::new(), cell)
        };
    }

    let under = cells.keys().filter(|cell_key| cell_key.starts_with(prefix));
    let children: BTreeSet<&String> = under.map(|cell_key| &cell_key[prefix.len()]).collect();
    let mut rows = Vec::new();
    let mut rest = Cell::default();
    for child in children {
        let prefix: Vec<String> = prefix.iter().chain([child]).cloned().collect();
        let (theirs, left) = fold_node(cells, k, margin, &prefix, depth);
        rows.extend(theirs);
        rest.add(&left);
    }

    let (before, mut taken) = (rest.sessions, 0);
    if 0 < rest.sessions && rest.sessions < k {
        rows.sort_by(|a, b| (a.cell.sessions, &a.cell_key).cmp(&(b.cell.sessions, &b.cell_key)));
        while let Some(smallest) = rows.first() {
            let is_hidden = possible_rests(rest.sessions, taken, smallest.cell.sessions, k) >= margin;
            if rest.sessions >= k && is_hidden {
                break;
            }
            rest.add(&rows.remove(0).cell);
            taken += 1;
        }
    }
    if rest.sessions >= k {
        let stars = (prefix.len()..depth).map(|_| "*".to_string());
        let cell_key = prefix.iter().cloned().chain(stars).collect();
        rows.push(Row { cell_key, cell: rest, taken, rest: before });
        rest = Cell::default();
    }
    (rows, rest)
}

/// Returns the number of sizes that the small group in a row with `*` can have. The row has `star` sessions, and
/// consists of the group and of `taken` rows. The group has between 1 and k − 1 sessions. Each of the rows has at least
/// `k` sessions, and at most `left`, which is the size of the smallest row that was not merged.
#[must_use]
pub fn possible_rests(star: u64, taken: u64, left: u64, k: u64) -> u64 {
    let most = (k - 1).min(star.saturating_sub(taken * k));
    let least = star.saturating_sub(taken * left).max(1);
    (most + 1).saturating_sub(least)
}
