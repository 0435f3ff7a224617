//! Formats answers as NDJSON, which consists of one object per line.

use crowdfold_model::{Metric, SumMetric, ValueMetric};
use std::collections::BTreeMap;

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::Answer;
use crate::answer::tables;
use crate::estimate::Sum;
use crate::group::{Derived, Group};
use crate::row::Range;

impl Answer {
    /// Formats the answer as NDJSON. Each group is one object, followed by a line feed. `tenant` is the name of the
    /// tenant. If rows of several tenants were added up, the object has `tenants` instead, the number of tenants. The
    /// count is `sessions`, or `session_windows` if any group adds up several windows.
    ///
    /// `tables` lists the tables whose rows were added up. `numbers` is `exact`, `noisy` or `counts_only`. With
    /// `counts_only`, all other numbers are `null`, because only session counts were published. `below_zero` lists the
    /// sums that are below 0 because of noise. `standard_error` contains the standard errors under the names of their
    /// numbers. A standard error is 0 for an exact number. It is `null` if the number is missing or its noise is not
    /// declared. A ratio is `null` if its denominator is 0, or is too small compared with the noise in it.
    #[must_use]
    pub fn json(&self) -> String {
        let mut json = String::new();
        for group in &self.groups {
            // This cannot fail, because all keys are strings and a String can grow.
            json.push_str(&serde_json::to_string(&line(self, group)).unwrap_or_default());
            json.push('\n');
        }
        json
    }
}

#[derive(serde::Serialize)]
struct Line<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenants: Option<usize>,
    from: u64,
    to: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    attributes: Option<Dimensions<'a>>,
    dimensions: Dimensions<'a>,
    tables: Vec<&'a str>,
    numbers: &'static str,
    rows: u64,
    rows_without_numbers: u64,
    windows: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    sessions: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_windows: Option<u64>,
    concurrent_max: u64,
    concurrent_mean: Option<f64>,
    beacons: Option<i64>,
    #[serde(flatten)]
    sums: Fields<Option<i64>, { SumMetric::COUNT }>,
    errors: Option<BTreeMap<&'a str, i64>>,
    minutes_watched: Option<f64>,
    #[serde(flatten)]
    ratios: Fields<Option<f64>, { RATIOS.len() }>,
    #[serde(flatten)]
    values: Fields<Values<'a>, { ValueMetric::COUNT }>,
    below_zero: Vec<String>,
    standard_error: Errors<'a>,
}

/// The standard errors in a line, by the names of their numbers.
#[derive(serde::Serialize)]
struct Errors<'a> {
    sessions: Option<f64>,
    #[serde(flatten)]
    sums: Fields<Option<f64>, { SumMetric::COUNT }>,
    errors: Option<BTreeMap<&'a str, Option<f64>>>,
    minutes_watched: Option<f64>,
    #[serde(flatten)]
    ratios: Fields<Option<f64>, { RATIOS.len() }>,
    #[serde(flatten)]
    values: Fields<MeanAndSum, { ValueMetric::COUNT }>,
}

/// The ratios, each with its name and the number of decimal places to write.
const RATIOS: [(&str, Derived, i32); 7] = [
    ("rebuffering_ratio", Derived::RebufferingRatio, 6),
    ("stalls_per_hour", Derived::StallsPerHour, 4),
    ("vsf", Derived::Vsf, 6),
    ("ebvs", Derived::Ebvs, 6),
    ("ebvs_reported", Derived::EbvsReported, 6),
    ("vpf", Derived::Vpf, 6),
    ("good", Derived::GoodSessions, 6),
];

fn line<'a>(answer: &'a Answer, group: &'a Group) -> Line<'a> {
    let sessions = group.sessions();
    let several = answer.spans_windows();
    let attributes = answer.across.unwrap_or(0);
    let (names, values) = (&answer.by[..attributes], &group.group_key[..attributes]);
    let amounts = |errors: &'a BTreeMap<String, Sum>| {
        errors.iter().map(|(class, sum)| (class.as_str(), sum.value)).collect()
    };
    Line {
        tenant: answer.across.is_none().then_some(group.tenant()),
        tenants: answer.across.is_some().then_some(group.tenants.len()),
        from: group.span.start.as_millis(),
        to: group.span.end.as_millis(),
        attributes: answer.across.map(|_| Dimensions(names, values)),
        dimensions: Dimensions(&answer.by[attributes..], &group.group_key[attributes..]),
        tables: tables(group),
        numbers: group.numbers().name(),
        rows: group.rows,
        rows_without_numbers: group.rows_without_numbers,
        windows: group.windows(),
        sessions: (!several).then_some(sessions),
        session_windows: several.then_some(sessions),
        concurrent_max: group.concurrent_max(),
        concurrent_mean: rounded(group.concurrent_mean().map(|mean| mean.value), 1),
        beacons: group.beacons,
        sums: Fields(SumMetric::ALL.map(|measure| (measure.name(), group.sum(measure).map(|sum| sum.value)))),
        errors: group.errors().map(amounts),
        minutes_watched: rounded(group.minutes_watched(), 1),
        ratios: Fields(
            RATIOS.map(|(name, metric, decimals)| (name, rounded(group.ratio(metric).value(), decimals))),
        ),
        values: Fields(ValueMetric::ALL.map(|metric| (metric.name(), Values::of(group, metric)))),
        below_zero: group.below_zero(),
        standard_error: standard_errors(group),
    }
}

fn standard_errors(group: &Group) -> Errors<'_> {
    let error = |metric: Metric| rounded(group.error(metric), 1);
    let known = group.has_known_noise();
    let of_class = |sum: &Sum| rounded(known.then(|| sum.error()), 1);
    let classes = group
        .errors()
        .map(|errors| errors.iter().map(|(class, sum)| (class.as_str(), of_class(sum))).collect());
    let ratio = |metric, decimals| rounded(known.then(|| group.ratio(metric).error()).flatten(), decimals);
    let values =
        |metric: ValueMetric| MeanAndSum { mean: ratio(Derived::Mean(metric), 1), sum: error(metric.into()) };
    Errors {
        sessions: rounded(Some(group.noise.sqrt()), 1),
        sums: Fields(SumMetric::ALL.map(|measure| (measure.name(), error(measure.into())))),
        errors: classes,
        minutes_watched: rounded(group.error(SumMetric::PlayingMs).map(|error| error / 60_000.0), 1),
        ratios: Fields(RATIOS.map(|(name, metric, decimals)| (name, ratio(metric, decimals)))),
        values: Fields(ValueMetric::ALL.map(|metric| (metric.name(), values(metric)))),
    }
}

/// A distribution and its mean, as they are written.
#[derive(serde::Serialize)]
struct Values<'a> {
    mean: Option<f64>,
    sessions: Option<u64>,
    sum: Option<i64>,
    p50: Option<u64>,
    p90: Option<u64>,
    p95: Option<u64>,
    p99: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    histogram: Option<&'a [Range]>,
}

impl<'a> Values<'a> {
    fn of(group: &'a Group, metric: ValueMetric) -> Self {
        let summary = group.has_numbers().then(|| group.distribution(metric));
        let percentile = |of: fn(&crate::DistributionSummary) -> Option<u64>| summary.and_then(of);
        Self {
            mean: rounded(group.ratio(Derived::Mean(metric)).value(), 1),
            sessions: percentile(|summary| summary.sessions),
            sum: group.sum(metric).map(|sum| sum.value),
            p50: percentile(|summary| summary.p50),
            p90: percentile(|summary| summary.p90),
            p95: percentile(|summary| summary.p95),
            p99: percentile(|summary| summary.p99),
            histogram: summary.and_then(|summary| summary.histogram.as_deref()),
        }
    }
}

#[derive(serde::Serialize)]
struct MeanAndSum {
    mean: Option<f64>,
    sum: Option<f64>,
}

/// The fields of an object by name, in order.
struct Fields<T, const N: usize>([(&'static str, T); N]);

impl<T: Serialize, const N: usize> Serialize for Fields<T, N> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

struct Dimensions<'a>(&'a [String], &'a [String]);

impl Serialize for Dimensions<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(self.0.len()))?;
        for (dimension, value) in self.0.iter().zip(self.1) {
            map.serialize_entry(dimension, value)?;
        }
        map.end()
    }
}

fn rounded(value: Option<f64>, decimals: i32) -> Option<f64> {
    let scale = 10_f64.powi(decimals);
    value.map(|value| (value * scale).round() / scale)
}
