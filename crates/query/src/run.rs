//! Computes the answer to a query.

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
    /// Answers the query. Adds up rows of different windows, and rows that have the same values in the dimensions to
    /// group by. Adds up rows of different tenants only if the query requests it. The groups are ordered by time, then
    /// by tenant, then by descending size.
    ///
    /// If the query names no breakdown, it is answered from the table that has all queried dimensions. If there are
    /// several such tables, the detail table is used. If no dimension is queried, the totals come from the detail
    /// table, or otherwise from the table with the fewest rows. Rows whose noise is unknown are ignored.
    /// [`Reader`](crate::Reader) never returns such rows.
    ///
    /// # Errors
    /// Returns an error if the query names no breakdown, and not exactly one of the published breakdowns has all
    /// dimensions of the query.
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

    /// Returns the start of the interval that contains the window of a row.
    fn step(&self, row: &Row) -> Timestamp {
        self.every.map_or(Timestamp::EPOCH, |every| row.window.start.floor(every))
    }

    /// Selects the table that answers the query, and its rows that meet the conditions.
    pub(crate) fn select<'a>(&self, rows: &'a [Row]) -> Result<Selection<'a>, QueryError> {
        let known = |row| Row::numbers(row).map(|numbers| (row, numbers));
        let selected: Vec<(&Row, Numbers)> =
            rows.iter().filter(|row| self.selects(row)).filter_map(known).collect();
        let table = Table::choose(self, &selected)?;
        let by = match (&self.by, &self.breakdown) {
            (Some(by), _) => by.clone(),
            (None, Some(breakdown)) => breakdown.clone(),
            // If the conditions determine the table, rows are grouped by all dimensions of the table, as if the query
            // named it.
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
    /// The dimensions by which rows are grouped.
    pub(crate) by: Vec<String>,
    /// The tables of the rows, by the kind of their numbers.
    pub(crate) sources: BTreeMap<Numbers, BTreeSet<String>>,
    /// The windows in which the table was published, by interval. Each window and each interval is identified by its
    /// start.
    pub(crate) published: BTreeMap<Timestamp, BTreeSet<Timestamp>>,
    /// The number of session-windows in rows that may match the conditions, because a queried dimension is folded in
    /// these rows.
    pub(crate) folded_away: u64,
}
