//! The numbers of a row, and the variance of their noise.

use crowdfold_model::{BOUNDED_FIELDS, ErrorClass, Metric, Source, Span};

use crate::row::Row;

#[cfg(test)]
mod tests;

/// The longest window that a policy allows. A longer window, which another program must have published, is treated as a
/// window of this length.
const LONGEST_WINDOW: Span = Span::DAY;

/// Returns the value of a metric in a row. The value of a distribution is its sum. Returns `None` if the row does not
/// contain the metric.
pub(crate) fn value_of(metric: Metric, row: &Row) -> Option<i64> {
    match metric {
        Metric::Sum(metric) => row.sum(metric),
        Metric::Value(metric) => row.distribution(metric).map(|summary| summary.sum),
    }
}

/// Returns the variance of the noise of a metric in one row. `length` is the length of the row's window. `noise` is the
/// standard deviation of the noise as a multiple of the metric's clamp.
pub(crate) fn variance(metric: Metric, noise: u64, length: Span) -> f64 {
    of_source(Source::Metric(metric), noise, length)
}

/// Returns the variance of the noise in the number of sessions with a certain error class. All classes have the same
/// clamp, including classes that this version does not know.
pub(crate) fn error_variance(noise: u64, length: Span) -> f64 {
    of_source(Source::Error(ErrorClass::Other), noise, length)
}

/// Returns the variance σ² of the noise, where σ = noise × clamp. This is an upper bound, because the noise is a
/// discrete Gaussian with the parameter σ. For σ ≥ 1 the difference changes no printed digit.
fn of_source(source: Source, noise: u64, length: Span) -> f64 {
    let length = length.min(LONGEST_WINDOW);
    let field = BOUNDED_FIELDS.iter().find(|bounded| bounded.source == source);
    let sigma = noise as f64 * field.map(|field| field.clamp(length)).unwrap_or_default() as f64;
    sigma * sigma
}
