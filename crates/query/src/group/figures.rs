//! Numbers that are computed from sums, with the standard errors of their noise.

use crowdfold_model::{SumMetric, ValueMetric};
use serde::Serialize;

use super::{Derived, Group};
use crate::row::Row;

impl Row {
    /// Computes numbers from this row alone, by the same rules as in an answer. Returns `None` if the noise of the row
    /// is unknown.
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

/// Numbers that are computed from one row. A number is `None` if the row lacks a sum that is needed to compute it, or
/// if the denominator consists mostly of noise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figures {
    /// The playing time in minutes.
    pub minutes_watched: Option<Figure>,
    /// The stalled time divided by the sum of playing time and stalled time.
    pub rebuffering_ratio: Option<Figure>,
    /// The mean startup time in milliseconds.
    pub startup_ms: Option<Figure>,
    /// The mean of the mean bandwidths of the sessions, in kbit/s.
    pub bandwidth_kbps: Option<Figure>,
}

/// A number, and the standard error of its noise.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Figure {
    /// The number, including its noise.
    pub value: f64,
    /// The standard error. It is 0 for an exact number, and `None` if the policy does not declare the noise.
    pub error: Option<f64>,
}
