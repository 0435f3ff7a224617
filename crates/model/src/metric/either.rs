//! A metric that is either a sum or a value of each session.

use crate::{Clamp, SumMetric, Unit, ValueMetric};

/// A metric of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// A sum over sessions.
    Sum(SumMetric),
    /// A value of each session.
    Value(ValueMetric),
}

impl From<SumMetric> for Metric {
    fn from(metric: SumMetric) -> Self {
        Self::Sum(metric)
    }
}

impl From<ValueMetric> for Metric {
    fn from(metric: ValueMetric) -> Self {
        Self::Value(metric)
    }
}

impl Metric {
    /// The number of metrics.
    pub const COUNT: usize = SumMetric::COUNT + ValueMetric::COUNT;

    /// All metrics: first the sums and then the values, each in the order of their fields in a row.
    pub const ALL: [Self; Self::COUNT] = {
        let mut all = [Self::Sum(SumMetric::Attempts); Self::COUNT];
        let mut at = 0;
        while at < Self::COUNT {
            all[at] = match at.checked_sub(SumMetric::COUNT) {
                None => Self::Sum(SumMetric::ALL[at]),
                Some(at) => Self::Value(ValueMetric::ALL[at]),
            };
            at += 1;
        }
        all
    };

    /// Returns the index of a metric in [`Self::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        match self {
            Self::Sum(metric) => metric as usize,
            Self::Value(metric) => SumMetric::COUNT + metric as usize,
        }
    }

    /// Returns the metric with this name, or `None` if there is none.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|metric| metric.name() == name)
    }

    /// Returns the maximum that one session contributes outside the detail table.
    #[must_use]
    pub const fn outside_detail(self) -> Clamp {
        match self {
            Self::Sum(metric) => metric.outside_detail(),
            Self::Value(metric) => metric.outside_detail(),
        }
    }

    /// Returns all metrics that are fields of JSON beacons.
    pub fn in_beacons() -> impl Iterator<Item = Self> {
        let sums = SumMetric::ALL.into_iter().filter(|sum| sum.is_in_beacons()).map(Self::Sum);
        sums.chain(ValueMetric::ALL.into_iter().map(Self::Value))
    }

    /// Returns the name of the metric in rollups and JSON beacons.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sum(sum) => sum.name(),
            Self::Value(value) => value.name(),
        }
    }

    /// Returns the description of the metric.
    #[must_use]
    pub const fn description(self) -> &'static str {
        match self {
            Self::Sum(sum) => sum.description(),
            Self::Value(value) => value.description(),
        }
    }

    /// Returns the CMCD key that contains the metric, or `None` if there is none.
    #[must_use]
    pub fn cmcd_key(self) -> Option<&'static str> {
        match self {
            Self::Sum(sum) => sum.cmcd_key(),
            Self::Value(value) => value.cmcd_key(),
        }
    }

    /// Returns the unit of the metric.
    #[must_use]
    pub const fn unit(self) -> Unit {
        match self {
            Self::Sum(sum) => sum.unit(),
            Self::Value(value) => value.unit(),
        }
    }
}
