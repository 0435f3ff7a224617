//! Folds the rows of one table: adds rows that are not a crowd to other rows, until each row is a crowd.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::mem;
use std::sync::Arc;

use crowdfold_model::{Cell, CellKey, FOLDED, Table};

#[cfg(test)]
mod tests;

/// A cell with its cell key. After folding, it is a crowd.
#[derive(Debug, Default)]
pub(crate) struct Row {
    pub(crate) cell_key: CellKey,
    pub(crate) cell: Cell,
}

/// The rule that determines how many rows are merged with a small rest. After merging, the size of the row must leave a
/// minimum number of possible sizes for the rest.
///
/// An attacker who knows the algorithm knows how a row with `*` was formed. Some rows were merged with a rest of fewer
/// than k sessions. Each merged row has at least k sessions, and at most as many as the smallest row that was not
/// merged. This bounds the size of the rest from both sides.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Margin {
    /// The minimum number of sessions of a row. A small rest has fewer sessions.
    pub(crate) k: u64,
    /// The minimum number of possible sizes of the rest. The documentation calls this number b.
    pub(crate) least: u64,
}

impl Margin {
    /// A disabled margin: merging ends as soon as the rest is a crowd.
    #[cfg(test)]
    pub(crate) const NONE: Self = Self { k: 0, least: 0 };

    /// Returns true if a row with `*` leaves enough possible sizes for its rest. The row has `sessions` sessions,
    /// `taken` rows were merged with the rest, and the smallest row that was not merged has `smallest_left` sessions.
    fn is_kept(self, sessions: u64, taken: u64, smallest_left: u64) -> bool {
        if self.least == 0 {
            return true;
        }
        let [k, least, sessions, taken, smallest_left] =
            [self.k, self.least, sessions, taken, smallest_left].map(i128::from);
        let most = (k - 1).min(sessions - taken * k);
        let fewest = (sessions - taken * smallest_left).max(1);
        most - fewest + 1 >= least
    }
}

/// Folds one table. Returns the rows in the order of their cell keys. Together the rows contain every session of the
/// table. If the whole table is not a crowd, the result is empty.
///
/// A *leaf* is a cell of the table. A *node* is a prefix of cell keys. The *rest* of a node is the sum of the leaves
/// below it that are not crowds. A rest that is not a crowd is merged with rows of its node, the smallest row first. If
/// rows have equal sessions, the row with the lesser cell key is merged first. Merging ends when the rest is a crowd
/// and keeps the margin, or when no row is left. If the rest is still not a crowd, it is added to the rest of the node
/// above.
///
/// All cell keys must have the same length of at least 1, and must not contain `*`. Each cell must have at least one
/// session. `is_crowd` must be monotone: a crowd must remain a crowd when sessions are added.
pub(crate) fn fold(table: Table, margin: Margin, is_crowd: impl Fn(&Cell) -> bool) -> Vec<Row> {
    let mut fold = Fold {
        slots: table.into_iter().map(|(cell_key, cell)| Row { cell_key, cell }).collect(),
        rows: Vec::new(),
        open: Vec::new(),
        star: Arc::from(FOLDED),
        margin,
        is_crowd,
    };
    for leaf in 0..fold.slots.len() {
        fold.enter(leaf);
        fold.add_leaf(leaf);
    }
    while let Some(node) = fold.open.pop() {
        fold.close(node);
    }
    let Fold { mut slots, rows, .. } = fold;
    rows.into_iter().map(|slot| mem::take(&mut slots[slot])).collect()
}

/// A node during the walk over its leaves.
struct Node {
    /// The index of the first row of this node in `rows`. All rows after that index also belong to this node.
    first_row: usize,
    /// The slot that contains the rest of the node. `None` if there is no rest.
    rest: Option<usize>,
}

/// A walk over the leaves in the order of their cell keys. The nodes that contain the current leaf are open. Each leaf
/// has a slot. When cells are merged, their sum is stored in the slot of one of them. Rows and rests are identified by
/// their slot, so cells are not moved.
struct Fold<F> {
    /// One slot for each leaf, in the order of the cell keys.
    slots: Vec<Row>,
    /// The slots of the rows so far, in the order of their cell keys.
    rows: Vec<usize>,
    /// The nodes above the current leaf, from the root downwards.
    open: Vec<Node>,
    star: Arc<str>,
    margin: Margin,
    is_crowd: F,
}

impl<F: Fn(&Cell) -> bool> Fold<F> {
    /// Closes the open nodes that do not contain the leaf, and opens the nodes that contain it.
    fn enter(&mut self, leaf: usize) {
        let cell_key = &self.slots[leaf].cell_key;
        let depth = cell_key.len();
        let shared = match leaf.checked_sub(1) {
            Some(previous) => self.slots[previous]
                .cell_key
                .iter()
                .zip(cell_key)
                .take_while(|(one, other)| one == other)
                .count(),
            None => 0,
        };
        while self.open.len() > shared + 1 {
            if let Some(node) = self.open.pop() {
                self.close(node);
            }
        }
        let first_row = self.rows.len();
        self.open.resize_with(depth, || Node { first_row, rest: None });
    }

    /// Makes a leaf a row if it is a crowd. Otherwise adds the leaf to the rest of its node.
    fn add_leaf(&mut self, leaf: usize) {
        if (self.is_crowd)(&self.slots[leaf].cell) {
            self.rows.push(leaf);
        } else {
            self.add_to_rest_above(leaf);
        }
    }

    /// Closes a node. If its rest is not a crowd, merges rows of the node with the rest. If the rest is then a crowd,
    /// makes it a row. Otherwise adds it to the rest of the node above.
    fn close(&mut self, node: Node) {
        let Some(mut rest) = node.rest else { return };
        if !(self.is_crowd)(&self.slots[rest].cell) {
            rest = self.merge_rows(rest, node.first_row);
        }
        if (self.is_crowd)(&self.slots[rest].cell) {
            self.publish(rest, node.first_row);
        } else {
            self.add_to_rest_above(rest);
        }
    }

    /// Merges rows of a node with its rest, the smallest row first, until the rest is a crowd that keeps the margin, or
    /// until no row is left. The rows of the node begin at `first_row`. Returns the slot of the rest.
    fn merge_rows(&mut self, mut rest: usize, first_row: usize) -> usize {
        // Rows are in the order of their cell keys. So if rows have equal sessions, the row with the lowest index has
        // the least cell key.
        let size = |at: usize| self.slots[self.rows[at]].cell.sessions;
        let mut left: BinaryHeap<_> =
            (first_row..self.rows.len()).map(|at| Reverse((size(at), at))).collect();
        let mut taken = Vec::new();
        while let Some(Reverse((smallest_left, at))) = left.peek().copied() {
            let cell = &self.slots[rest].cell;
            if (self.is_crowd)(cell) && self.margin.is_kept(cell.sessions, taken.len() as u64, smallest_left)
            {
                break;
            }
            left.pop();
            taken.push(at);
            rest = self.join(self.rows[at], rest);
        }
        taken.sort_unstable();
        let later = self.rows.split_off(first_row);
        let is_left = |at: &usize| taken.binary_search(at).is_err();
        let left = (first_row..).zip(later).filter(|(at, _)| is_left(at));
        self.rows.extend(left.map(|(_, slot)| slot));
        rest
    }

    /// Makes the rest of the closed node a row: replaces the values below the node by `*`, and inserts the row in the
    /// order of cell keys.
    fn publish(&mut self, slot: usize, first_row: usize) {
        let depth = self.open.len();
        self.slots[slot].cell_key[depth..].fill(Arc::clone(&self.star));
        let slots = &self.slots;
        let before = |row: &usize| slots[*row].cell_key.cmp(&slots[slot].cell_key) == Ordering::Less;
        let at = first_row + self.rows[first_row..].partition_point(before);
        self.rows.insert(at, slot);
    }

    /// Adds a slot to the rest of the innermost open node. If no node is open, the root is closed and its rest is not a
    /// crowd. In that case the slot is dropped, and the table has no rows.
    fn add_to_rest_above(&mut self, slot: usize) {
        let Some(rest) = self.open.last().map(|node| node.rest) else { return };
        let joined = match rest {
            Some(rest) => self.join(rest, slot),
            None => slot,
        };
        if let Some(node) = self.open.last_mut() {
            node.rest = Some(joined);
        }
    }

    /// Adds the cell of the slot `from` to the slot `into`, and returns `into`.
    fn join(&mut self, into: usize, from: usize) -> usize {
        let from = mem::take(&mut self.slots[from].cell);
        self.slots[into].cell.add(&from);
        into
    }
}
