//! Folding: rows too small to leave join upward until they are a crowd.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::mem;
use std::sync::Arc;

use crowdfold_model::{Cell, CellKey, FOLDED, Table};

#[cfg(test)]
mod tests;

/// A cell key and what stands behind it: a cell before folding, a crowd after it.
#[derive(Debug, Default)]
pub(crate) struct Row {
    pub(crate) cell_key: CellKey,
    pub(crate) cell: Cell,
}

/// The least number of values that a small rest may have had, as far as the row it was merged into shows.
///
/// Whoever knows the algorithm knows of a star row with S sessions that `taken` rows of at least k sessions each, and
/// of at most as many as the smallest row left, were merged into a rest below k. That bounds the rest from both sides.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Margin {
    /// Rests have fewer sessions than this.
    pub(crate) k: u64,
    /// b: how many values must be possible.
    pub(crate) least: u64,
}

impl Margin {
    /// Folding without a margin: one row is enough.
    #[cfg(test)]
    pub(crate) const NONE: Self = Self { k: 0, least: 0 };

    /// Returns whether a star row of that many sessions leaves enough possibilities for its rest.
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

/// Folds one table. Rows come in the order of their cell keys; together they hold every session of the table, or there
/// are none, when the whole table is no crowd.
///
/// A node is a prefix of a cell key. The leaves below it that are no crowd are its *rest*. A rest that is no crowd is
/// merged with rows of the node in ascending order of (sessions, cell key) until it is a crowd and the margin is kept,
/// or no row is left; if it is still no crowd it goes up. All cell keys must have the same length, at least 1, no `*`,
/// and each cell at least one session. `is_crowd` must be monotone: adding to a crowd gives a crowd.
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
        fold.settle(leaf);
    }
    while let Some(node) = fold.open.pop() {
        fold.close(node);
    }
    let Fold { mut slots, rows, .. } = fold;
    rows.into_iter().map(|slot| mem::take(&mut slots[slot])).collect()
}

/// A prefix of the cell keys whose leaves are being walked.
struct Node {
    /// Its rows begin here in `rows` and go on to the end.
    first_row: usize,
    /// The slot that gathers what is no crowd.
    rest: Option<usize>,
}

/// One walk over the leaves in order, with the path from the root to the present leaf open. Cells never move: rows
/// and rests are slots, and a group gathers in the slot of one of its members.
struct Fold<F> {
    slots: Vec<Row>,
    /// Slots of the rows so far, in the order of their cell keys.
    rows: Vec<usize>,
    /// The inner nodes above the present leaf; the root is the first.
    open: Vec<Node>,
    star: Arc<str>,
    margin: Margin,
    is_crowd: F,
}

impl<F: Fn(&Cell) -> bool> Fold<F> {
    /// Closes the nodes that the leaf is not below, opens those it is.
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

    /// A leaf that is a crowd is a row, else it goes up.
    fn settle(&mut self, leaf: usize) {
        if (self.is_crowd)(&self.slots[leaf].cell) {
            self.rows.push(leaf);
        } else {
            self.send_up(leaf);
        }
    }

    /// Settles the rest of a node that was just taken off the path.
    fn close(&mut self, node: Node) {
        let Some(mut rest) = node.rest else { return };
        if !(self.is_crowd)(&self.slots[rest].cell) {
            rest = self.merge_rows(rest, node.first_row);
        }
        if (self.is_crowd)(&self.slots[rest].cell) {
            self.publish(rest, node.first_row);
        } else {
            self.send_up(rest);
        }
    }

    /// Merges rows of the node that begins at `first_row` into its rest, smallest first, until it is a crowd that
    /// keeps the margin or no row is left.
    fn merge_rows(&mut self, mut rest: usize, first_row: usize) -> usize {
        // rows are in the order of cell keys, so among equals the one at the lower position is the lesser
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

    /// Makes a row of the rest of the node just closed.
    fn publish(&mut self, slot: usize, first_row: usize) {
        let depth = self.open.len();
        self.slots[slot].cell_key[depth..].fill(Arc::clone(&self.star));
        let slots = &self.slots;
        let before = |row: &usize| slots[*row].cell_key.cmp(&slots[slot].cell_key) == Ordering::Less;
        let at = first_row + self.rows[first_row..].partition_point(before);
        self.rows.insert(at, slot);
    }

    /// Adds a slot to the rest of the node above it. At the root there is none: the whole table is no crowd.
    fn send_up(&mut self, slot: usize) {
        let Some(rest) = self.open.last().map(|node| node.rest) else { return };
        let joined = match rest {
            Some(rest) => self.join(rest, slot),
            None => slot,
        };
        if let Some(node) = self.open.last_mut() {
            node.rest = Some(joined);
        }
    }

    /// Adds the second slot to the first, which is left with both.
    fn join(&mut self, into: usize, from: usize) -> usize {
        let from = mem::take(&mut self.slots[from].cell);
        self.slots[into].cell.add(&from);
        into
    }
}
