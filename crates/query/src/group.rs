//! Groups of published rows, their sums, and the metrics computed from them.

use std::collections::{BTreeMap, BTreeSet};

use crowdfold_model::{Metric, SumMetric, Timestamp, ValueMetric, Window};

use crate::estimate::{Ratio, Sum};
use crate::measure::{error_variance, value_of, variance};
use crate::row::{DistributionSummary, Numbers, Row};

#[cfg(test)]
mod tests;

/// Sums of published rows.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    /// The tenants of the rows: one, unless several are added up.
    pub(crate) tenants: BTreeSet<String>,
    /// The tables of the rows, by name (`os.browser`).
    pub(crate) tables: BTreeSet<String>,
    /// The time span of its windows, from the start of the first to the end of the last.
    pub(crate) span: Window,
    /// The value of each dimension grouped by.
    pub(crate) group_key: Vec<String>,
    /// Sessions by start of window: distinct within a window, but not across windows.
    windows: BTreeMap<Timestamp, u64>,
    pub(crate) rows: u64,
    /// Rows that contain session counts only.
    pub(crate) rows_without_numbers: u64,
    /// Sessions of the rows that contain other numbers.
    measured: u64,
    /// Reports; absent unless all rows have them.
    pub(crate) beacons: Option<i64>,
    /// In the order of [`Metric::ALL`]; absent where no row shows the metric.
    sums: [Option<Sum>; Metric::COUNT],
    errors: BTreeMap<String, Sum>,
    distributions: [DistributionSummary; ValueMetric::COUNT],
    is_noisy: bool,
    /// True if some rows carry noise of unknown size.
    is_private: bool,
    /// The variance of the noise in its sessions; 0 without noise.
    pub(crate) noise: f64,
}

impl Group {
    pub(crate) fn of(row: &Row, numbers: Numbers, group_key: Vec<String>) -> Self {
        let mut group = Self {
            tenants: BTreeSet::new(),
            tables: BTreeSet::new(),
            span: row.window,
            group_key,
            windows: BTreeMap::new(),
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
        // a single row keeps its percentiles and ranges
        for (mine, theirs) in group.distributions.iter_mut().zip(&row.values) {
            *mine = theirs.clone().unwrap_or_else(|| mine.clone());
        }
        group
    }

    pub(crate) fn add(&mut self, row: &Row, numbers: Numbers) {
        self.span.start = self.span.start.min(row.window.start);
        self.span.end = self.span.end.max(row.window.end);
        self.rows += 1;
        if !self.tenants.contains(&row.tenant) {
            self.tenants.insert(row.tenant.clone());
        }
        let table = row.breakdown_name();
        if !self.tables.contains(&table) {
            self.tables.insert(table);
        }
        // each row's noise is drawn independently, so variances add up
        self.noise += row.policy.sigma.map_or(0.0, |sigma| sigma * sigma);
        let sessions = self.windows.entry(row.window.start).or_default();
        *sessions = sessions.saturating_add(row.sessions);
        match numbers {
            Numbers::Absent => self.rows_without_numbers += 1,
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
        for (sum, metric) in self.sums.iter_mut().zip(Metric::ALL) {
            let Some(value) = value_of(metric, row) else { continue };
            let variance = noise.map_or(0.0, |noise| variance(metric, noise, row.window));
            sum.get_or_insert_default().add(value, variance);
        }
        self.measured = self.measured.saturating_add(row.sessions);
        let variance = noise.map_or(0.0, |noise| error_variance(noise, row.window));
        for (class, sessions) in row.errors.iter().flatten() {
            self.errors.entry(class.clone()).or_default().add(*sessions, variance);
        }
    }

    /// Adds the number of sessions with a value. Percentiles and ranges of several rows cannot be computed from those
    /// of each.
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

    /// Returns the tenant, if there is only one.
    pub(crate) fn tenant(&self) -> &str {
        self.tenants.first().map_or("", String::as_str)
    }

    /// Returns its sessions. Over several windows these are session-windows: a session is counted in each of its
    /// windows.
    pub(crate) fn sessions(&self) -> u64 {
        self.windows.values().fold(0, |sum, sessions| sum.saturating_add(*sessions))
    }

    /// Returns the number of windows in which it was published.
    pub(crate) fn windows(&self) -> u64 {
        self.windows.len() as u64
    }

    /// Returns the largest number of concurrent sessions of its windows.
    pub(crate) fn concurrent_max(&self) -> u64 {
        self.windows.values().copied().max().unwrap_or_default()
    }

    /// Returns the mean number of concurrent sessions over the windows in which it was published.
    pub(crate) fn concurrent_mean(&self) -> Option<f64> {
        (self.windows() > 0).then(|| self.sessions() as f64 / self.windows() as f64)
    }

    /// Returns the kind of its numbers: noisy if one row is.
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

    /// Returns true if sums are available, because at least one row has numbers.
    pub(crate) const fn has_numbers(&self) -> bool {
        self.rows > self.rows_without_numbers
    }

    /// Returns the sum of a metric over the rows that contain it; absent if none does.
    pub(crate) fn sum(&self, metric: impl Into<Metric>) -> Option<Sum> {
        self.sums[metric.into().index()]
    }

    /// Returns the sum of a metric, 0 where no row shows it.
    fn at(&self, metric: impl Into<Metric>) -> Sum {
        self.sum(metric).unwrap_or_default()
    }

    /// Returns the sessions (in each window) with an error, by class; absent if no row contains them.
    pub(crate) fn errors(&self) -> Option<&BTreeMap<String, Sum>> {
        self.has_numbers().then_some(&self.errors)
    }

    /// Returns true if the standard error of its numbers can be computed. Rows under `differential-privacy` declare
    /// only the noise of `sessions`.
    pub(crate) const fn has_known_noise(&self) -> bool {
        self.has_numbers() && !self.is_private
    }

    /// Returns the standard error of a sum: 0 if it is exact, absent if there is no sum or its noise is unknown.
    pub(crate) fn error(&self, metric: impl Into<Metric>) -> Option<f64> {
        self.sum(metric).filter(|_| self.has_known_noise()).map(|sum| sum.error())
    }

    /// Returns the number of sessions with a value, and the percentiles and ranges of a single row.
    pub(crate) const fn distribution(&self, metric: ValueMetric) -> &DistributionSummary {
        &self.distributions[metric as usize]
    }

    /// Returns the names of sums that are below 0 because of noise.
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

    /// Returns a ratio of its sums. A share outside 0 to 1 is out of range.
    pub(crate) fn ratio(&self, metric: Derived) -> Ratio {
        let ratio = self.quotient(metric);
        if metric.is_share() { ratio.as_share() } else { ratio }
    }

    /// Returns a ratio of its sums without limits.
    fn quotient(&self, metric: Derived) -> Ratio {
        let [attempts, plays, startup_failures, playback_failures, playing, stalled, stalls] = [
            SumMetric::Attempts,
            SumMetric::Plays,
            SumMetric::StartupFailures,
            SumMetric::PlaybackFailures,
            SumMetric::PlayingMs,
            SumMetric::StalledMs,
            SumMetric::Stalls,
        ]
        .map(|measure| self.at(measure));
        match metric {
            Derived::RebufferingRatio => Ratio::of(&[(stalled, 1.0, 1.0), (playing, 0.0, 1.0)]),
            Derived::StallsPerHour => Ratio::of(&[(stalls, 3_600_000.0, 0.0), (playing, 0.0, 1.0)]),
            Derived::Vsf => Ratio::of(&[(startup_failures, 1.0, 0.0), (attempts, 0.0, 1.0)]),
            Derived::Ebvs => {
                Ratio::of(&[(attempts, 1.0, 1.0), (plays, -1.0, 0.0), (startup_failures, -1.0, 0.0)])
            }
            Derived::EbvsReported => self.share_of(SumMetric::ExitsBeforeStart, attempts),
            Derived::GoodSessions => self.share_of(SumMetric::GoodSessions, Sum::exact(self.measured)),
            Derived::Vpf => Ratio::of(&[(playback_failures, 1.0, 0.0), (plays, 0.0, 1.0)]),
            // outside the detail table the number of sessions with a value is unknown
            Derived::Mean(ValueMetric::StartupMs) => self.mean(ValueMetric::StartupMs, plays),
            Derived::Mean(metric) => self.mean(metric, Sum::exact(self.measured)),
        }
    }

    /// Returns the share that a sum has in a total; undefined if no row shows the sum.
    fn share_of(&self, metric: SumMetric, total: Sum) -> Ratio {
        self.sum(metric).map_or(Ratio::Undefined, |sum| Ratio::of(&[(sum, 1.0, 0.0), (total, 0.0, 1.0)]))
    }

    /// Returns the mean of a distribution: over the sessions with a value if all rows contain their number, otherwise
    /// over `otherwise`.
    fn mean(&self, metric: ValueMetric, otherwise: Sum) -> Ratio {
        let over = self.distribution(metric).sessions.map_or(otherwise, Sum::exact);
        Ratio::of(&[(self.at(metric), 1.0, 0.0), (over, 0.0, 1.0)])
    }
}

impl Row {
    /// Returns the numbers computed from this row alone, by the rules of an answer; absent if its noise is unknown.
    #[must_use]
    pub fn figures(&self) -> Option<Figures> {
        let group = Group::of(self, self.numbers()?, Vec::new());
        let figure = |metric| {
            let ratio = group.quotient(metric);
            Some(Figure { value: ratio.value()?, error: ratio.error().filter(|_| group.has_known_noise()) })
        };
        Some(Figures {
            minutes_watched: group.minutes_watched().map(|value| Figure {
                value,
                error: group.error(SumMetric::PlayingMs).map(|error| error / 60_000.0),
            }),
            rebuffering_ratio: figure(Derived::RebufferingRatio),
            startup_ms: figure(Derived::Mean(ValueMetric::StartupMs)),
            bandwidth_kbps: figure(Derived::Mean(ValueMetric::BandwidthKbps)),
        })
    }
}

/// Numbers computed from one row. Each is absent if the row lacks a required number, or its denominator is mostly
/// noise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figures {
    /// Playing time, minutes.
    pub minutes_watched: Option<Figure>,
    /// The stalled time as a share of the time played or stalled.
    pub rebuffering_ratio: Option<Figure>,
    /// Mean startup time, ms.
    pub startup_ms: Option<Figure>,
    /// Mean of the sessions' mean bandwidths, kbit/s.
    pub bandwidth_kbps: Option<Figure>,
}

/// A number with the standard error of its noise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figure {
    /// Its value.
    pub value: f64,
    /// The standard error: 0 for an exact number, absent if the policy does not declare its noise.
    pub error: Option<f64>,
}

/// A number that is computed from sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Derived {
    /// The stalled time as a share of the time played or stalled.
    RebufferingRatio,
    /// Stalls per hour played.
    StallsPerHour,
    /// Video startup failures per attempt.
    Vsf,
    /// Exits before video start per attempt: no first frame and no fatal error.
    Ebvs,
    /// Exits before video start that players reported, per attempt.
    EbvsReported,
    /// Video playback failures per play.
    Vpf,
    /// The share of sessions that met all thresholds of `[quality]`.
    GoodSessions,
    /// The mean of the sessions' values.
    Mean(ValueMetric),
}

impl Derived {
    /// Returns true if the metric is a share of a whole.
    const fn is_share(self) -> bool {
        !matches!(self, Self::StallsPerHour | Self::Mean(_))
    }

    /// Returns all metrics, in the order of output.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let ratios = [
            Self::RebufferingRatio,
            Self::StallsPerHour,
            Self::Vsf,
            Self::Ebvs,
            Self::EbvsReported,
            Self::Vpf,
            Self::GoodSessions,
        ];
        ratios.into_iter().chain(ValueMetric::ALL.into_iter().map(Self::Mean))
    }
}
