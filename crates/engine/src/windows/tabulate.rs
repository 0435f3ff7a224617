//! Adds the session summaries of closed windows to cells.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use crowdfold_airlock::{Dictionary, Symbol};

use crate::Rules;
use crate::sessions::{Contribution, SessionSummary};
use crate::windows::Plan;
use crowdfold_model::{Budget, Cell, CellKey, Dimension, Table, Window};

/// The maximum number of cells of one breakdown in one partition and window. If there are more cells, the smallest ones
/// are merged into one cell with the value `other`.
pub const MOST_CELLS: usize = 65_536;

/// The maximum number of dimensions in one breakdown.
pub const MOST_LEVELS: usize = 8;

/// The index of the error code. For this dimension, sessions without a value have a value of their own.
const ERROR_CODE: usize = Dimension::ErrorCode.index();

/// The cells of one closed window in one partition.
#[derive(Debug)]
pub struct ClosedWindow {
    /// The start and the end of the window.
    pub window: Window,
    /// The tables of each tenant that has sessions, by the index of the tenant. The tables of a tenant are in the order
    /// of its breakdowns.
    pub tenants: BTreeMap<u16, Vec<Table>>,
}

type Key = [Symbol; MOST_LEVELS];

/// Adds each session summary to one cell for each breakdown of its tenant.
pub(crate) fn tabulate(
    window: Window,
    summaries: &[SessionSummary],
    dimensions: &[Symbol],
    plan: &Plan,
    rules: &Rules,
    dictionary: &Dictionary,
) -> ClosedWindow {
    // Contributions are stored separately for each list of breakdowns, because each list has other cells.
    let mut contributions: Vec<Vec<(usize, Contribution)>> = Vec::new();
    contributions.resize_with(plan.lists().len(), Vec::new);
    let budget = Budget::new(rules.window);
    for (at, summary) in summaries.iter().enumerate().filter(|(_, summary)| !summary.gone) {
        let contribution = summary.close(rules, plan.quality_of(summary.tenant), &budget);
        contributions[plan.list_of(summary.tenant)].push((at, contribution));
    }
    let mut tenants: BTreeMap<u16, Vec<Table>> = BTreeMap::new();
    for (list, contributions) in plan.lists().iter().zip(&contributions) {
        for (nth, levels) in list.iter().enumerate() {
            let mut cells: hashbrown::HashMap<(u16, Key), Cell, ahash::RandomState> =
                hashbrown::HashMap::default();
            for (at, contribution) in contributions {
                let mut key = [Symbol::NONE; MOST_LEVELS];
                for (level, slot) in key.iter_mut().zip(levels) {
                    *level = dimensions[at * plan.slots.len() + slot];
                }
                contribution.add_to(cells.entry((summaries[*at].tenant, key)).or_default());
            }
            for ((tenant, key), cell) in cells {
                let word = |(symbol, slot): (&Symbol, &usize)| match plan.slots[*slot] {
                    index if index == ERROR_CODE && !symbol.is_some() => Dimension::ErrorCode.absent().into(),
                    _ => Arc::clone(dictionary.word(*symbol)),
                };
                let cell_key: CellKey = key.iter().zip(levels).map(word).collect();
                let tables = tenants.entry(tenant).or_default();
                tables.resize_with(nth + 1, Table::new);
                // If a beacon reported the value `unknown`, two symbols have the same word: the symbol of this value
                // and the symbol of the absent value.
                add_cell(&mut tables[nth], cell_key, cell);
            }
        }
    }
    for table in tenants.values_mut().flatten() {
        bound(table, MOST_CELLS);
    }
    ClosedWindow { window, tenants }
}

/// Adds a cell to a table. If it is the first cell with this key, it is moved instead of copied, because a copy
/// allocates for each distribution.
pub(crate) fn add_cell(table: &mut Table, key: CellKey, cell: Cell) {
    match table.entry(key) {
        Entry::Vacant(entry) => {
            entry.insert(cell);
        }
        Entry::Occupied(mut entry) => entry.get_mut().add(&cell),
    }
}

/// Merges the smallest cells beyond a limit into one cell. This cell has the value `other` in every dimension. Cells
/// are ordered by their number of sessions and then by their key. Therefore the result does not depend on the order of
/// arrival.
fn bound(table: &mut Table, most: usize) {
    if table.len() <= most {
        return;
    }
    let mut by_size: Vec<_> =
        table.iter().map(|(cell_key, cell)| (cell.sessions, cell_key.clone())).collect();
    by_size.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    let other: Arc<str> = "other".into();
    let mut rest = Cell::default();
    for (_, cell_key) in &by_size[most - 1..] {
        if let Some(cell) = table.remove(cell_key) {
            rest.add(&cell);
        }
    }
    let levels = by_size[0].1.len();
    table.entry(vec![other; levels].into()).or_default().add(&rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smallest_cells_beyond_the_limit_are_merged_into_other() {
        let cell = |sessions| Cell { sessions, ..Cell::default() };
        let cell_key = |value: &str| -> CellKey { vec![Arc::from(value)].into() };
        let mut table: Table = [("a", 3), ("b", 1), ("c", 1), ("d", 7)]
            .map(|(value, sessions)| (cell_key(value), cell(sessions)))
            .into_iter()
            .collect();
        bound(&mut table, 3);
        let left: Vec<_> =
            table.iter().map(|(cell_key, cell)| (cell_key[0].to_string(), cell.sessions)).collect();
        assert_eq!(left, [("a".into(), 3), ("d".into(), 7), ("other".into(), 2)]);
    }
}
