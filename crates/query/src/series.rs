//! An answer as series of points in time.

use std::collections::BTreeMap;

use crowdfold_model::{Timestamp, Window};

use crate::group::{Figure, Group};
use crate::{Answer, QueryMetric};

#[cfg(test)]
mod tests;

/// The points of one group.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// The tenant; empty if several were added up.
    pub tenant: String,
    /// The values grouped by.
    pub key: Vec<String>,
    /// The points, in order. Intervals without a row of the group are absent.
    pub points: Vec<Point>,
}

/// The values of one group in one interval.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// The time from the first to the end of the last window.
    pub span: Window,
    /// The sessions, counted in each window.
    pub sessions: u64,
    /// The windows in which the group was published.
    pub windows: u64,
    /// Of these, the windows without some partitions of the beacons.
    pub incomplete_windows: u64,
    /// The kind of the numbers: `exact`, `noisy` or `counts_only`.
    pub numbers: &'static str,
    /// The value of each metric; absent if it was not published, or is undefined or mostly noise.
    pub values: Vec<Option<Figure>>,
}

impl Answer {
    /// Returns the series of each group, largest first, with the values of these metrics.
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

    /// Returns the names grouped by: attributes of tenants, then dimensions.
    #[must_use]
    pub fn by(&self) -> &[String] {
        &self.by
    }

    /// Returns the tables that the answer comes from, such as `os,browser`, with the kind of their numbers.
    pub fn source_tables(&self) -> impl Iterator<Item = (&str, &'static str)> {
        self.sources
            .iter()
            .flat_map(|(numbers, tables)| tables.iter().map(|table| (table.as_str(), numbers.name())))
    }

    /// Returns the start of the newest window in which the table was published.
    #[must_use]
    pub fn newest_window(&self) -> Option<Timestamp> {
        self.published.values().filter_map(|windows| windows.last()).max().copied()
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
