//! The numbers of a row that may carry noise, and how much.

use crowdfold_model::{BOUNDED_FIELDS, ErrorClass, Metric, Source};

use crate::row::{Row, Window};

#[cfg(test)]
mod tests;

/// The longest window that a policy allows, ms. Longer ones come from other programs and are clamped like this one.
const LONGEST_WINDOW: u64 = 86_400_000;

/// Returns the value of a metric in a row, the sum of a distribution; absent where the row does not show it.
pub(crate) fn value_of(metric: Metric, row: &Row) -> Option<i64> {
    match metric {
        Metric::Sum(metric) => row.sum(metric),
        Metric::Value(metric) => row.distribution(metric).map(|summary| summary.sum),
    }
}

/// Returns the variance of the noise of a metric in one row, for a row whose noise is `noise` times the clamp of each
/// field.
pub(crate) fn variance(metric: Metric, noise: u64, window: Window) -> f64 {
    of_source(Source::Metric(metric), noise, window)
}

/// The variance of the noise in one class of errors. A class that this version does not know has the clamp of the
/// others, which is the same for all.
pub(crate) fn error_variance(noise: u64, window: Window) -> f64 {
    of_source(Source::Error(ErrorClass::Other), noise, window)
}

/// (noise × clamp)². The discrete Gaussian of parameter σ has a variance of at most σ², and for σ ≥ 1 so close to it
/// that no digit that is printed differs.
fn of_source(source: Source, noise: u64, window: Window) -> f64 {
    let length = window.end.saturating_sub(window.start).min(LONGEST_WINDOW);
    let field = BOUNDED_FIELDS.iter().find(|bounded| bounded.source == source);
    let sigma = noise as f64 * field.map(|field| field.clamp(length)).unwrap_or_default() as f64;
    sigma * sigma
}
