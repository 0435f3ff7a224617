//! The values of a metric in a group of sessions.

/// The values of a metric in a group of session summaries, each rounded to two significant digits. The list consists of
/// pairs (value, number of sessions) in ascending order of the values. Therefore it does not depend on the order in
/// which values are added.
#[derive(Clone, Debug, Default, PartialEq, Eq, bincode::Encode, bincode::Decode)]
pub struct Distribution(Vec<(u32, u64)>);

impl Distribution {
    /// Returns the values in ascending order, each with the number of sessions that have it.
    #[must_use]
    pub fn values(&self) -> &[(u32, u64)] {
        &self.0
    }

    /// Returns the number of sessions that have a value. Returns the maximum of the type if the sum would exceed it,
    /// because a record of partials may contain any number.
    #[must_use]
    pub fn sessions(&self) -> u64 {
        self.0.iter().fold(0, |sum: u64, (_, sessions)| sum.saturating_add(*sessions))
    }

    /// Returns the sum of the values over all sessions.
    #[must_use]
    pub fn sum(&self) -> u64 {
        self.0.iter().fold(0, |sum: u64, (value, n)| sum.saturating_add(u64::from(*value).saturating_mul(*n)))
    }

    /// Adds the value of one session.
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

    /// Adds the values of another group of sessions.
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
