//! Metrics that can be selected by name.

use crowdfold_model::{Better, SumMetric, Unit};

use crate::group::{Derived, Figure, Group};

#[cfg(test)]
mod tests;

/// A metric of an answer: a count, a sum, or a number that is computed from sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueryMetric(Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Sessions,
    ConcurrentMean,
    MinutesWatched,
    Ratio(Derived),
    Sum(SumMetric),
}

impl QueryMetric {
    /// Returns all metrics, in the order of the output.
    pub fn all() -> impl Iterator<Item = Self> {
        [Kind::Sessions, Kind::ConcurrentMean, Kind::MinutesWatched]
            .into_iter()
            .chain(Derived::all().map(Kind::Ratio))
            .chain(SumMetric::ALL.into_iter().map(Kind::Sum))
            .map(Self)
    }

    /// Returns the metric with this name, or `None` if there is no such metric.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::all().find(|metric| metric.name() == name)
    }

    /// Returns the name of the metric, which is also its column in JSON and CSV.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self.0 {
            Kind::Sessions => "sessions",
            Kind::ConcurrentMean => "concurrent_mean",
            Kind::MinutesWatched => "minutes_watched",
            Kind::Ratio(ratio) => ratio.name(),
            Kind::Sum(metric) => metric.name(),
        }
    }

    /// Returns the unit of the metric: `share`, `sessions`, `minutes`, `count`, `ms`, `kbit/s` or `per hour`.
    #[must_use]
    pub const fn unit(self) -> &'static str {
        match self.0 {
            Kind::Sessions | Kind::ConcurrentMean => "sessions",
            Kind::MinutesWatched => "minutes",
            Kind::Ratio(Derived::Mean(metric)) => unit_name(metric.unit()),
            Kind::Ratio(Derived::StallsPerHour) => "per hour",
            Kind::Ratio(_) => "share",
            Kind::Sum(metric) => unit_name(metric.unit()),
        }
    }

    /// Returns the definition of the metric, which is one sentence.
    #[must_use]
    pub const fn definition(self) -> &'static str {
        match self.0 {
            Kind::Sessions => {
                "Distinct sessions of each window; over several windows a session is counted in each."
            }
            Kind::ConcurrentMean => {
                "Mean number of sessions of the windows in which the table was published."
            }
            Kind::MinutesWatched => "Playing time.",
            Kind::Ratio(ratio) => ratio.definition(),
            Kind::Sum(metric) => metric.description(),
        }
    }

    /// Returns the direction in which the metric improves.
    #[must_use]
    pub const fn better(self) -> Better {
        match self.0 {
            Kind::Ratio(Derived::Mean(metric)) => metric.better(),
            Kind::Ratio(Derived::GoodSessions) => Better::Higher,
            Kind::Ratio(_) => Better::Lower,
            Kind::Sessions | Kind::ConcurrentMean | Kind::MinutesWatched | Kind::Sum(_) => Better::Neither,
        }
    }

    /// Returns true if the metric is a ratio or a mean. Only for such metrics can a row be compared with all other
    /// rows.
    #[must_use]
    pub const fn is_ratio(self) -> bool {
        matches!(self.0, Kind::Ratio(_))
    }

    /// Returns true if the metric grows with the number of windows.
    pub(crate) const fn is_sum(self) -> bool {
        matches!(self.0, Kind::Sessions | Kind::MinutesWatched | Kind::Sum(_))
    }

    pub(crate) const fn ratio(self) -> Option<Derived> {
        match self.0 {
            Kind::Ratio(ratio) => Some(ratio),
            _ => None,
        }
    }

    /// Returns the value of the metric in a group. Returns `None` if the value was not published, is undefined, or
    /// consists mostly of noise.
    pub(crate) fn of(self, group: &Group) -> Option<Figure> {
        match self.0 {
            Kind::Sessions => Some(group.session_count()),
            Kind::ConcurrentMean => group.concurrent_mean(),
            Kind::MinutesWatched => group.minutes_watched().map(|value| Figure {
                value,
                error: group.error(SumMetric::PlayingMs).map(|error| error / 60_000.0),
            }),
            Kind::Sum(metric) => {
                group.sum(metric).map(|sum| Figure { value: sum.value as f64, error: group.error(metric) })
            }
            Kind::Ratio(ratio) => {
                let known = group.ratio(ratio);
                let error = known.error().filter(|_| group.has_known_noise());
                known.value().map(|value| Figure { value, error })
            }
        }
    }
}

const fn unit_name(unit: Unit) -> &'static str {
    match unit {
        Unit::Count => "count",
        Unit::Milliseconds => "ms",
        Unit::Kbps => "kbit/s",
    }
}
