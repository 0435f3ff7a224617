//! The values of a group of sessions.

/// One two-digit value from each session summary that has one: a sorted list of (value, sessions), exact and free of
/// order.
#[derive(Clone, Debug, Default, PartialEq, Eq, bincode::Encode, bincode::Decode)]
pub struct Distribution(Vec<(u32, u64)>);

impl Distribution {
    /// The values in ascending order, each with the number of sessions that have it.
    #[must_use]
    pub fn values(&self) -> &[(u32, u64)] {
        &self.0
    }

    /// Returns the number of sessions that have a value. Saturates, because a record may claim any number.
    #[must_use]
    pub fn sessions(&self) -> u64 {
        self.0.iter().fold(0, |sum: u64, (_, sessions)| sum.saturating_add(*sessions))
    }

    /// The sum of the values over the sessions.
    #[must_use]
    pub fn sum(&self) -> u64 {
        self.0.iter().fold(0, |sum: u64, (value, n)| sum.saturating_add(u64::from(*value).saturating_mul(*n)))
    }

    /// Adds one session's value.
    pub fn record(&mut self, value: u32) {
        self.record_many(value, 1);
    }

    /// Adds `sessions` sessions with the same value.
    pub fn record_many(&mut self, value: u32, sessions: u64) {
        match self.0.binary_search_by_key(&value, |(value, _)| *value) {
            Ok(at) => self.0[at].1 = self.0[at].1.saturating_add(sessions),
            Err(at) => self.0.insert(at, (value, sessions)),
        }
    }

    /// Adds another group's values.
    pub fn add(&mut self, other: &Self) {
        if self.0.is_empty() {
            self.0.clone_from(&other.0);
            return;
        }
        for (value, sessions) in &other.0 {
            self.record_many(*value, *sessions);
        }
    }
}
