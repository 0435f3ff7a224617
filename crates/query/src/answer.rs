//! Answers, which are the results of queries, and their formats.

use crowdfold_model::{SumMetric, Timestamp, ValueMetric};
use std::collections::{BTreeMap, BTreeSet};

use crate::comparison::TableWindows;
use crate::group::{Derived, Group};
use crate::output::{Cell, Column, Sheet};
use crate::row::Numbers;
pub use notes::Hint;

use columns::{concurrent, derived, distributions, errors, mean, mean_of_windows, metric, percentile, plain};

mod columns;
mod notes;
#[cfg(test)]
mod tests;

/// The answer to a query: sums of published rows, and notes on their limits.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The names by which rows are grouped: attributes of tenants first, then dimensions.
    pub(crate) by: Vec<String>,
    pub(crate) groups: Vec<Group>,
    /// The number of attributes in `by`, if rows of several tenants were added up. Otherwise `None`.
    pub(crate) across: Option<usize>,
    /// True if there is one row for each interval of time.
    pub(crate) by_time: bool,
    /// The number of session-windows in rows that may match the conditions, because a queried dimension is folded in
    /// these rows.
    pub(crate) folded_away: u64,
    /// The names of the tables from which the answer was computed, grouped by the precision of their numbers: exact,
    /// with noise, or absent.
    pub(crate) sources: BTreeMap<Numbers, BTreeSet<String>>,
    /// The windows in which the table was published, by tenant and attributes. The tenant is empty if rows of several
    /// tenants were added up.
    pub(crate) windows: BTreeMap<(String, Vec<String>), TableWindows>,
    /// The start of the newest window in which the table was published, or `None` if there is no such window.
    pub(crate) newest: Option<Timestamp>,
    /// True if the text table and CSV contain standard errors.
    pub(crate) errors: bool,
}

impl Answer {
    /// Sets whether the text table and CSV contain standard errors. JSON always contains them.
    #[must_use]
    pub const fn with_errors(mut self, shown: bool) -> Self {
        self.errors = shown;
        self
    }

    /// Returns true if no published row matched the query.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Returns the number of session-windows in rows that may match the conditions, because a queried dimension is
    /// folded in these rows.
    #[must_use]
    pub const fn folded_away(&self) -> u64 {
        self.folded_away
    }

    /// Returns the name of the count: `sessions`, or `session_windows` if any group adds up several windows. In that
    /// case a session is counted in each window, so the count is not a number of people.
    #[must_use]
    pub fn count_name(&self) -> &'static str {
        if self.spans_windows() { "session_windows" } else { "sessions" }
    }

    pub(crate) fn spans_windows(&self) -> bool {
        self.groups.iter().any(|group| group.windows() > 1)
    }

    fn has_tenants(&self) -> bool {
        self.groups.windows(2).any(|pair| pair[0].tenant() != pair[1].tenant())
    }

    /// Formats the answer as an aligned text table whose lines fit into `width` columns, if possible. The table
    /// contains means, shares in percent, and percentiles of groups that consist of one row. A number below 0 is marked
    /// with `?`. A standard error follows `±`. Columns without values and columns that do not fit are omitted. JSON and
    /// CSV contain all columns. If rows contain only session counts, the main columns remain and contain `-`.
    #[must_use]
    pub fn table(&self, width: usize) -> String {
        self.columns_for_people().table(width)
    }

    /// Formats the answer as a table in GitHub Flavored Markdown. It has all columns that [`Answer::table`] may have.
    #[must_use]
    pub fn markdown(&self) -> String {
        self.columns_for_people().markdown()
    }

    fn columns_for_people(&self) -> Sheet<'_> {
        let mut columns = self.heads(self.has_tenants(), self.by_time);
        columns.push(self.count());
        if self.spans_windows() {
            columns.extend([
                Column::number("peak", |group| Cell::Count(group.concurrent_max())).spare(5),
                Column::number("mean", |group| Cell::real(mean_of_windows(group), 1)).spare(9),
            ]);
        }
        columns.extend([
            columns::sum("plays", SumMetric::Plays).spare(3),
            columns::minutes("minutes").spare(2),
            metric("rebuffering", Derived::RebufferingRatio, Cell::share),
            metric("stalls/h", Derived::StallsPerHour, |value| Cell::real(value, 2)).spare(4),
            metric("vsf", Derived::Vsf, Cell::share).spare(1),
            metric("ebvs", Derived::Ebvs, Cell::share).spare(10),
            metric("vpf", Derived::Vpf, Cell::share).spare(3),
            metric("good", Derived::GoodSessions, Cell::share).spare(11),
            mean("startup_ms", Derived::Mean(ValueMetric::StartupMs)),
            percentile("startup_p95", ValueMetric::StartupMs, |summary| summary.p95).spare(7),
            mean("bandwidth", Derived::Mean(ValueMetric::BandwidthKbps)),
            percentile("bandwidth_p50", ValueMetric::BandwidthKbps, |summary| summary.p50).spare(6),
            mean("bitrate", Derived::Mean(ValueMetric::BitrateKbps)).spare(8),
        ]);
        let lacking = self.groups.iter().any(|group| group.rows_without_numbers > 0);
        self.sheet(columns).without_idle_columns(lacking)
    }

    /// Formats the answer as CSV with a header row. Fields are quoted according to RFC 4180, and lines end with a line
    /// feed. A text that begins with `=`, `+`, `-`, `@`, a tab or a carriage return is prefixed with `'`. Otherwise a
    /// spreadsheet could interpret the text as a formula. Numbers below 0 are not changed. The columns do not depend on
    /// the rows, except for the name of the count. With standard errors, the error of each number is in the next
    /// column, whose name ends in `_error`.
    #[must_use]
    pub fn csv(&self) -> String {
        let mut columns = self.heads(true, true);
        columns.insert(2, Column::text("to", |group| Cell::Text(group.span.end.to_string())));
        columns.push(Column::text("tables", |group| Cell::Text(tables(group).join(" "))));
        columns.push(Column::text("numbers", |group| Cell::Text(group.numbers().name().into())));
        columns.push(Column::number("windows", |group| Cell::Count(group.windows())));
        columns.push(self.count());
        columns.extend(concurrent());
        columns.push(Column::number("beacons", |group| Cell::sum(group.beacons)));
        columns.extend(plain());
        columns.extend(errors());
        columns.extend(derived());
        columns.extend(distributions());
        self.sheet(columns).csv()
    }

    fn sheet(&self, columns: Vec<Column>) -> Sheet<'_> {
        Sheet { columns, rows: &self.groups, errors: self.errors }
    }

    /// Returns the column with the number of sessions. This number has noise only under `differential-privacy`.
    fn count(&self) -> Column {
        Column::number(self.count_name(), |group| Cell::Count(group.sessions()))
            .error(|group| Cell::real(Some(group.noise.sqrt()), 1))
    }

    /// Returns the first columns: the tenant or the number of tenants, the time, and the names in `by`.
    fn heads(&self, tenant: bool, time: bool) -> Vec<Column> {
        let mut columns = Vec::new();
        if self.across.is_some() {
            columns.push(Column::number("tenants", |group| Cell::Count(group.tenants.len() as u64)));
        } else if tenant {
            columns.push(Column::text("tenant", |group| Cell::Text(group.tenant().to_owned())));
        }
        if time {
            columns.push(Column::text("from", |group| Cell::Text(group.span.start.to_string())));
        }
        columns.extend(self.by.iter().enumerate().map(|(at, dimension)| {
            let value = move |group: &Group| group.group_key.get(at).cloned().map_or(Cell::None, Cell::Text);
            Column::text(dimension.clone(), value)
        }));
        columns
    }
}

/// Returns the names of the tables that contain the rows of a group.
pub(crate) fn tables(group: &Group) -> Vec<&str> {
    group.tables.iter().map(String::as_str).collect()
}
