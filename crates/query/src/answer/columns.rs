//! The columns of text tables and CSV.

use crate::group::{Derived, Group};
use crate::output::{Cell, Column};
use crate::row::DistributionSummary;
use crowdfold_model::{ErrorClass, Metric, SumMetric, ValueMetric};

type PercentileOf = fn(&DistributionSummary) -> Option<u64>;

const PERCENTILES: [(&str, PercentileOf); 4] = [
    ("p50", |summary| summary.p50),
    ("p90", |summary| summary.p90),
    ("p95", |summary| summary.p95),
    ("p99", |summary| summary.p99),
];

/// Returns the column of a ratio and its standard error.
pub(super) fn metric(
    name: &str,
    metric: Derived,
    cell: impl Fn(Option<f64>) -> Cell + Copy + 'static,
) -> Column {
    Column::number(name, move |group| cell(group.ratio(metric).value())).error(move |group| {
        let known = group.has_known_noise().then(|| group.ratio(metric).error());
        cell(known.flatten())
    })
}

/// Returns the column of the mean of a distribution and its standard error.
pub(super) fn mean(name: &str, of: Derived) -> Column {
    metric(name, of, |value| Cell::real(value, 0))
}

/// Returns the column of a percentile of a distribution.
pub(super) fn percentile(name: &str, metric: ValueMetric, of: PercentileOf) -> Column {
    Column::number(name, move |group| Cell::count(of(group.distribution(metric))))
}

/// Returns the column of the playing time in minutes.
pub(super) fn minutes(name: &str) -> Column {
    Column::number(name, |group| Cell::real(group.minutes_watched(), 1))
        .error(|group| Cell::real(group.error(SumMetric::PlayingMs).map(|error| error / 60_000.0), 1))
}

/// Returns the columns of the maximum and the mean number of concurrent sessions.
pub(super) fn concurrent() -> [Column; 2] {
    [
        Column::number("concurrent_max", |group| Cell::Count(group.concurrent_max())),
        Column::number("concurrent_mean", |group| Cell::real(mean_of_windows(group), 1)),
    ]
}

/// Returns the mean number of concurrent sessions.
pub(super) fn mean_of_windows(group: &Group) -> Option<f64> {
    group.concurrent_mean().map(|mean| mean.value)
}

/// Returns the column of the sum of a metric and its standard error.
pub(super) fn sum(name: impl Into<String>, metric: impl Into<Metric>) -> Column {
    let metric = metric.into();
    Column::number(name, move |group| Cell::sum(group.sum(metric).map(|sum| sum.value)))
        .error(move |group| Cell::real(group.error(metric), 1))
}

/// Returns the columns of all metrics that are sums.
pub(super) fn plain() -> impl Iterator<Item = Column> {
    SumMetric::ALL.into_iter().map(|measure| sum(measure.name(), measure))
}

/// Returns the columns of all error classes, in the order of the schema. The number is 0 for a class that did not occur.
pub(super) fn errors() -> impl Iterator<Item = Column> {
    let of = |class: &'static str| {
        move |group: &Group| group.errors().map(|errors| errors.get(class).copied().unwrap_or_default())
    };
    ErrorClass::ALL.into_iter().map(ErrorClass::name).map(move |class| {
        Column::number(format!("errors_{class}"), move |group| {
            Cell::sum(of(class)(group).map(|sum| sum.value))
        })
        .error(move |group| {
            let known = of(class)(group).filter(|_| group.has_known_noise());
            Cell::real(known.map(|sum| sum.error()), 1)
        })
    })
}

/// Returns the columns of the metrics that are computed from several sums.
pub(super) fn derived() -> [Column; 8] {
    let share = |value| Cell::real(value, 4);
    [
        minutes("minutes_watched"),
        metric("rebuffering_ratio", Derived::RebufferingRatio, share),
        metric("stalls_per_hour", Derived::StallsPerHour, |value| Cell::real(value, 2)),
        metric("vsf", Derived::Vsf, share),
        metric("ebvs", Derived::Ebvs, share),
        metric("ebvs_reported", Derived::EbvsReported, share),
        metric("vpf", Derived::Vpf, share),
        metric("good", Derived::GoodSessions, share),
    ]
}

/// Returns the columns of the distributions: the number of sessions with a value, the sum, the mean, and the
/// percentiles of groups that consist of one row.
pub(super) fn distributions() -> impl Iterator<Item = Column> {
    ValueMetric::ALL.into_iter().flat_map(|measure| {
        let name = measure.name();
        let sessions = move |group: &Group| {
            Cell::count(group.distribution(measure).sessions.filter(|_| group.has_numbers()))
        };
        let first = [
            Column::number(format!("{name}_sessions"), sessions),
            sum(format!("{name}_sum"), measure),
            mean(&format!("{name}_mean"), Derived::Mean(measure)),
        ];
        let percentiles =
            PERCENTILES.map(|(centile, of)| percentile(&format!("{name}_{centile}"), measure, of));
        first.into_iter().chain(percentiles)
    })
}
