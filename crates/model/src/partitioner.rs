//! Computes the partition to which a producer sends the beacons of a session.

/// The function by which producers select the partition of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Partitioner {
    /// The default of Kafka's Java client, and `murmur2_random` of librdkafka.
    Murmur2,
    /// The default of librdkafka (`consistent_random`), which is CRC-32.
    Crc32,
    /// The default of the Go client sarama, which is FNV-1a.
    Fnv1a,
}

impl Partitioner {
    /// Returns the partition to which this partitioner sends a key. `partitions` is the number of partitions.
    #[inline]
    #[must_use]
    pub fn partition_of(self, key: &[u8], partitions: u32) -> u32 {
        let partitions = partitions.max(1);
        match self {
            Self::Murmur2 => (murmur2(key) & 0x7fff_ffff) % partitions,
            Self::Crc32 => crc32fast::hash(key) % partitions,
            // In sarama, the HashPartitioner uses the absolute value of the remainder of a signed number.
            Self::Fnv1a => (i64::from(fnv1a(key) as i32) % i64::from(partitions)).unsigned_abs() as u32,
        }
    }
}

/// Returns the 32-bit Murmur2 hash of a key with the seed `0x9747b28c`, as Kafka's Java client computes it. The
/// client sets the sign bit of the result to 0 (`& 0x7fffffff`) before it selects a partition.
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

    /// The expected values are those of Kafka's own test (`UtilsTest.testMurmur2`).
    #[test]
    fn murmur2_equals_the_values_of_kafkas_own_test() {
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
    fn partitioner_selects_the_same_partition_as_its_kafka_client() {
        assert!(is_sent_to(Partitioner::Murmur2, "abc", 479_470_107 % 12, 12));
        assert!(is_sent_to(Partitioner::Murmur2, "21", ((-973_932_308_i32) as u32 & 0x7fff_ffff) % 12, 12));
        // The published check value of CRC-32, for the input "123456789", is 0xcbf43926.
        assert!(is_sent_to(Partitioner::Crc32, "123456789", 0xcbf4_3926 % 7, 7));
        // The 32-bit FNV-1a hash of "foobar" is 0xbf9cf968. This is negative as a signed number, so sarama removes the
        // sign of the remainder.
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
    fn every_key_has_exactly_one_partition() {
        for partitioner in [Partitioner::Murmur2, Partitioner::Crc32, Partitioner::Fnv1a] {
            for key in ["", "a", "8c1f3a5e-0a73-4b0e-9d53-77b3c1b0a9d1", "42", "ü"] {
                let homes = (0..12).filter(|partition| is_sent_to(partitioner, key, *partition, 12)).count();
                assert_eq!(homes, 1, "{key}");
            }
        }
    }
}
