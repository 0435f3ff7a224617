//! The choice of the table that answers a question.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::row::{Numbers, Row};
use crate::{Query, QueryError};

/// The rows that a query may add up: of several tables on the same sessions only one.
pub(super) enum Table {
    Named(Vec<String>),
    /// One breakdown for each tenant and window. Tenants and windows may have different ones, because these are
    /// totals: all tables of a tenant's window have the same sessions.
    PerWindow(HashMap<(String, u64), Vec<String>>),
}

impl Table {
    /// Chooses the table: the one that is named; or else, for totals, the best one of each tenant and window; or else the
    /// one that has all dimensions asked for. Of several of these, the detail table.
    pub(super) fn choose(query: &Query, rows: &[(&Row, Numbers)]) -> Result<Self, QueryError> {
        if let Some(breakdown) = &query.breakdown {
            return Ok(Self::Named(breakdown.clone()));
        }
        if query.conditions.is_empty() && query.by.as_ref().is_none_or(Vec::is_empty) {
            return Ok(Self::per_window(rows));
        }
        let known: BTreeSet<&Vec<String>> = rows.iter().map(|(row, _)| &row.breakdown).collect();
        let fitting: Vec<_> =
            known.iter().copied().filter(|breakdown| query.check(breakdown).is_ok()).collect();
        match fitting[..] {
            [only] => Ok(Self::Named(only.clone())),
            // nothing was read, so the answer is empty
            [] if known.is_empty() => Ok(Self::per_window(rows)),
            _ => detail(&fitting, rows).map(|only| Self::Named(only.clone())).ok_or_else(|| {
                QueryError::BreakdownChoice {
                    fitting: fitting.len(),
                    known: known.iter().map(|breakdown| breakdown.join(",")).collect(),
                }
            }),
        }
    }

    fn per_window(rows: &[(&Row, Numbers)]) -> Self {
        let mut best: HashMap<(String, u64), (Rank, &Vec<String>)> = HashMap::new();
        for (row, numbers) in rows {
            let candidate = (rank(row, *numbers), &row.breakdown);
            best.entry((row.tenant.clone(), row.window.start))
                .and_modify(|held| *held = (*held).min(candidate))
                .or_insert(candidate);
        }
        Self::PerWindow(best.into_iter().map(|(key, (_, breakdown))| (key, breakdown.clone())).collect())
    }

    pub(super) fn breakdown(&self) -> Option<&[String]> {
        match self {
            Self::Named(breakdown) => Some(breakdown),
            Self::PerWindow(_) => None,
        }
    }

    pub(super) fn holds(&self, row: &Row) -> bool {
        match self {
            Self::Named(breakdown) => *breakdown == row.breakdown,
            Self::PerWindow(best) => best
                .get(&(row.tenant.clone(), row.window.start))
                .is_some_and(|breakdown| *breakdown == row.breakdown),
        }
    }
}

/// The kind of a table's numbers, then its number of rows: the noise of a total grows with the rows that are added.
type Rank = (Numbers, u64);

/// A table's place among those of its window, the best first. Under `differential-privacy` the number of rows is no
/// reason to prefer a table, because a table with fewer rows may lack more sessions.
const fn rank(row: &Row, numbers: Numbers) -> Rank {
    (numbers, if matches!(numbers, Numbers::Noisy) { row.rows } else { 0 })
}

/// Of several breakdowns that fit the one that is exact, if one alone is, and no tenant has others of them but not this
/// one.
fn detail<'a>(fitting: &[&'a Vec<String>], rows: &[(&Row, Numbers)]) -> Option<&'a Vec<String>> {
    let mut tables: BTreeMap<&Vec<String>, (bool, BTreeSet<&str>)> = BTreeMap::new();
    for (row, _) in rows.iter().filter(|(row, _)| fitting.contains(&&row.breakdown)) {
        let (exact, tenants) = tables.entry(&row.breakdown).or_insert((true, BTreeSet::new()));
        *exact &= row.detail == Some(true);
        tenants.insert(&row.tenant);
    }
    let everyone: BTreeSet<&str> = tables.values().flat_map(|(_, tenants)| tenants).copied().collect();
    let mut exact = tables.iter().filter(|(_, (exact, _))| *exact);
    let (only, (_, tenants)) = exact.next()?;
    if exact.next().is_some() || *tenants != everyone {
        return None;
    }
    fitting.iter().copied().find(|breakdown| breakdown == only)
}
