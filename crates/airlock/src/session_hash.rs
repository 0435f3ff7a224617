//! Hashes sessions, and verifies that each session belongs to its partition.

use std::hash::{BuildHasher, Hasher};

use ahash::RandomState;

use crate::{Placement, SessionHash, Tenant};
use crowdfold_model::Partitioner;

/// The keyed hasher of a process. It does not implement `Debug`, because a person who knows its key could guess session
/// ids from their hashes.
#[derive(Clone)]
pub struct SessionHasher(RandomState);

impl SessionHasher {
    /// Creates a hasher with a random key. Every process that reads real beacons must use such a hasher.
    #[must_use]
    pub fn random() -> Self {
        Self(RandomState::new())
    }

    /// Creates a hasher with a fixed key, for tests and simulations.
    #[must_use]
    pub fn fixed(seed: u64) -> Self {
        Self(RandomState::with_seeds(seed, !seed, seed.rotate_left(32), seed ^ 0x9e37_79b9_7f4a_7c15))
    }

    pub(crate) fn hash(&self, tenant: Tenant, session: &str) -> SessionHash {
        let mut hasher = self.0.build_hasher();
        hasher.write_u16(tenant.0);
        hasher.write(session.as_bytes());
        SessionHash(hasher.finish())
    }
}

/// Returns true if producers send a record with this key to the partition of `placement`.
pub(crate) fn belongs(placement: Placement, partitioner: Partitioner, key: &[u8]) -> bool {
    partitioner.partition_of(key, placement.of) == placement.partition
}

#[cfg(test)]
mod tests;
