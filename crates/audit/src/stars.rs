//! Checks that rows with `*` are consistent with folding, in dimensions with a closed list of values.
//!
//! A row with `*` contains values of its node that have no row of their own. Folding never produces a row with `*` that
//! contains only one value of the last dimension: a value that is not a crowd is added to at least one other value. So
//! if all values of the list but one have a row, the row with `*` is the row of the remaining value under another name.
//! Sizes of rows are not checked, because any number of small groups may be in a row with `*` of an open list, and
//! because a minimum number of networks also folds large groups.

use std::collections::{HashMap, HashSet};

use ahash::RandomState;
use crowdfold_model::{Dimension, FOLDED, TextRule};

use crate::entry::Entry;
use crate::{Finds, Spot, What};

/// The value for texts that are not in the closed list of their dimension.
const OTHER: &str = "other";

/// The nodes of a table whose next dimension has a closed list of values.
#[derive(Default)]
pub(crate) struct Stars {
    /// The nodes, by the number of values above the node and the hash of these values.
    nodes: HashMap<(usize, u64), Node, RandomState>,
}

/// A node of a table.
#[derive(Default)]
struct Node {
    /// The values of the closed list that have a row below the node.
    shown: HashSet<&'static str, RandomState>,
    /// The location of the row with `*` of this node.
    star: Option<Spot>,
}

impl Stars {
    /// Adds a row of a table with this breakdown.
    pub(crate) fn add(&mut self, row: &Entry<'_>, breakdown: &[Dimension], spot: Spot) {
        if breakdown.len() != row.breakdown.len() || !breakdown.iter().any(|dimension| has_list(*dimension)) {
            return;
        }
        let values: Vec<&str> = row.cell_key().collect();
        for (at, (value, dimension)) in values.iter().zip(breakdown).enumerate() {
            if has_list(*dimension) {
                let above = self.nodes.hasher().hash_one(&values[..at]);
                let node = self.nodes.entry((at, above)).or_default();
                match *value {
                    FOLDED => node.star = Some(spot),
                    value => node.shown.extend(closed_list(*dimension).find(|known| *known == value)),
                }
            }
            if *value == FOLDED {
                break;
            }
        }
    }

    /// Reports the rows with `*` that cannot be a result of folding.
    pub(crate) fn check(&self, breakdown: &[Dimension], finds: &mut Finds) {
        for ((at, _), node) in &self.nodes {
            let Some(spot) = node.star else { continue };
            let dimension = breakdown[*at];
            // In the last dimension, a value that is part of a row with `*` has no row of its own. In another
            // dimension, such a value may have rows, because only some of its rows were merged.
            let fewest = if at + 1 == breakdown.len() { 2 } else { 1 };
            if closed_list(dimension).count() < node.shown.len() + fewest {
                finds.at(What::Star, spot, Some(format!("/dimensions/{dimension}")), None);
            }
        }
    }
}

fn has_list(dimension: Dimension) -> bool {
    closed_list(dimension).next().is_some()
}

/// Returns the values that rows of a dimension may have. Empty if the model has no closed list of them. The lists of
/// custom dimensions are not used, because they may have changed after the rows were published.
fn closed_list(dimension: Dimension) -> impl Iterator<Item = &'static str> {
    let words: &[&str] = match (dimension, dimension.rule()) {
        (Dimension::Custom(_), _) => &[],
        (_, TextRule::Closed(words)) => words,
        (_, TextRule::Named(list)) => list.names(),
        _ => &[],
    };
    let always = (!words.is_empty()).then_some([OTHER, dimension.absent()]);
    words.iter().copied().chain(always.into_iter().flatten())
}
