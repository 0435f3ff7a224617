//! Computing the answer of a query.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crowdfold_model::Timestamp;

use crate::group::Group;
use crate::query::Met;
use crate::row::{Numbers, Row};
use crate::{Answer, Query, QueryError};
use table::Table;

mod table;
#[cfg(test)]
mod tests;

impl Query {
    /// Adds up rows as far as published rows may be added up: over windows, over rows that share the first values, and
    /// over tenants if requested. Groups are ordered by time, then by tenant, then by size, the largest first.
    ///
    /// Without a breakdown the table is the one that has all queried dimensions; if there are several, the detail
    /// table. If no dimension is queried, the totals come from the detail table, or if there is none, from the table
    /// with the fewest rows. Rows with unknown noise are ignored; [`Reader`](crate::Reader) keeps none.
    ///
    /// # Errors
    /// No breakdown was named, and several tables match or none does.
    pub fn run(&self, rows: &[Row]) -> Result<Answer, QueryError> {
        let Selection { rows, by, sources, published, folded_away } = self.select(rows)?;
        let mut groups: BTreeMap<(Timestamp, &str, Vec<String>), Group> = BTreeMap::new();
        for (row, numbers) in rows {
            let step = self.step(row);
            let (tenant, attributes) = match &self.across {
                None => (row.tenant.as_str(), &[][..]),
                Some(across) => ("", across.group_key(&row.tenant).unwrap_or_default()),
            };
            let values = by.iter().filter_map(|dimension| row.value(dimension)).map(String::from);
            let group_key: Vec<String> = attributes.iter().cloned().chain(values).collect();
            groups
                .entry((step, tenant, group_key.clone()))
                .and_modify(|group| group.add(row, numbers))
                .or_insert_with(|| Group::of(row, numbers, group_key));
        }
        let mut ordered: Vec<_> = groups.into_iter().collect();
        ordered.sort_by_cached_key(|((step, tenant, _), group)| (*step, *tenant, Reverse(group.sessions())));
        let groups = ordered.into_iter().map(|(_, group)| group).collect();
        let attributes = self.across.iter().flat_map(|across| across.by.iter().cloned());
        Ok(Answer {
            by: attributes.chain(by).collect(),
            groups,
            across: self.across.as_ref().map(|across| across.by.len()),
            by_time: self.every.is_some(),
            folded_away,
            sources,
            published,
            errors: false,
        })
    }

    /// Returns the start of the interval to which a row belongs.
    fn step(&self, row: &Row) -> Timestamp {
        self.every.map_or(Timestamp::EPOCH, |every| row.window.start.floor(every))
    }

    /// Selects the rows of the table that answers the query, and of these the rows that meet its conditions.
    pub(crate) fn select<'a>(&self, rows: &'a [Row]) -> Result<Selection<'a>, QueryError> {
        let known = |row| Row::numbers(row).map(|numbers| (row, numbers));
        let selected: Vec<(&Row, Numbers)> =
            rows.iter().filter(|row| self.selects(row)).filter_map(known).collect();
        let table = Table::choose(self, &selected)?;
        let by = match (&self.by, &self.breakdown) {
            (Some(by), _) => by.clone(),
            (None, Some(breakdown)) => breakdown.clone(),
            // if only conditions select the breakdown, it is shown with all dimensions, like a named one
            (None, None) if !self.conditions.is_empty() => table.breakdown().unwrap_or_default().to_vec(),
            (None, None) => Vec::new(),
        };
        let mut selection = Selection {
            rows: Vec::with_capacity(selected.len()),
            by,
            sources: BTreeMap::new(),
            published: BTreeMap::new(),
            folded_away: 0,
        };
        for (row, numbers) in selected.into_iter().filter(|(row, _)| table.holds(row)) {
            let tables = selection.sources.entry(numbers).or_default();
            let name = row.breakdown.join(",");
            if !tables.contains(&name) {
                tables.insert(name);
            }
            selection.published.entry(self.step(row)).or_default().insert(row.window.start);
            match self.met_by(row) {
                Met::No => {}
                Met::FoldedAway => {
                    selection.folded_away = selection.folded_away.saturating_add(row.sessions);
                }
                Met::Yes => selection.rows.push((row, numbers)),
            }
        }
        Ok(selection)
    }
}

/// The rows that answer a query.
pub(crate) struct Selection<'a> {
    pub(crate) rows: Vec<(&'a Row, Numbers)>,
    /// The dimensions grouped by.
    pub(crate) by: Vec<String>,
    /// The tables, by the kind of their numbers.
    pub(crate) sources: BTreeMap<Numbers, BTreeSet<String>>,
    /// The windows in which the table was published, by the start of their interval.
    pub(crate) published: BTreeMap<Timestamp, BTreeSet<Timestamp>>,
    /// Sessions (summed over windows) of rows in which a queried dimension is folded.
    pub(crate) folded_away: u64,
}
