//! Encodes histograms. A histogram is a list of ranges, and each range consists of three integers in LEB128: its bounds
//! (0 if the range is open on this side, and otherwise the bound plus 1), and its number of sessions.

use crowdfold_model::ValueMetric;
use crowdfold_query::{Range, Row};

#[cfg(test)]
mod tests;

/// A range and its number of sessions. The bounds are encoded.
type Sessions = ((u64, u64), u64);

/// A sum of histograms: the number of sessions of each range, in order of the ranges.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ranges(Vec<Sessions>);

impl Ranges {
    /// Adds a histogram.
    pub(super) fn add(&mut self, mut bytes: &[u8]) {
        let mut added: Vec<Sessions> = Vec::with_capacity(bytes.len() / 3);
        while let (Some(from), Some(to), Some(sessions)) =
            (read(&mut bytes), read(&mut bytes), read(&mut bytes))
        {
            added.push(((from, to), sessions));
        }
        // published histograms and sums are already in order
        added.sort_by_key(|(range, _)| *range);
        let known = std::mem::take(&mut self.0);
        self.0.reserve(known.len() + added.len());
        let (mut known, mut added) = (known.into_iter().peekable(), added.into_iter().peekable());
        loop {
            let is_known_next = match (known.peek(), added.peek()) {
                (Some((one, _)), Some((other, _))) => one <= other,
                (one, _) => one.is_some(),
            };
            let next = if is_known_next { known.next() } else { added.next() };
            let Some((range, sessions)) = next else { return };
            match self.0.last_mut() {
                Some((last, sum)) if *last == range => *sum = sum.saturating_add(sessions),
                _ => self.0.push((range, sessions)),
            }
        }
    }

    /// Encodes the sum.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(6 * self.0.len());
        for ((from, to), sessions) in &self.0 {
            [*from, *to, *sessions].into_iter().for_each(|number| write(&mut bytes, number));
        }
        bytes
    }

    /// Returns the sum as a histogram.
    pub(super) fn histogram(&self) -> Vec<Range> {
        self.0
            .iter()
            .map(|((from, to), sessions)| (from.checked_sub(1), to.checked_sub(1), *sessions))
            .collect()
    }
}

/// Encodes the histograms of a row, each with the name of its metric and its length in bytes. Returns `None` if the row
/// has no histogram.
pub(super) fn encode(row: &Row) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    for metric in ValueMetric::ALL {
        let Some(histogram) = row.distribution(metric).and_then(|summary| summary.histogram.as_ref()) else {
            continue;
        };
        let bound = |bound: Option<u64>| bound.map_or(0, |bound| bound.saturating_add(1));
        let mut ranges = Vec::new();
        for (from, to, sessions) in histogram {
            [bound(*from), bound(*to), *sessions].into_iter().for_each(|number| write(&mut ranges, number));
        }
        for part in [metric.name().as_bytes(), &ranges] {
            write(&mut bytes, part.len() as u64);
            bytes.extend_from_slice(part);
        }
    }
    (!bytes.is_empty()).then_some(bytes)
}

/// Returns the histograms that [`encode`] wrote, each with the name of its metric.
pub(super) fn decode(mut bytes: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    std::iter::from_fn(move || Some((part(&mut bytes)?, part(&mut bytes)?)))
}

fn part<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(read(bytes)?).ok()?;
    let (part, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(part)
}

fn write(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn read(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}
