//! Compares live latencies and times to first byte.

use serde_json::Value;

use super::attempts::Attempt;
use super::comparison::Differences;
use super::published::Published;
use super::scenario::{Fault, REPORT_S};

/// The maximum time between two measurements of the page, in milliseconds. The page measures every 100 ms.
const SAMPLE_MS: f64 = 100.0;
/// The maximum mean time between the first byte of a response and its event in the player, in milliseconds.
const EVENT_MS: f64 = 20.0;

/// Compares the live latency and the time to first byte of an attempt. Rows of playbacks without these measurements
/// must have no values.
pub(super) fn compare(found: &mut Differences, attempt: &Attempt, published: &Published) {
    let scenario = &attempt.scenario;
    if scenario.fault == Fault::Live {
        compare_latency(found, attempt, published);
    } else {
        found.exact("weight of live latencies", published.live_latency_ms.0, 0);
    }
    if scenario.reports_responses() {
        compare_ttfb(found, attempt, published);
    } else {
        found.exact("windows with a time to first byte", published.ttfb_ms.len() as u64, 0);
    }
}

/// Compares the means over the playing time. These are the reasons for differences:
///
/// - Each report and each mean of a window is rounded to two digits.
/// - The page measures at other times than the player.
/// - If the latency changes between two reports, the worker attributes all time between them to the later report. It
///   does not use the time that ends with a report without live latency.
fn compare_latency(found: &mut Differences, attempt: &Attempt, published: &Published) {
    let number = |name: &str| attempt.number(name);
    let seen = number("live_latency_ms");
    let (weights, sum) = published.live_latency_ms;
    let change = number("highest_latency_ms") - number("lowest_latency_ms");
    let shift = change * REPORT_S * 1_000.0 / number("playing_ms");
    let tolerance = 2.0 * rounding(number("highest_latency_ms")) + SAMPLE_MS + shift + number("total_lag_ms");
    found.near("live latency ms", sum as f64 / weights as f64, seen, tolerance);
}

/// Compares the means over the responses. A row contains the mean of its window, but not the number of responses.
/// Therefore each window is weighted by the number of requests that the page measured in it. These are the reasons for
/// differences:
///
/// - Each report and each mean of a window is rounded to two digits.
/// - Players also measure the time for which the browser queues the request.
/// - Some players measure the time at which they receive an event. A late timer shows that events were late too.
fn compare_ttfb(found: &mut Differences, attempt: &Attempt, published: &Published) {
    let responses = attempt.responses().len();
    let (count, sum) = published_ttfb(attempt, published);
    found.exact("responses in windows with a time to first byte", count, responses as u64);
    let mean = |of: fn(&Value) -> f64| mean(attempt, of).unwrap_or(0.0);
    let longest = published.ttfb_ms.iter().map(|(_, _, ttfb)| *ttfb).max().unwrap_or(0);
    let rounded = mean(|response| rounding(number(response, "ttfb_ms"))) + rounding(longest as f64);
    let queued = mean(|response| number(response, "queued_ms"));
    let late = EVENT_MS + attempt.number("total_lag_ms") / responses as f64;
    let seen = seen_ttfb(attempt).unwrap_or(0.0);
    found.near("time to first byte ms", sum as f64 / count as f64, seen, rounded + queued + late);
}

/// Returns the mean time to first byte that the page measured.
pub(super) fn seen_ttfb(attempt: &Attempt) -> Option<f64> {
    mean(attempt, |response| number(response, "ttfb_ms")).filter(|_| attempt.scenario.reports_responses())
}

/// Returns the number of responses that have a time to first byte, in all published windows, and the sum of these
/// times.
pub(super) fn published_ttfb(attempt: &Attempt, published: &Published) -> (u64, u64) {
    let (mut count, mut sum) = (0, 0);
    for (start, end, ttfb) in &published.ttfb_ms {
        let window = *start as f64..*end as f64;
        let is_inside = |response: &&Value| window.contains(&number(response, "at_ms"));
        let requests = attempt.responses().iter().filter(is_inside).count() as u64;
        count += requests;
        sum += requests * ttfb;
    }
    (count, sum)
}

/// Returns the mean of a number over all responses, or `None` if there are none.
fn mean(attempt: &Attempt, of: fn(&Value) -> f64) -> Option<f64> {
    let responses = attempt.responses();
    let sum: f64 = responses.iter().map(of).sum();
    (!responses.is_empty()).then(|| sum / responses.len() as f64)
}

fn number(response: &Value, name: &str) -> f64 {
    response[name].as_f64().unwrap()
}

/// Returns the maximum difference between a number and this number rounded to two digits.
fn rounding(number: f64) -> f64 {
    10_f64.powf((number.max(10.0)).log10().floor() - 1.0) / 2.0
}
