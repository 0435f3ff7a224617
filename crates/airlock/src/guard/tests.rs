use crowdfold_beacon::{Address, Purpose};

use super::*;

/// The expected values are `vectors_sip64` in the reference implementation. The key is 00 … 0f, and the messages are
/// 00, 00 01 and so on.
#[test]
fn siphash_equals_the_reference_vectors() {
    let key = [0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908];
    let message: Vec<u8> = (0..15).collect();
    assert_eq!(siphash(key, &[]), 0x726f_db47_dd0e_0e31);
    assert_eq!(siphash(key, &message[..1]), 0x74f8_39c5_93dc_67fd);
    assert_eq!(siphash(key, &message), 0xa129_ca61_49be_45e5);
}

fn of(key: u8, address: &str) -> u64 {
    bit(&[key; 32], &Address::parse(address).unwrap().network(Purpose::Guard))
}

#[test]
fn all_hosts_of_a_network_have_the_same_bit() {
    assert_eq!(of(1, "198.51.100.1").count_ones(), 1);
    assert_eq!(of(1, "198.51.100.1"), of(1, "198.51.100.254"));
    assert_eq!(of(1, "198.51.100.1"), of(1, "::ffff:198.51.100.9"));
    assert_eq!(of(1, "2001:db8:aa00::1"), of(1, "2001:db8:aaff:1::2"));
}

#[test]
fn key_distributes_networks_over_all_bits() {
    let distribution = |key| (0..=255).fold(0, |seen, third| seen | of(key, &format!("198.51.{third}.1")));
    assert!(distribution(1).count_ones() > 56);
    let moved = (0..=255).filter(|third| {
        let address = format!("198.51.{third}.1");
        of(1, &address) != of(2, &address)
    });
    assert!(moved.count() > 200);
    let mut other = [1; 32];
    other[31] = 9;
    let network = |third: u8| Address::parse(&format!("198.51.{third}.1")).unwrap().network(Purpose::Guard);
    assert!((0..=255).any(|third| bit(&[1; 32], &network(third)) != bit(&other, &network(third))));
}
