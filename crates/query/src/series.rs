//! Series: the values of an answer over time.

use std::collections::BTreeMap;

use crowdfold_model::{Timestamp, Window};

use crate::group::{Figure, Group};
use crate::row::Numbers;
use crate::{Answer, QueryMetric};

#[cfg(test)]
mod tests;

/// The values of one group over time.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// The name of the tenant. It is empty if rows of several tenants were added up.
    pub tenant: String,
    /// The values by which the rows are grouped.
    pub key: Vec<String>,
    /// The points in order of time. There is no point for an interval without a row of the group.
    pub points: Vec<Point>,
}

/// The values of one group in one interval.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// The time from the start of the first window to the end of the last window.
    pub span: Window,
    /// The number of session-windows.
    pub sessions: u64,
    /// The number of windows in which a row of the group was published.
    pub windows: u64,
    /// The number of these windows that were computed without some of the partitions.
    pub incomplete_windows: u64,
    /// The kind of the numbers: `exact`, `noisy`, `private` or `counts_only`.
    pub numbers: &'static str,
    /// The value of each metric. `None` if the value was not published, is undefined, or consists mostly of noise.
    pub values: Vec<Option<Figure>>,
}

impl Answer {
    /// Returns a series with these metrics for each group. The series are ordered by tenant, and those of a tenant by
    /// descending size of the group.
    #[must_use]
    pub fn series(&self, metrics: &[QueryMetric]) -> Vec<Series> {
        let mut series: BTreeMap<(String, Vec<String>), Series> = BTreeMap::new();
        for group in &self.groups {
            let tenant = if self.across.is_some() { "" } else { group.tenant() }.to_owned();
            let key = group.group_key.clone();
            series
                .entry((tenant.clone(), key.clone()))
                .or_insert_with(|| Series { tenant, key, points: Vec::new() })
                .points
                .push(point(group, metrics));
        }
        let mut series: Vec<Series> = series.into_values().collect();
        let sessions = |series: &Series| series.points.iter().map(|point| point.sessions).sum::<u64>();
        series.sort_by_cached_key(|one| {
            (one.tenant.clone(), std::cmp::Reverse(sessions(one)), one.key.clone())
        });
        series
    }

    /// Returns the names by which rows are grouped: attributes of tenants first, then dimensions.
    #[must_use]
    pub fn by(&self) -> &[String] {
        &self.by
    }

    /// Returns the names of the tables from which the answer was computed, such as `os,browser`, each with the
    /// precision of its numbers.
    pub fn source_tables(&self) -> impl Iterator<Item = (&str, &'static str)> {
        self.sources
            .iter()
            .flat_map(|(numbers, tables)| tables.iter().map(|table| (table.as_str(), numbers.name())))
    }

    /// Returns the precision of the numbers from which the answer was computed, or `None` if there are no rows. If the
    /// tables differ, returns the lowest precision. Rows that contain only session counts do not affect the result,
    /// unless all rows contain only session counts.
    #[must_use]
    pub fn numbers(&self) -> Option<Numbers> {
        let known = self.sources.keys().filter(|numbers| **numbers != Numbers::Absent).max();
        known.or_else(|| self.sources.keys().next()).copied()
    }

    /// Returns the number of session-windows in rows that contain only session counts. All other sums lack these rows.
    #[must_use]
    pub fn sessions_without_numbers(&self) -> u64 {
        self.groups.iter().fold(0, |sum, group| sum.saturating_add(group.sessions_without_numbers()))
    }

    /// Returns the start of the newest window in which the table was published, or `None` if there is no such window.
    #[must_use]
    pub const fn newest_window(&self) -> Option<Timestamp> {
        self.newest
    }
}

fn point(group: &Group, metrics: &[QueryMetric]) -> Point {
    Point {
        span: group.span,
        sessions: group.sessions(),
        windows: group.windows(),
        incomplete_windows: group.incomplete_windows(),
        numbers: group.numbers().name(),
        values: metrics.iter().map(|metric| metric.of(group)).collect(),
    }
}
