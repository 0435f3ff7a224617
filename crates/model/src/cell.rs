//! The sums over a group of session summaries.

use std::ops::{Index, IndexMut};

use crate::{Bounded, Distribution, Sums, ValueMetric};

/// A group of session summaries: their number, their sums and the distributions of their values.
#[derive(Clone, Debug, Default, PartialEq, Eq, bincode::Encode, bincode::Decode)]
pub struct Cell {
    /// The number of session summaries. Within one window, this is the number of distinct sessions.
    pub sessions: u64,
    /// The network bits of the session summaries, combined with OR. The value is 0 if the policy has
    /// no minimum number of networks.
    pub networks: u64,
    /// The sums over the session summaries.
    pub sums: Sums,
    /// The bounded contributions of the session summaries to rows outside the detail table.
    pub bounded: Bounded,
    /// The distribution of each metric that is a value of each session.
    pub values: Values,
}

impl Cell {
    /// Adds another group of session summaries. A session summary must not be in both groups.
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
    /// Creates a value with these distributions. All other distributions are empty.
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
