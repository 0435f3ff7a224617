//! Folding, word for word as the page on privacy has it.

use std::collections::BTreeSet;

use super::{Cell, Cells};

/// A published row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// One value for each dimension of the drill-down, `*` where it was folded.
    pub label: Vec<String>,
    /// What its sessions add up to.
    pub cell: Cell,
}

/// The rows of a table, in label order; none if it stands for fewer than `k` sessions.
#[must_use]
pub fn fold(cells: &Cells, k: u64) -> Vec<Row> {
    let depth = cells.keys().next().map_or(0, Vec::len);
    let (mut rows, _withheld) = fold_node(cells, k, &[], depth);
    rows.sort_by(|a, b| a.label.cmp(&b.label));
    rows
}

/// The rows under the node with that prefix, and the rest that goes up.
fn fold_node(cells: &Cells, k: u64, prefix: &[String], depth: usize) -> (Vec<Row>, Cell) {
    if prefix.len() == depth {
        let cell = cells.get(prefix).cloned().unwrap_or_default();
        return if cell.sessions >= k {
            (vec![Row { label: prefix.to_vec(), cell }], Cell::default())
        } else {
            (Vec::new(), cell)
        };
    }

    let under = cells.keys().filter(|label| label.starts_with(prefix));
    let children: BTreeSet<&String> = under.map(|label| &label[prefix.len()]).collect();
    let mut rows = Vec::new();
    let mut rest = Cell::default();
    for child in children {
        let prefix: Vec<String> = prefix.iter().chain([child]).cloned().collect();
        let (theirs, left) = fold_node(cells, k, &prefix, depth);
        rows.extend(theirs);
        rest.add(&left);
    }

    rows.sort_by(|a, b| (a.cell.sessions, &a.label).cmp(&(b.cell.sessions, &b.label)));
    while 0 < rest.sessions && rest.sessions < k && !rows.is_empty() {
        rest.add(&rows.remove(0).cell);
    }
    if rest.sessions >= k {
        let stars = (prefix.len()..depth).map(|_| "*".to_string());
        rows.push(Row { label: prefix.iter().cloned().chain(stars).collect(), cell: rest });
        rest = Cell::default();
    }
    (rows, rest)
}
