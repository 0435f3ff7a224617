//! Putting a query to rows.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::group::Group;
use crate::query::Met;
use crate::row::Row;
use crate::{Answer, Query, QueryError};

#[cfg(test)]
mod tests;

impl Query {
    /// Sums rows as far as published rows may be summed: over windows, over the rows that begin alike, and over tenants
    /// where that is asked for. Rows come out by time, by tenant, then the largest first.
    ///
    /// Without a drill-down the one that has all dimensions asked for is taken; where none is asked for, the totals of
    /// each tenant and window, which are the same in every table.
    ///
    /// # Errors
    /// If no drill-down was named and the rows leave open which is meant.
    pub fn run(&self, rows: &[Row]) -> Result<Answer, QueryError> {
        let selected: Vec<&Row> = rows.iter().filter(|row| self.selects(row)).collect();
        let table = self.table(&selected)?;
        let by = match (&self.by, &self.drilldown) {
            (Some(by), _) => by.clone(),
            (None, Some(drilldown)) => drilldown.clone(),
            // Conditions alone choose a drill-down; then it is shown whole, like one that was named.
            (None, None) if !self.conditions.is_empty() => table.drilldown().unwrap_or_default().to_vec(),
            (None, None) => Vec::new(),
        };
        let mut groups: BTreeMap<(u64, &str, Vec<String>), Group> = BTreeMap::new();
        let mut folded_away = 0_u64;
        for row in selected.into_iter().filter(|row| table.holds(row)) {
            match self.met_by(row) {
                Met::No => continue,
                Met::FoldedAway => {
                    folded_away = folded_away.saturating_add(row.sessions);
                    continue;
                }
                Met::Yes => {}
            }
            let step = self.every.map_or(0, |every| row.window.start - row.window.start % every);
            let (tenant, attributes) = match &self.across {
                None => (row.tenant.as_str(), &[][..]),
                Some(across) => ("", across.label(&row.tenant).unwrap_or_default()),
            };
            let values = by.iter().filter_map(|dimension| row.value(dimension)).map(String::from);
            let label: Vec<String> = attributes.iter().cloned().chain(values).collect();
            groups
                .entry((step, tenant, label.clone()))
                .and_modify(|group| group.add(row))
                .or_insert_with(|| Group::of(row, label));
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
        })
    }

    /// Which table the question is put to.
    fn table(&self, rows: &[&Row]) -> Result<Table, QueryError> {
        if let Some(drilldown) = &self.drilldown {
            return Ok(Table::Named(drilldown.clone()));
        }
        if self.conditions.is_empty() && self.by.as_ref().is_none_or(Vec::is_empty) {
            return Ok(Table::any(rows));
        }
        let known: BTreeSet<&Vec<String>> = rows.iter().map(|row| &row.drilldown).collect();
        let fitting: Vec<_> = known.iter().filter(|drilldown| self.check(drilldown).is_ok()).collect();
        match fitting[..] {
            [only] => Ok(Table::Named((*only).clone())),
            // Nothing was read: then nothing is the answer.
            [] if known.is_empty() => Ok(Table::any(rows)),
            _ => Err(QueryError::WhichDrilldown {
                fitting: fitting.len(),
                known: known.iter().map(|drilldown| drilldown.join(",")).collect(),
            }),
        }
    }
}

/// Which rows a query may add up: of several tables on the same sessions only one.
enum Table {
    Named(Vec<String>),
    /// For each tenant and window the first drill-down by name that it has. That two tenants may have different ones
    /// does not matter, for these are totals: all tables of a tenant's window come to the same.
    Any(HashMap<(String, u64), Vec<String>>),
}

impl Table {
    fn any(rows: &[&Row]) -> Self {
        let mut first: HashMap<(String, u64), Vec<String>> = HashMap::new();
        for row in rows {
            first
                .entry((row.tenant.clone(), row.window.start))
                .and_modify(|drilldown| {
                    if row.drilldown < *drilldown {
                        drilldown.clone_from(&row.drilldown);
                    }
                })
                .or_insert_with(|| row.drilldown.clone());
        }
        Self::Any(first)
    }

    fn drilldown(&self) -> Option<&[String]> {
        match self {
            Self::Named(drilldown) => Some(drilldown),
            Self::Any(_) => None,
        }
    }

    fn holds(&self, row: &Row) -> bool {
        match self {
            Self::Named(drilldown) => *drilldown == row.drilldown,
            Self::Any(first) => first
                .get(&(row.tenant.clone(), row.window.start))
                .is_some_and(|drilldown| *drilldown == row.drilldown),
        }
    }
}
