//! A group of session summaries.

use std::ops::{Index, IndexMut};

use crate::{Bounded, Distribution, Sums, ValueMetric};

/// A group of session summaries: their number, their sums and the distributions of their values.
#[derive(Clone, Debug, Default, PartialEq, Eq, bincode::Encode, bincode::Decode)]
pub struct Cell {
    /// Session summaries, which are distinct sessions of the window.
    pub sessions: u64,
    /// The OR of the network bits of the session summaries, or 0 without `release.min_networks`.
    pub networks: u64,
    /// The sums over the session summaries.
    pub sums: Sums,
    /// The sums within the bounds of rows outside the detail table.
    pub bounded: Bounded,
    /// The distribution of each value.
    pub values: Values,
}

impl Cell {
    /// Adds another group. The groups must be disjoint; then the counts are exact.
    pub fn add(&mut self, other: &Self) {
        self.sessions = self.sessions.saturating_add(other.sessions);
        self.networks |= other.networks;
        self.sums.add(&other.sums);
        self.bounded.add(&other.bounded);
        for (mine, theirs) in self.values.0.iter_mut().zip(&other.values.0) {
            mine.add(theirs);
        }
    }
}

/// The distributions of a group of session summaries, in the order of [`ValueMetric::ALL`].
#[derive(Clone, Debug, Default, PartialEq, Eq, bincode::Encode, bincode::Decode)]
pub struct Values(pub [Distribution; ValueMetric::COUNT]);

impl Values {
    /// Returns these distributions; all others are empty.
    #[must_use]
    pub fn of(distributions: impl IntoIterator<Item = (ValueMetric, Distribution)>) -> Self {
        let mut values = Self::default();
        distributions.into_iter().for_each(|(metric, distribution)| values[metric] = distribution);
        values
    }
}

impl Index<ValueMetric> for Values {
    type Output = Distribution;

    fn index(&self, metric: ValueMetric) -> &Distribution {
        &self.0[metric as usize]
    }
}

impl IndexMut<ValueMetric> for Values {
    fn index_mut(&mut self, metric: ValueMetric) -> &mut Distribution {
        &mut self.0[metric as usize]
    }
}
