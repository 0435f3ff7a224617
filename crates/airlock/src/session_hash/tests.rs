use super::*;

fn belongs_to(partitioner: Partitioner, key: &str, partition: u32, of: u32) -> bool {
    belongs(Placement { partition, of }, partitioner, key.as_bytes())
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
fn each_partitioner_puts_a_key_where_its_client_does() {
    assert!(belongs_to(Partitioner::Murmur2, "abc", 479_470_107 % 12, 12));
    assert!(belongs_to(Partitioner::Murmur2, "21", ((-973_932_308_i32) as u32 & 0x7fff_ffff) % 12, 12));
    // CRC-32 of "123456789" is the check value of its catalogue entry, 0xcbf43926.
    assert!(belongs_to(Partitioner::Crc32, "123456789", 0xcbf4_3926 % 7, 7));
    // FNV-1a 32 of "foobar" is 0xbf9cf968: negative, so sarama takes the sign off the remainder.
    assert!(belongs_to(
        Partitioner::Fnv1a,
        "foobar",
        (i64::from(0xbf9c_f968_u32 as i32) % 7).unsigned_abs() as u32,
        7
    ));
    assert!(belongs_to(
        Partitioner::Fnv1a,
        "a",
        0xe40c_292c_u32.cast_signed().rem_euclid(1).unsigned_abs(),
        1
    ));
}

#[test]
fn a_key_belongs_to_exactly_one_partition() {
    for partitioner in [Partitioner::Murmur2, Partitioner::Crc32, Partitioner::Fnv1a] {
        for key in ["", "a", "8c1f3a5e-0a73-4b0e-9d53-77b3c1b0a9d1", "42", "ü"] {
            let homes = (0..12).filter(|partition| belongs_to(partitioner, key, *partition, 12)).count();
            assert_eq!(homes, 1, "{key}");
        }
    }
}

#[test]
fn hashes_differ_between_tenants_and_sessions() {
    let hasher = SessionHasher::fixed(1);
    let hash = |tenant, session| hasher.hash(Tenant(tenant), session).get();
    assert_eq!(hash(0, "s"), SessionHasher::fixed(1).hash(Tenant(0), "s").get());
    assert_ne!(hash(0, "s"), hash(1, "s"));
    assert_ne!(hash(0, "s"), hash(0, "t"));
    assert_ne!(hash(0, "s"), SessionHasher::fixed(2).hash(Tenant(0), "s").get());
    assert_ne!(
        SessionHasher::random().hash(Tenant(0), "s").get(),
        SessionHasher::random().hash(Tenant(0), "s").get()
    );
}
