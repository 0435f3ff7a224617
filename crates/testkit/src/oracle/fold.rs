//! Folding with a margin, step by step as the page on privacy has it.

use std::collections::BTreeSet;

use super::{Cell, Cells};

/// A published row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// One value for each dimension of the breakdown, `*` where it was folded.
    pub cell_key: Vec<String>,
    /// What its sessions add up to.
    pub cell: Cell,
    /// The rows that a small rest took in to become this one.
    pub taken: u64,
    /// The sessions of that rest before it took them in.
    pub rest: u64,
}

/// Returns the rows of a table in the order of cell keys; none if it stands for fewer than `k` sessions. A rest that
/// takes in rows leaves at least `margin` possible sizes for itself, or takes in every row of its node.
#[must_use]
pub fn fold(cells: &Cells, k: u64, margin: u64) -> Vec<Row> {
    let depth = cells.keys().next().map_or(0, Vec::len);
    let (mut rows, _withheld) = fold_node(cells, k, margin, &[], depth);
    rows.sort_by(|a, b| a.cell_key.cmp(&b.cell_key));
    rows
}

/// The rows under the node with that prefix, and the rest that goes up.
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

/// Returns the number of sizes that a rest may have had, which is all that a star row of `star` sessions tells whoever
/// knows that it took in `taken` rows: each of those had between `k` sessions and the `left` of the smallest row that
/// stayed, and the rest had between 1 and k − 1.
#[must_use]
pub fn possible_rests(star: u64, taken: u64, left: u64, k: u64) -> u64 {
    let most = (k - 1).min(star.saturating_sub(taken * k));
    let least = star.saturating_sub(taken * left).max(1);
    (most + 1).saturating_sub(least)
}
