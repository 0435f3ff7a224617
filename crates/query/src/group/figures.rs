//! Numbers computed from sums, with the standard error of their noise.

use crowdfold_model::{SumMetric, ValueMetric};
use serde::Serialize;

use super::{Derived, Group};
use crate::row::Row;

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
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Figure {
    /// Its value.
    pub value: f64,
    /// The standard error: 0 for an exact number, absent if the policy does not declare its noise.
    pub error: Option<f64>,
}
