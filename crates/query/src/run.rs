//! Computes the answer to a query.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crowdfold_model::Timestamp;

use crate::comparison::TableWindows;
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
    /// Returns an error if the query names no breakdown, and either none or several of the published breakdowns have
    /// all dimensions of the query.
    pub fn run(&self, rows: &[Row]) -> Result<Answer, QueryError> {
        let Selection { rows, by, sources, published, of_tenants, folded_away } = self.select(rows)?;
        let newest =
            published.values().filter_map(|windows| windows.last_key_value()).map(|(start, _)| *start).max();
        let mut windows = BTreeMap::<_, TableWindows>::new();
        for (((_, tenant, attributes), ..), (number, is_incomplete)) in of_tenants {
            let known = windows.entry((tenant.to_owned(), attributes.to_vec())).or_default();
            known.windows += number;
            known.incomplete |= is_incomplete;
        }
        let mut groups: BTreeMap<(Timestamp, &str, Vec<String>), Group> = BTreeMap::new();
        for (row, numbers) in rows {
            let scope @ (step, tenant, attributes) = self.scope(row);
            let values = by.iter().filter_map(|dimension| row.value(dimension)).map(String::from);
            let group_key: Vec<String> = attributes.iter().cloned().chain(values).collect();
            groups
                .entry((step, tenant, group_key.clone()))
                .and_modify(|group| group.add(row, numbers))
                .or_insert_with(|| {
                    let mut group = Group::of(row, numbers, group_key);
                    group.table_windows = published.get(&scope).map_or(0, |windows| windows.values().sum());
                    group
                });
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
            windows,
            newest,
            errors: false,
        })
    }

    /// Returns the scope of a row.
    fn scope<'a>(&'a self, row: &'a Row) -> Scope<'a> {
        let step = self.every.map_or(Timestamp::EPOCH, |every| row.window.start.floor(every));
        match &self.across {
            None => (step, row.tenant.as_str(), &[]),
            Some(across) => (step, "", across.group_key(&row.tenant).unwrap_or_default()),
        }
    }

    /// Selects the table that answers the query, and its rows that meet the conditions.
    pub(crate) fn select<'a>(&'a self, rows: &'a [Row]) -> Result<Selection<'a>, QueryError> {
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
            of_tenants: BTreeMap::new(),
            folded_away: 0,
        };
        for (row, numbers) in selected.into_iter().filter(|(row, _)| table.holds(row)) {
            let tables = selection.sources.entry(numbers).or_default();
            let name = row.breakdown.join(",");
            if !tables.contains(&name) {
                tables.insert(name);
            }
            let windows = row.added.map_or(1, |added| added.windows);
            let published = selection.published.entry(self.scope(row)).or_default();
            published
                .entry(row.window.start)
                .and_modify(|known| *known = windows.max(*known))
                .or_insert(windows);
            let (known, is_incomplete) =
                selection.of_tenants.entry((self.scope(row), &row.tenant, row.window.start)).or_default();
            *known = windows.max(*known);
            *is_incomplete |= row.coverage.is_some();
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

/// The interval of a row, its tenant, and the attributes of the tenant by which the query groups. Without `every`, all
/// rows have the same interval. If rows of several tenants are added up, the tenant is empty.
type Scope<'a> = (Timestamp, &'a str, &'a [String]);

/// The rows that answer a query.
pub(crate) struct Selection<'a> {
    pub(crate) rows: Vec<(&'a Row, Numbers)>,
    /// The dimensions by which rows are grouped.
    pub(crate) by: Vec<String>,
    /// The tables of the rows, by the kind of their numbers.
    pub(crate) sources: BTreeMap<Numbers, BTreeSet<String>>,
    /// The windows in which the table was published, by their starts. The value is 1, or the number of windows if a row
    /// is the sum of several windows.
    pub(crate) published: BTreeMap<Scope<'a>, BTreeMap<Timestamp, u64>>,
    /// The number of published windows of each tenant, by their starts, and true if any of them is incomplete.
    pub(crate) of_tenants: BTreeMap<(Scope<'a>, &'a str, Timestamp), (u64, bool)>,
    /// The number of session-windows in rows that may match the conditions, because a queried dimension is folded in
    /// these rows.
    pub(crate) folded_away: u64,
}
