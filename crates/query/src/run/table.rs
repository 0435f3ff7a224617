//! Selects the table that answers a query.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crowdfold_model::Timestamp;

use crate::row::{Numbers, Row};
use crate::{Query, QueryError};

/// The tables whose rows may be added up. All tables of a window contain the same sessions, so only one table of a
/// window may be used.
pub(super) enum Table {
    Named(Vec<String>),
    /// One breakdown for each tenant and window. This is possible for totals only: all tables of a tenant's window have
    /// the same totals, so different windows may use different breakdowns.
    PerWindow(HashMap<(String, Timestamp), Vec<String>>),
}

impl Table {
    /// Selects the table. If the query names a table, selects that. For totals, selects the best table of each tenant
    /// and window. For other queries, selects the only table with all queried dimensions; if there are several, selects
    /// the detail table.
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
            // No rows were read, so the answer is empty.
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
        let mut best: HashMap<(String, Timestamp), (Rank, &Vec<String>)> = HashMap::new();
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

/// The kind of a table's numbers, and the number of rows. A total over fewer rows has less noise.
type Rank = (Numbers, u64);

/// Returns the rank of a table among the tables of its window. The best table has the lowest rank. Under
/// `differential-privacy` the number of rows is ignored, because a table with fewer rows may lack more sessions.
const fn rank(row: &Row, numbers: Numbers) -> Rank {
    (numbers, if matches!(numbers, Numbers::Noisy) { row.rows } else { 0 })
}

/// Returns the breakdown with exact numbers if exactly one of the matching breakdowns has them. Returns `None` if a
/// tenant lacks this breakdown but has another matching breakdown, because the tenant would be missing from the answer.
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
