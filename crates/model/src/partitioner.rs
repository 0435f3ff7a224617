//! The partition to which a producer sends a session.

/// The function by which producers choose the partition of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Partitioner {
    /// Java's default, and librdkafka's `murmur2_random`.
    Murmur2,
    /// librdkafka's default (`consistent_random`): CRC32.
    Crc32,
    /// sarama's default: FNV-1a.
    Fnv1a,
}

impl Partitioner {
    /// Returns the partition to which it sends a key, of `partitions`.
    #[inline]
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
mod tests {
    use super::*;

    fn is_sent_to(partitioner: Partitioner, key: &str, partition: u32, of: u32) -> bool {
        partitioner.partition_of(key.as_bytes(), of) == partition
    }

    /// Kafka's own vectors (`UtilsTest.testMurmur2`).
    #[test]
    fn murmur2_is_kafkas() {
        for (key, hash) in [
            ("21", -973_932_308),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            ("abc", 479_470_107),
        ] {
            assert_eq!(murmur2(key.as_bytes()) as i32, hash, "{key}");
        }
    }

    #[test]
    fn each_partitioner_selects_the_partition_of_its_client() {
        assert!(is_sent_to(Partitioner::Murmur2, "abc", 479_470_107 % 12, 12));
        assert!(is_sent_to(Partitioner::Murmur2, "21", ((-973_932_308_i32) as u32 & 0x7fff_ffff) % 12, 12));
        // CRC-32 of "123456789" is the check value of its catalogue entry, 0xcbf43926.
        assert!(is_sent_to(Partitioner::Crc32, "123456789", 0xcbf4_3926 % 7, 7));
        // FNV-1a 32 of "foobar" is 0xbf9cf968: negative, so sarama takes the sign off the remainder.
        assert!(is_sent_to(
            Partitioner::Fnv1a,
            "foobar",
            (i64::from(0xbf9c_f968_u32 as i32) % 7).unsigned_abs() as u32,
            7
        ));
        assert!(is_sent_to(
            Partitioner::Fnv1a,
            "a",
            0xe40c_292c_u32.cast_signed().rem_euclid(1).unsigned_abs(),
            1
        ));
    }

    #[test]
    fn key_belongs_to_exactly_one_partition() {
        for partitioner in [Partitioner::Murmur2, Partitioner::Crc32, Partitioner::Fnv1a] {
            for key in ["", "a", "8c1f3a5e-0a73-4b0e-9d53-77b3c1b0a9d1", "42", "ü"] {
                let homes = (0..12).filter(|partition| is_sent_to(partitioner, key, *partition, 12)).count();
                assert_eq!(homes, 1, "{key}");
            }
        }
    }
}
