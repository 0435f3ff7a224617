//! The numbers of a row that may carry noise, and the size of the noise.

use crowdfold_model::{BOUNDED_FIELDS, ErrorClass, Metric, Source, Span};

use crate::row::Row;

#[cfg(test)]
mod tests;

/// The longest window that a policy allows. Longer ones come from other programs and are clamped like this one.
const LONGEST_WINDOW: Span = Span::DAY;

/// Returns the value of a metric in a row, the sum of a distribution; absent if the row does not contain it.
pub(crate) fn value_of(metric: Metric, row: &Row) -> Option<i64> {
    match metric {
        Metric::Sum(metric) => row.sum(metric),
        Metric::Value(metric) => row.distribution(metric).map(|summary| summary.sum),
    }
}

/// Returns the variance of the noise of a metric in one row of a window of this length, whose noise is `noise` times
/// the clamp of each field.
pub(crate) fn variance(metric: Metric, noise: u64, length: Span) -> f64 {
    of_source(Source::Metric(metric), noise, length)
}

/// Returns the variance of the noise in one class of errors. All classes have the same clamp, including those that this
/// version does not know.
pub(crate) fn error_variance(noise: u64, length: Span) -> f64 {
    of_source(Source::Error(ErrorClass::Other), noise, length)
}

/// Returns (noise × clamp)². The discrete Gaussian of parameter σ has a variance of at most σ², and for σ ≥ 1 it is so
/// close that no printed digit differs.
fn of_source(source: Source, noise: u64, length: Span) -> f64 {
    let length = length.min(LONGEST_WINDOW);
    let field = BOUNDED_FIELDS.iter().find(|bounded| bounded.source == source);
    let sigma = noise as f64 * field.map(|field| field.clamp(length)).unwrap_or_default() as f64;
    sigma * sigma
}
