//! Sums of published histograms.

use std::collections::BTreeSet;

use crowdfold_model::ValueMetric;
use serde::Serialize;

use crate::row::{Range, Row};
use crate::{Query, QueryError};

#[cfg(test)]
mod tests;

/// The percentiles of which an answer contains bounds.
const PERCENTILES: [u64; 5] = [25, 50, 75, 90, 95];

/// The sum of the histograms of several rows. Their ranges differ, because each covers a minimum number of sessions, so
/// the sum is known in bounds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Distribution {
    /// The sessions in the histograms, counted in each window.
    pub sessions: u64,
    /// The rows whose histograms were added.
    pub rows: u64,
    /// The rows without a histogram: outside the detail table, of added windows, or with too few sessions.
    pub rows_without: u64,
    /// The ranges between all published bounds, in order.
    pub ranges: Vec<SummedRange>,
    /// Bounds of the percentiles.
    pub percentiles: Vec<Percentile>,
}

/// A range of a summed histogram: from ≤ value < to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SummedRange {
    /// Its start; absent in the first range if it is open.
    pub from: Option<u64>,
    /// Its end; absent in the last range if it is open.
    pub to: Option<u64>,
    /// The sessions that are in this range for certain.
    pub at_least: u64,
    /// The sessions that may be in this range.
    pub at_most: u64,
    /// The sessions of wider published ranges, divided in proportion to the certain ones.
    pub estimate: f64,
}

/// A percentile of a summed histogram: from ≤ value ≤ to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Percentile {
    /// Its number, such as 50.
    pub percent: u64,
    /// The lower bound; absent if there is none.
    pub from: Option<u64>,
    /// The upper bound; absent if there is none.
    pub to: Option<u64>,
}

impl Query {
    /// Adds up the published histograms of a metric over all matching rows.
    ///
    /// # Errors
    /// No breakdown was named, and several tables match or none does.
    pub fn distribution(&self, rows: &[Row], metric: ValueMetric) -> Result<Distribution, QueryError> {
        let rows = self.select(rows)?.rows;
        let summaries = rows.iter().filter_map(|(row, _)| row.distribution(metric));
        let histograms: Vec<&[Range]> =
            summaries.filter_map(|summary| summary.histogram.as_deref()).collect();
        Ok(Distribution::of(&histograms, rows.len() as u64))
    }
}

impl Distribution {
    fn of(histograms: &[&[Range]], rows: u64) -> Self {
        let published: Vec<Range> = histograms.iter().flat_map(|ranges| ranges.iter().copied()).collect();
        let mut bounds: BTreeSet<Bound> = BTreeSet::new();
        for (from, to, _) in &published {
            bounds.extend([start(*from), end(*to)]);
        }
        let bounds: Vec<Bound> = bounds.into_iter().collect();
        let mut ranges: Vec<SummedRange> =
            bounds.windows(2).map(|pair| between(pair[0], pair[1], &published)).collect();
        estimate(&mut ranges, &published);
        let sessions = published.iter().map(|(.., sessions)| sessions).sum();
        let percentiles = PERCENTILES.map(|percent| percentile(percent, &bounds, &published, sessions));
        Self {
            sessions,
            rows: histograms.len() as u64,
            rows_without: rows.saturating_sub(histograms.len() as u64),
            percentiles: if sessions == 0 { Vec::new() } else { percentiles.to_vec() },
            ranges,
        }
    }
}

/// A bound of a range, in the order of values.
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
        matching.map(|(.., sessions)| sessions).sum()
    };
    SummedRange {
        from: from.value(),
        to: to.value(),
        at_least: sessions(&|low, high| low >= from && high <= to),
        at_most: sessions(&|low, high| low < to && high > from),
        estimate: 0.0,
    }
}

/// Divides each published range over the summed ranges that it covers: in proportion to their certain sessions, or
/// equally if there are none.
fn estimate(ranges: &mut [SummedRange], published: &[Range]) {
    for (from, to, sessions) in published {
        let (from, to) = (start(*from), end(*to));
        let covered = |range: &SummedRange| start(range.from) >= from && end(range.to) <= to;
        let parts = ranges.iter().filter(|range| covered(range)).count();
        let certain: u64 = ranges.iter().filter(|range| covered(range)).map(|range| range.at_least).sum();
        for range in ranges.iter_mut().filter(|range| covered(range)) {
            let part = if certain == 0 { 1.0 / parts as f64 } else { range.at_least as f64 / certain as f64 };
            range.estimate += *sessions as f64 * part;
        }
    }
}

/// Returns the bounds of a percentile: it is at least each bound that too few sessions can be below, and at most the
/// first one that enough sessions are below for certain.
fn percentile(percent: u64, bounds: &[Bound], published: &[Range], sessions: u64) -> Percentile {
    let needed = sessions.saturating_mul(percent).div_ceil(100);
    let below = |meets: &dyn Fn(&Range) -> bool| -> u64 {
        published.iter().filter(|range| meets(range)).map(|(.., sessions)| sessions).sum()
    };
    let possible = |bound: Bound| below(&|(from, ..)| start(*from) < bound);
    let certain = |bound: Bound| below(&|(_, to, _)| end(*to) <= bound);
    let from = bounds.iter().rev().find(|bound| possible(**bound) < needed);
    let to = bounds.iter().find(|bound| certain(**bound) >= needed);
    Percentile { percent, from: from.and_then(|bound| bound.value()), to: to.and_then(|bound| bound.value()) }
}
