//! Sums of published histograms.

use std::collections::{BTreeMap, BTreeSet};

use crowdfold_model::ValueMetric;
use serde::Serialize;

use crate::Query;
use crate::query::Met;
use crate::row::{Range, Row};

#[cfg(test)]
mod tests;

/// The percentiles for which bounds are computed.
const PERCENTILES: [u64; 5] = [25, 50, 75, 90, 95];

/// The sum of the histograms of several rows. Each row has its own ranges, because each range must contain a minimum
/// number of sessions. Therefore only bounds of the sum are known.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Distribution {
    /// The number of session-windows in the histograms.
    pub sessions: u64,
    /// The number of rows whose histograms were added.
    pub rows: u64,
    /// The number of rows without a histogram. Such rows are outside the detail table, or have too few sessions.
    pub rows_without: u64,
    /// The ranges of the sum, in order. A bound of a range of any row is also a bound here.
    pub ranges: Vec<SummedRange>,
    /// The bounds of each percentile.
    pub percentiles: Vec<Percentile>,
}

/// A range of a summed histogram. It contains the values with from ≤ value < to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SummedRange {
    /// The start of the range. It is `None` if this is the first range and the range has no lower bound.
    pub from: Option<u64>,
    /// The end of the range. It is `None` if this is the last range and the range has no upper bound.
    pub to: Option<u64>,
    /// The number of session-windows that are certainly in this range.
    pub at_least: u64,
    /// The number of session-windows that are possibly in this range.
    pub at_most: u64,
    /// The estimated number of session-windows in this range. If a published range covers several of these ranges, its
    /// sessions are divided among them in proportion to `at_least`.
    pub estimate: f64,
}

/// The bounds of a percentile of a summed histogram: from ≤ value ≤ to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Percentile {
    /// The percentage that defines the percentile, such as 50 for the median.
    pub percent: u64,
    /// The lower bound, or `None` if there is none.
    pub from: Option<u64>,
    /// The upper bound, or `None` if there is none.
    pub to: Option<u64>,
}

/// A sum of histograms, to which rows are added one after the other.
#[derive(Clone, Debug)]
pub struct HistogramSum<'a> {
    query: &'a Query,
    metric: ValueMetric,
    sums: Sums,
}

impl Query {
    /// Returns an empty sum of the published histograms of a metric. Only rows that match the query are added. The query
    /// should name a breakdown, because all tables of a window contain the same sessions.
    #[must_use]
    pub fn distribution(&self, metric: ValueMetric) -> HistogramSum<'_> {
        HistogramSum { query: self, metric, sums: Sums::default() }
    }
}

impl HistogramSum<'_> {
    /// Adds the histogram of a row, if the row matches the query.
    pub fn add(&mut self, row: &Row) {
        if self.query.selects(row) && self.query.met_by(row) == Met::Yes && row.numbers().is_some() {
            let summary = row.distribution(self.metric);
            let rows = row.added.map_or(1, |added| added.rows);
            self.sums.add(summary.and_then(|summary| summary.histogram.as_deref()), rows);
        }
    }

    /// Returns the distribution of the sum.
    #[must_use]
    pub fn finish(self) -> Distribution {
        self.sums.finish()
    }
}

/// The sums of the ranges of several histograms. Many histograms have the same ranges, so there are few sums.
#[derive(Clone, Debug, Default)]
struct Sums {
    sessions: BTreeMap<(Option<u64>, Option<u64>), u64>,
    rows: u64,
    rows_without: u64,
}

impl Sums {
    /// Adds the sum of the histograms of a number of rows, or a number of rows without a histogram.
    fn add(&mut self, histogram: Option<&[Range]>, rows: u64) {
        let Some(histogram) = histogram else {
            self.rows_without = self.rows_without.saturating_add(rows);
            return;
        };
        self.rows = self.rows.saturating_add(rows);
        for (from, to, sessions) in histogram {
            let sum = self.sessions.entry((*from, *to)).or_default();
            *sum = sum.saturating_add(*sessions);
        }
    }

    fn finish(self) -> Distribution {
        let Self { sessions, rows, rows_without } = self;
        let published: Vec<Range> =
            sessions.into_iter().map(|((from, to), sessions)| (from, to, sessions)).collect();
        let mut bounds: BTreeSet<Bound> = BTreeSet::new();
        for (from, to, _) in &published {
            bounds.extend([start(*from), end(*to)]);
        }
        let bounds: Vec<Bound> = bounds.into_iter().collect();
        let mut ranges: Vec<SummedRange> =
            bounds.windows(2).map(|pair| between(pair[0], pair[1], &published)).collect();
        estimate(&mut ranges, &published);
        let sessions = total(published.iter().map(|(.., sessions)| *sessions));
        let percentiles = PERCENTILES.map(|percent| percentile(percent, &bounds, &published, sessions));
        Distribution {
            sessions,
            rows,
            rows_without,
            percentiles: if sessions == 0 { Vec::new() } else { percentiles.to_vec() },
            ranges,
        }
    }
}

/// A bound of a range. Bounds are ordered by value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Bound {
    Lowest,
    At(u64),
    Highest,
}

impl Bound {
    const fn value(self) -> Option<u64> {
        match self {
            Self::At(value) => Some(value),
            Self::Lowest | Self::Highest => None,
        }
    }
}

const fn start(from: Option<u64>) -> Bound {
    match from {
        Some(value) => Bound::At(value),
        None => Bound::Lowest,
    }
}

const fn end(to: Option<u64>) -> Bound {
    match to {
        Some(value) => Bound::At(value),
        None => Bound::Highest,
    }
}

fn between(from: Bound, to: Bound, published: &[Range]) -> SummedRange {
    let sessions = |meets: &dyn Fn(Bound, Bound) -> bool| {
        let matching = published.iter().filter(|(low, high, _)| meets(start(*low), end(*high)));
        total(matching.map(|(.., sessions)| *sessions))
    };
    SummedRange {
        from: from.value(),
        to: to.value(),
        at_least: sessions(&|low, high| low >= from && high <= to),
        at_most: sessions(&|low, high| low < to && high > from),
        estimate: 0.0,
    }
}

/// Adds up numbers. A sum that exceeds the range of integers is the highest integer.
fn total(numbers: impl Iterator<Item = u64>) -> u64 {
    numbers.fold(0, u64::saturating_add)
}

/// Divides the sessions of each published range among the summed ranges that it covers. The parts are proportional to
/// `at_least` of the summed ranges. If `at_least` is 0 in all of them, the parts are equal.
fn estimate(ranges: &mut [SummedRange], published: &[Range]) {
    for (from, to, sessions) in published {
        let (from, to) = (start(*from), end(*to));
        let covered = |range: &SummedRange| start(range.from) >= from && end(range.to) <= to;
        let parts = ranges.iter().filter(|range| covered(range)).count();
        let certain = total(ranges.iter().filter(|range| covered(range)).map(|range| range.at_least));
        for range in ranges.iter_mut().filter(|range| covered(range)) {
            let part = if certain == 0 { 1.0 / parts as f64 } else { range.at_least as f64 / certain as f64 };
            range.estimate += *sessions as f64 * part;
        }
    }
}

/// Returns the bounds of a percentile. The lower bound is the largest bound of a range below which there are certainly
/// too few sessions for this percentile. The upper bound is the smallest bound of a range below which there are
/// certainly enough sessions.
fn percentile(percent: u64, bounds: &[Bound], published: &[Range], sessions: u64) -> Percentile {
    let needed = sessions.saturating_mul(percent).div_ceil(100);
    let below = |meets: &dyn Fn(&Range) -> bool| -> u64 {
        total(published.iter().filter(|range| meets(range)).map(|(.., sessions)| *sessions))
    };
    let possible = |bound: Bound| below(&|(from, ..)| start(*from) < bound);
    let certain = |bound: Bound| below(&|(_, to, _)| end(*to) <= bound);
    let from = bounds.iter().rev().find(|bound| possible(**bound) < needed);
    let to = bounds.iter().find(|bound| certain(**bound) >= needed);
    Percentile { percent, from: from.and_then(|bound| bound.value()), to: to.and_then(|bound| bound.value()) }
}
