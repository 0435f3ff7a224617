//! The columns of tables and CSV.

use crate::group::{Group, Metric};
use crate::measure::Measure;
use crate::output::{Cell, Column};
use crate::row::DistributionSummary;

/// The classes of errors, in the order of the schema. The columns of CSV do not depend on which occur.
const ERRORS: [&str; 6] = ["network", "manifest", "media", "drm", "timeout", "other"];

type PercentileOf = fn(&DistributionSummary) -> Option<u64>;

const PERCENTILES: [(&str, PercentileOf); 4] = [
    ("p50", |summary| summary.p50),
    ("p90", |summary| summary.p90),
    ("p95", |summary| summary.p95),
    ("p99", |summary| summary.p99),
];

/// Returns the column of a ratio with its standard error.
pub(super) fn metric(
    name: &str,
    metric: Metric,
    cell: impl Fn(Option<f64>) -> Cell + Copy + 'static,
) -> Column {
    Column::number(name, move |group| cell(group.ratio(metric).value())).error(move |group| {
        let known = group.has_known_noise().then(|| group.ratio(metric).error());
        cell(known.flatten())
    })
}

/// Returns the column of the mean of a distribution.
pub(super) fn mean(name: &str, of: Metric) -> Column {
    metric(name, of, |value| Cell::real(value, 0))
}

/// Returns the column of a percentile of a distribution.
pub(super) fn percentile(name: &str, measure: Measure, of: PercentileOf) -> Column {
    Column::number(name, move |group| Cell::count(group.distribution(measure).and_then(of)))
}

/// Returns the column of the time watched.
pub(super) fn minutes(name: &str) -> Column {
    Column::number(name, |group| Cell::real(group.minutes_watched(), 1))
        .error(|group| Cell::real(group.error(Measure::PlayingMs).map(|error| error / 60_000.0), 1))
}

/// Returns the columns of concurrent sessions.
pub(super) fn concurrent() -> [Column; 2] {
    [
        Column::number("concurrent_max", |group| Cell::Count(group.concurrent_max())),
        Column::number("concurrent_mean", |group| Cell::real(group.concurrent_mean(), 1)),
    ]
}

/// Returns the column of the sum of a measure.
fn sum(name: impl Into<String>, measure: Measure) -> Column {
    Column::number(name, move |group| Cell::sum(group.sum(measure).map(|sum| sum.value)))
        .error(move |group| Cell::real(group.error(measure), 1))
}

/// Returns the columns of sums that are plain numbers in a row.
pub(super) fn plain() -> impl Iterator<Item = Column> {
    Measure::PLAIN.into_iter().map(|measure| sum(measure.name(), measure))
}

/// Returns the columns of the classes of errors; 0 for a class that did not occur.
pub(super) fn errors() -> impl Iterator<Item = Column> {
    let of = |class: &'static str| {
        move |group: &Group| group.errors().map(|errors| errors.get(class).copied().unwrap_or_default())
    };
    ERRORS.into_iter().map(move |class| {
        Column::number(format!("errors_{class}"), move |group| {
            Cell::sum(of(class)(group).map(|sum| sum.value))
        })
        .error(move |group| {
            let known = of(class)(group).filter(|_| group.has_known_noise());
            Cell::real(known.map(|sum| sum.error()), 1)
        })
    })
}

/// Returns the columns of numbers that are computed from plain sums.
pub(super) fn derived() -> [Column; 6] {
    let share = |value| Cell::real(value, 4);
    [
        minutes("minutes_watched"),
        metric("rebuffering_ratio", Metric::RebufferingRatio, share),
        metric("stalls_per_hour", Metric::StallsPerHour, |value| Cell::real(value, 2)),
        metric("vsf", Metric::Vsf, share),
        metric("ebvs", Metric::Ebvs, share),
        metric("vpf", Metric::Vpf, share),
    ]
}

/// Returns the columns of the distributions: the number of sessions with a value, sum, mean, and the percentiles of a
/// group of a single row.
pub(super) fn distributions() -> impl Iterator<Item = Column> {
    let means = [Metric::Startup, Metric::Bandwidth, Metric::Bitrate];
    Measure::DISTRIBUTIONS.into_iter().zip(means).flat_map(|(measure, of)| {
        let name = measure.name();
        let sessions = move |group: &Group| {
            Cell::count(
                group
                    .distribution(measure)
                    .filter(|_| group.has_numbers())
                    .and_then(|summary| summary.sessions),
            )
        };
        let first = [
            Column::number(format!("{name}_sessions"), sessions),
            sum(format!("{name}_sum"), measure),
            mean(&format!("{name}_mean"), of),
        ];
        let percentiles =
            PERCENTILES.map(|(centile, of)| percentile(&format!("{name}_{centile}"), measure, of));
        first.into_iter().chain(percentiles)
    })
}
