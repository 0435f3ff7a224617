//! Finds mapped durations that are probably in seconds instead of milliseconds.

use crowdfold_beacon::{Beacon, Mode, Number};
use crowdfold_model::{Metric, SumMetric, ValueMetric};

use crate::Settings;
use crate::sent_fields::{MappedField, MappedPath};

/// The metrics that are checked. Ordinary values of the other durations, such as `ttfb_ms` and `stalled_ms`, may all be
/// short.
const METRICS: [Metric; 3] = [
    Metric::Sum(SumMetric::PlayingMs),
    Metric::Value(ValueMetric::StartupMs),
    Metric::Value(ValueMetric::LiveLatencyMs),
];

/// The limit in milliseconds below which a value is short.
const SHORT: u64 = 60;

/// The minimum number of values that are not whole numbers. Players that report milliseconds as whole numbers do not
/// send such values.
const ENOUGH: u64 = 5;

/// The values of each checked metric that the names of fields map. It contains numbers of values, but no values.
#[derive(Clone, Debug, Default)]
pub struct Durations(Vec<Values>);

#[derive(Clone, Debug)]
struct Values {
    field: Number,
    /// The path of the field.
    path: MappedPath,
    count: u64,
    /// The number of values that are not whole numbers. A value counts as whole if its fraction is below one half.
    fractions: u64,
    /// True if each value is short.
    are_short: bool,
}

impl Durations {
    pub(crate) fn new(settings: &Settings) -> Self {
        let mapped = METRICS.into_iter().filter_map(|metric| {
            let path = settings.fields.get(metric.name())?.clone();
            let path = MappedPath { field: MappedField::Beacon(metric.name().into()), path };
            Some(Values { field: metric.into(), path, count: 0, fractions: 0, are_short: true })
        });
        Self(mapped.collect())
    }

    pub(crate) fn add_beacon(&mut self, beacon: &Beacon<'_>) {
        for values in &mut self.0 {
            if beacon.mode == Mode::Json
                && let Some(amount) = beacon.number(values.field)
            {
                values.count += 1;
                values.fractions += u64::from(!amount.is_whole());
                values.are_short &= amount.rounded() < SHORT;
            }
        }
    }

    /// Adds the values of another instance with the same settings.
    pub fn add(&mut self, other: Self) {
        if self.0.is_empty() {
            self.0 = other.0;
            return;
        }
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            mine.count += theirs.count;
            mine.fractions += theirs.fractions;
            mine.are_short &= theirs.are_short;
        }
    }

    /// Returns the path of each metric that is probably in seconds, and a description of the problem. The path is the
    /// subject of the description, but is not part of it.
    #[must_use]
    pub fn warnings(&self) -> Vec<(&MappedPath, String)> {
        let suspicious = self.0.iter().filter(|values| values.are_short && values.fractions >= ENOUGH);
        let warnings = suspicious.map(|Values { path, count, .. }| {
            let problem = format!(
                "is read as milliseconds, but all {count} values are below {SHORT}, and some of them are not \
                 whole numbers, so they are probably seconds; send milliseconds, or convert the beacons before they \
                 are read"
            );
            (path, problem)
        });
        warnings.collect()
    }
}

#[cfg(test)]
mod tests;
