//! The target `address`: client addresses.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddrV4, SocketAddrV6};

use crowdfold_beacon::{Address, Network, Purpose};

/// Asserts that `Address` accepts the same addresses as the standard library, also with a port, that a network has no
/// host bits, and that an IPv4 address in IPv6 notation is treated as IPv4.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (v4, v6) = parsed(text.trim());
    let address = Address::parse(text);
    assert_eq!(address.is_some(), v4.is_some() || v6.is_some());
    let Some(address) = address else { return };
    for purpose in [Purpose::LookUp, Purpose::Dimension, Purpose::Guard] {
        match address.network(purpose) {
            Network::V4(first, length) => {
                assert!(length == 24 && first.octets()[3] == 0);
                if let Some(v4) = v4 {
                    assert_eq!(first.octets()[..3], v4.octets()[..3]);
                }
            }
            Network::V6(first, length) => {
                assert!(v4.is_none() && length <= 48 && first.to_bits() << length == 0);
                assert_eq!(first.to_bits() >> (128 - length), v6.unwrap().to_bits() >> (128 - length));
            }
        }
    }
    if let Some(v4) = v4 {
        disguised(v4);
    }
}

/// Parses an address with the standard library, with or without a port. IPv6 addresses may be in brackets. Zone ids
/// such as `%1` are refused, although the standard library accepts some of them before a port.
fn parsed(text: &str) -> (Option<Ipv4Addr>, Option<Ipv6Addr>) {
    let v4 = text.parse().ok().or_else(|| Some(*text.parse::<SocketAddrV4>().ok()?.ip()));
    let bracketed = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let with_port = || Some(*text.parse::<SocketAddrV6>().ok().filter(|_| !text.contains('%'))?.ip());
    let v6 = text.parse().ok().or_else(|| bracketed?.parse().ok()).or_else(with_port);
    (v4, v6)
}

/// Asserts that an IPv4 address is recognised in each of these IPv6 notations: mapped and compatible (RFC 4291), 6to4
/// (RFC 3056), Teredo (RFC 4380) and NAT64 (RFC 6052 and 8215).
fn disguised(v4: Ipv4Addr) {
    let low = u128::from(v4.to_bits());
    let mut notations = vec![
        0xffff_u128 << 32 | low,
        0x2002_u128 << 112 | low << 80,
        0x2001_0000_u128 << 96 | u128::from(!v4.to_bits()),
        0x0064_ff9b_u128 << 96 | low,
    ];
    if low > 1 {
        notations.push(low);
    }
    for bits in notations {
        let text = Ipv6Addr::from_bits(bits).to_string();
        match Address::parse(&text).unwrap_or_else(|| panic!("{text}")).network(Purpose::LookUp) {
            Network::V4(first, 24) => assert_eq!(first.to_bits(), v4.to_bits() & 0xffff_ff00, "{text}"),
            _ => panic!("{text} is not recognised as an IPv4 address"),
        }
    }
}

pub fn seeds() -> Vec<Vec<u8>> {
    let made = [
        "203.0.113.9",
        "2001:db8:2fc3::ae4b",
        "::ffff:203.0.113.9",
        "::203.0.113.9",
        "2002:cb00:7109::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "64:ff9b::203.0.113.9",
        "64:ff9b:1:cb00:71:900::",
        "64:ff9b:1::203.0.113.9",
        "::",
        "::1",
        "fe80::1%eth0",
        "[2001:db8::1]:443",
        "203.0.113.9:443",
        "0313.0.0161.011",
        "0xcb007109",
        " 203.0.113.9 ",
        "203.0.113",
    ];
    made.iter().map(|text| text.as_bytes().to_vec()).collect()
}
