//! Session hashes, and the partition that each session belongs to.

use std::hash::{BuildHasher, Hasher};

use ahash::RandomState;

use crate::{Partitioner, Placement, SessionHash, Tenant};

/// The keyed hasher of a process. Has no `Debug`: with its key, session ids could be guessed from their hashes.
#[derive(Clone)]
pub struct SessionHasher(RandomState);

impl SessionHasher {
    /// Creates a hasher with a random key, for every process that reads real beacons.
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

impl Partitioner {
    /// The partition of so many to which it sends a key.
    #[must_use]
    pub fn partition_of(self, key: &[u8], partitions: u32) -> u32 {
        let partitions = partitions.max(1);
        match self {
            Self::Murmur2 => (murmur2(key) & 0x7fff_ffff) % partitions,
            Self::Crc32 => crc32fast::hash(key) % partitions,
            // sarama's HashPartitioner: the remainder of a signed number, without its sign.
            Self::Fnv1a => (i64::from(fnv1a(key) as i32) % i64::from(partitions)).unsigned_abs() as u32,
        }
    }
}

/// Whether a record with this key belongs to the partition it was read from.
pub(crate) fn belongs(placement: Placement, partitioner: Partitioner, key: &[u8]) -> bool {
    partitioner.partition_of(key, placement.of) == placement.partition
}

/// Murmur2 as Kafka's Java clients have it: seed `0x9747b28c`, 32 bits, the hash of a record's key before the sign is
/// taken off (`& 0x7fffffff`).
#[must_use]
pub fn murmur2(key: &[u8]) -> u32 {
    const M: u32 = 0x5bd1_e995;
    let mut hash = 0x9747_b28c ^ key.len() as u32;
    let (words, rest) = key.as_chunks::<4>();
    for word in words {
        let mut mixed = u32::from_le_bytes(*word).wrapping_mul(M);
        mixed ^= mixed >> 24;
        hash = hash.wrapping_mul(M) ^ mixed.wrapping_mul(M);
    }
    if !rest.is_empty() {
        for (index, byte) in rest.iter().enumerate() {
            hash ^= u32::from(*byte) << (8 * index);
        }
        hash = hash.wrapping_mul(M);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(M);
    hash ^ hash >> 15
}

fn fnv1a(key: &[u8]) -> u32 {
    key.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests;
