//! Folding: rows too small to leave join upward until they are a crowd.

use crowdfold_rollup::{Cell, Label, Table};
use std::cmp::Ordering;
use std::mem;
use std::sync::Arc;

#[cfg(test)]
mod tests;

/// Stands for the rest of a node in a label. Reserved: the airlock lets no value of that name through.
pub(crate) const STAR: &str = "*";

/// A label and what stands behind it: a cell before folding, a crowd after it.
#[derive(Debug, Default)]
pub(crate) struct Row {
    pub(crate) label: Label,
    pub(crate) cell: Cell,
}

/// Folds one table. Rows come in the order of their labels; together they hold every session of the table, or there
/// are none, when the whole table is no crowd.
///
/// A node is a prefix of a label. What of its leaves is no crowd is its *rest*; a rest that is no crowd takes in rows
/// of the node in ascending order of (sessions, label), and goes up if that is not enough. All labels must have the
/// same length, at least 1, no `*`, and each cell at least one session. `is_crowd` must be monotone: adding to a crowd
/// gives a crowd.
pub(crate) fn fold(table: Table, is_crowd: impl Fn(&Cell) -> bool) -> Vec<Row> {
    let mut fold = Fold {
        slots: table.into_iter().map(|(label, cell)| Row { label, cell }).collect(),
        rows: Vec::new(),
        open: Vec::new(),
        star: Arc::from(STAR),
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

/// A prefix of the labels whose leaves are being walked.
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
    /// Slots of the rows so far, in the order of their labels.
    rows: Vec<usize>,
    /// The inner nodes above the present leaf; the root is the first.
    open: Vec<Node>,
    star: Arc<str>,
    is_crowd: F,
}

impl<F: Fn(&Cell) -> bool> Fold<F> {
    /// Closes the nodes that the leaf is not below, opens those it is.
    fn enter(&mut self, leaf: usize) {
        let label = &self.slots[leaf].label;
        let depth = label.len();
        let shared = match leaf.checked_sub(1) {
            Some(previous) => {
                self.slots[previous].label.iter().zip(label).take_while(|(one, other)| one == other).count()
            }
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
            // One row is enough: it is a crowd already, and stays one with the rest.
            if let Some(at) = self.smallest(node.first_row) {
                let row = self.rows.remove(at);
                rest = self.join(row, rest);
            }
        }
        if (self.is_crowd)(&self.slots[rest].cell) {
            self.publish(rest, node.first_row);
        } else {
            self.send_up(rest);
        }
    }

    /// Where in `rows`, from there on, the least by (sessions, label) is. They are in label order, so among equals the
    /// first is the least.
    fn smallest(&self, first_row: usize) -> Option<usize> {
        (first_row..self.rows.len()).min_by_key(|at| self.slots[self.rows[*at]].cell.sessions)
    }

    /// Makes a row of the rest of the node just closed.
    fn publish(&mut self, slot: usize, first_row: usize) {
        let depth = self.open.len();
        self.slots[slot].label[depth..].fill(Arc::clone(&self.star));
        let slots = &self.slots;
        let before = |row: &usize| slots[*row].label.cmp(&slots[slot].label) == Ordering::Less;
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
