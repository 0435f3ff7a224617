//! Groups of published rows, their sums, and the metrics that are computed from them.

use std::collections::{BTreeMap, BTreeSet};

use crowdfold_model::{Metric, SumMetric, Timestamp, ValueMetric, Window};

use crate::estimate::Sum;
use crate::measure::{error_variance, value_of, variance};
use crate::row::{DistributionSummary, Numbers, Row};

mod figures;
mod ratios;
#[cfg(test)]
mod tests;

pub use figures::{Figure, Figures};
pub(crate) use ratios::Derived;

/// The sums of the published rows that have the same values in the dimensions by which the query groups.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    /// The tenants of the rows. There is only one tenant, unless rows of several tenants are added up.
    pub(crate) tenants: BTreeSet<String>,
    /// The names of the tables to which the rows belong, such as `os.browser`.
    pub(crate) tables: BTreeSet<String>,
    /// The time from the start of the first window to the end of the last window.
    pub(crate) span: Window,
    /// The values by which the rows are grouped.
    pub(crate) group_key: Vec<String>,
    /// The sessions of each window, by its start. Within a window each session is counted once, but a session can be
    /// counted in several windows.
    windows: BTreeMap<Timestamp, InWindow>,
    /// The number of windows in which the table of the rows was published. In some of these windows, the table may have
    /// no row of this group.
    pub(crate) table_windows: u64,
    pub(crate) rows: u64,
    /// The number of rows that contain only session counts.
    pub(crate) rows_without_numbers: u64,
    /// The number of session-windows in the rows that contain other numbers.
    measured: u64,
    /// The number of beacons, or `None` if a row lacks this number.
    pub(crate) beacons: Option<i64>,
    /// The sums, in the order of [`Metric::ALL`]. A sum is `None` if no row contains the metric.
    sums: [Option<Sum>; Metric::COUNT],
    errors: BTreeMap<String, Sum>,
    distributions: [DistributionSummary; ValueMetric::COUNT],
    is_noisy: bool,
    /// True if any row has noise whose size is not declared.
    is_private: bool,
    /// The variance of the noise in the number of sessions. It is 0 if the number has no noise.
    pub(crate) noise: f64,
}

/// The sessions of a group in one window, or in several windows that were added up.
#[derive(Clone, Copy, Debug, Default)]
struct InWindow {
    sessions: u64,
    windows: u64,
    /// True if a row was computed without some of the partitions.
    is_incomplete: bool,
}

impl InWindow {
    fn add(&mut self, other: Self) {
        self.sessions = self.sessions.saturating_add(other.sessions);
        self.windows = self.windows.max(other.windows);
        self.is_incomplete |= other.is_incomplete;
    }
}

impl Group {
    pub(crate) fn of(row: &Row, numbers: Numbers, group_key: Vec<String>) -> Self {
        let mut group = Self {
            tenants: BTreeSet::new(),
            tables: BTreeSet::new(),
            span: row.window,
            group_key,
            windows: BTreeMap::new(),
            table_windows: 0,
            rows: 0,
            rows_without_numbers: 0,
            measured: 0,
            beacons: row.beacons.map(|_| 0),
            sums: [None; Metric::COUNT],
            errors: BTreeMap::new(),
            distributions: std::array::from_fn(|_| DistributionSummary {
                sessions: Some(0),
                ..DistributionSummary::default()
            }),
            is_noisy: false,
            is_private: false,
            noise: 0.0,
        };
        group.add(row, numbers);
        // Percentiles and a histogram exist only while the group consists of one row.
        for (mine, theirs) in group.distributions.iter_mut().zip(&row.values) {
            *mine = theirs.clone().unwrap_or_else(|| mine.clone());
        }
        group
    }

    pub(crate) fn add(&mut self, row: &Row, numbers: Numbers) {
        self.span.start = self.span.start.min(row.window.start);
        self.span.end = self.span.end.max(row.window.end);
        let rows = row.added.map_or(1, |added| added.rows);
        self.rows += rows;
        if !self.tenants.contains(&row.tenant) {
            self.tenants.insert(row.tenant.clone());
        }
        let table = row.breakdown_name();
        if !self.tables.contains(&table) {
            self.tables.insert(table);
        }
        // The noise of different rows is independent, so its variances are added.
        self.noise += row.policy.sigma.map_or(0.0, |sigma| sigma * sigma) * rows as f64;
        self.windows.entry(row.window.start).or_default().add(InWindow {
            sessions: row.sessions,
            windows: row.added.map_or(1, |added| added.windows),
            is_incomplete: row.coverage.is_some(),
        });
        match numbers {
            Numbers::Absent => self.rows_without_numbers += rows,
            Numbers::Exact => {}
            Numbers::Noisy => self.is_noisy = true,
            Numbers::Private => self.is_private = true,
        }
        self.beacons = self.beacons.zip(row.beacons).map(|(mine, theirs)| mine.saturating_add(theirs));
        self.add_numbers(row, if numbers == Numbers::Noisy { row.policy.noise } else { None });
        self.add_distributions(row);
    }

    fn add_numbers(&mut self, row: &Row, noise: Option<u64>) {
        if row.errors.is_none() {
            return;
        }
        // If the row is a sum of rows, each of these rows has separate noise.
        let (rows, length) = row.added.map_or((1, row.window.length()), |added| (added.rows, added.length));
        let times = rows as f64;
        for (sum, metric) in self.sums.iter_mut().zip(Metric::ALL) {
            let Some(value) = value_of(metric, row) else { continue };
            let variance = noise.map_or(0.0, |noise| times * variance(metric, noise, length));
            sum.get_or_insert_default().add(value, variance);
        }
        self.measured = self.measured.saturating_add(row.sessions);
        let variance = noise.map_or(0.0, |noise| times * error_variance(noise, length));
        for (class, sessions) in row.errors.iter().flatten() {
            self.errors.entry(class.clone()).or_default().add(*sessions, variance);
        }
    }

    /// Adds the numbers of sessions with a value. Percentiles and histograms are removed, because the percentiles of
    /// several rows cannot be combined.
    fn add_distributions(&mut self, row: &Row) {
        for (mine, theirs) in self.distributions.iter_mut().zip(&row.values) {
            let sessions = match theirs {
                None => mine.sessions,
                Some(theirs) => {
                    mine.sessions.zip(theirs.sessions).map(|(mine, theirs)| mine.saturating_add(theirs))
                }
            };
            *mine = DistributionSummary { sessions, ..DistributionSummary::default() };
        }
    }

    /// Adds the sums of another group. The group key does not change.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.span.start = self.span.start.min(other.span.start);
        self.span.end = self.span.end.max(other.span.end);
        self.tenants.extend(other.tenants.iter().cloned());
        self.tables.extend(other.tables.iter().cloned());
        for (start, window) in &other.windows {
            self.windows.entry(*start).or_default().add(*window);
        }
        self.table_windows = self.table_windows.max(other.table_windows);
        self.rows += other.rows;
        self.rows_without_numbers += other.rows_without_numbers;
        self.measured = self.measured.saturating_add(other.measured);
        self.beacons = self.beacons.zip(other.beacons).map(|(mine, theirs)| mine.saturating_add(theirs));
        for (mine, theirs) in self.sums.iter_mut().zip(other.sums) {
            if let Some(theirs) = theirs {
                mine.get_or_insert_default().add(theirs.value, theirs.variance);
            }
        }
        for (class, sum) in &other.errors {
            self.errors.entry(class.clone()).or_default().add(sum.value, sum.variance);
        }
        for (mine, theirs) in self.distributions.iter_mut().zip(&other.distributions) {
            let sessions = mine.sessions.zip(theirs.sessions);
            let sessions = sessions.map(|(mine, theirs)| mine.saturating_add(theirs));
            *mine = DistributionSummary { sessions, ..DistributionSummary::default() };
        }
        self.is_noisy |= other.is_noisy;
        self.is_private |= other.is_private;
        self.noise += other.noise;
    }

    /// Returns the tenant. If there are several, returns the first one.
    pub(crate) fn tenant(&self) -> &str {
        self.tenants.first().map_or("", String::as_str)
    }

    /// Returns the number of sessions. If the group has several windows, a session is counted in each window.
    pub(crate) fn sessions(&self) -> u64 {
        self.windows.values().fold(0, |sum, window| sum.saturating_add(window.sessions))
    }

    /// Returns the number of session-windows in the rows that contain only session counts.
    pub(crate) fn sessions_without_numbers(&self) -> u64 {
        self.sessions().saturating_sub(self.measured)
    }

    /// Returns the number of sessions, with the standard error of its noise.
    pub(crate) fn session_count(&self) -> Figure {
        Figure { value: self.sessions() as f64, error: Some(self.noise.sqrt()) }
    }

    /// Returns the number of windows in which a row of the group was published.
    pub(crate) fn windows(&self) -> u64 {
        self.windows.values().map(|window| window.windows).sum()
    }

    /// Returns the number of windows that were computed without some of the partitions. A row that is a sum of
    /// windows counts as one window.
    pub(crate) fn incomplete_windows(&self) -> u64 {
        self.windows.values().filter(|window| window.is_incomplete).count() as u64
    }

    /// Returns the number of sessions in the window with the most sessions. For a row that is a sum of windows, the
    /// mean of these windows is used.
    pub(crate) fn concurrent_max(&self) -> u64 {
        let sessions = |window: &InWindow| window.sessions / window.windows.max(1);
        self.windows.values().map(sessions).max().unwrap_or_default()
    }

    /// Returns the mean number of sessions over the windows in which the table was published, or `None` if there is no
    /// such window. The means of all groups of a table therefore add up to the mean of the table.
    pub(crate) fn concurrent_mean(&self) -> Option<Figure> {
        let windows = self.table_windows as f64;
        let sessions = self.session_count();
        (windows > 0.0).then(|| Figure {
            value: sessions.value / windows,
            error: sessions.error.map(|error| error / windows),
        })
    }

    /// Returns the kind of the numbers. They are noisy if any row is noisy.
    pub(crate) const fn numbers(&self) -> Numbers {
        if self.rows == self.rows_without_numbers {
            Numbers::Absent
        } else if self.is_private {
            Numbers::Private
        } else if self.is_noisy {
            Numbers::Noisy
        } else {
            Numbers::Exact
        }
    }

    /// Returns true if at least one row contains more than session counts.
    pub(crate) const fn has_numbers(&self) -> bool {
        self.rows > self.rows_without_numbers
    }

    /// Returns the sum of a metric over the rows that contain it, or `None` if no row contains it.
    pub(crate) fn sum(&self, metric: impl Into<Metric>) -> Option<Sum> {
        self.sums[metric.into().index()]
    }

    /// Returns the sum of a metric over the rows that contain it, or 0 if no row contains it.
    fn at(&self, metric: impl Into<Metric>) -> Sum {
        self.sum(metric).unwrap_or_default()
    }

    /// Returns the number of session-windows with an error, by class, or `None` if no row contains these numbers.
    pub(crate) fn errors(&self) -> Option<&BTreeMap<String, Sum>> {
        self.has_numbers().then_some(&self.errors)
    }

    /// Returns true if the standard errors are known. Rows under `differential-privacy` declare only the noise of
    /// `sessions`.
    pub(crate) const fn has_known_noise(&self) -> bool {
        self.has_numbers() && !self.is_private
    }

    /// Returns the standard error of a sum. It is 0 for an exact sum. Returns `None` if the sum is missing or its noise
    /// is unknown.
    pub(crate) fn error(&self, metric: impl Into<Metric>) -> Option<f64> {
        self.sum(metric).filter(|_| self.has_known_noise()).map(|sum| sum.error())
    }

    /// Returns the number of sessions with a value. If the group consists of one row, the result also contains
    /// percentiles and a histogram.
    pub(crate) const fn distribution(&self, metric: ValueMetric) -> &DistributionSummary {
        &self.distributions[metric as usize]
    }

    /// Returns the names of the sums that are below 0 because of noise.
    pub(crate) fn below_zero(&self) -> Vec<String> {
        let below = |sum: &Sum| self.has_numbers() && sum.value < 0;
        let measures = Metric::ALL.into_iter().filter(|metric| below(&self.at(*metric)));
        let errors = self.errors.iter().filter(|(_, sum)| below(sum));
        let errors = errors.map(|(class, _)| format!("errors.{class}"));
        measures.map(|measure| measure.name().to_owned()).chain(errors).collect()
    }

    pub(crate) fn minutes_watched(&self) -> Option<f64> {
        self.sum(SumMetric::PlayingMs).map(|sum| sum.value as f64 / 60_000.0)
    }
}
