//! Changes the addresses and session ids in a log, without changing the length of any beacon.

use std::collections::HashMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use crowdfold_testkit::oracle::Record;
use crowdfold_testkit::unique;

use crate::worker::support::Deployment;

pub(super) type Log = Vec<Vec<Record>>;

/// Returns the log with another value of `field` in every beacon that has the field. `other` returns the new value,
/// which must have the same length.
pub(super) fn with(log: &Log, field: &str, mut other: impl FnMut(&str) -> String) -> Log {
    let start = format!("\"{field}\":\"");
    let mut change = |record: &Record| {
        let mut payload = record.payload.clone();
        let found = memchr::memmem::find(&payload, start.as_bytes());
        let value = found.and_then(|at| {
            let from = at + start.len();
            Some(from..from + payload[from..].iter().position(|byte| *byte == b'"')?)
        });
        if let Some(value) = value {
            let before = String::from_utf8(payload[value.clone()].to_vec()).unwrap();
            let after = other(&before);
            assert_eq!(after.len(), before.len(), "{field}: the length of the beacon changed");
            payload.splice(value, after.into_bytes());
        }
        Record { timestamp: record.timestamp, payload }
    };
    log.iter().map(|records| records.iter().map(&mut change).collect()).collect()
}

/// Returns the log without a field. The field is renamed to an unknown name of the same length.
pub(super) fn without(log: &Log, field: &str) -> Log {
    let (name, unknown) = (format!("\"{field}\":"), format!("\"x{}\":", &field[1..]));
    let change = |record: &Record| {
        let mut payload = record.payload.clone();
        if let Some(at) = memchr::memmem::find(&payload, name.as_bytes()) {
            payload.splice(at..at + name.len(), unknown.bytes());
        }
        Record { timestamp: record.timestamp, payload }
    };
    log.iter().map(|records| records.iter().map(change).collect()).collect()
}

/// Returns a number that differs from `number`, but has as many digits in the base `base`.
fn other_number(number: u32, base: u32, most: u32) -> u32 {
    let mut low = 1;
    while number / low >= base {
        low *= base;
    }
    let (from, to) = (if low == 1 { 0 } else { low }, (low * base - 1).min(most));
    from + (number - from + (to - from) / 3 + 1) % (to - from + 1)
}

/// Returns another address of the same family and length.
pub(super) fn other_address(address: &str) -> String {
    let other = match address.parse::<Ipv4Addr>() {
        Ok(v4) => {
            Ipv4Addr::from(v4.octets().map(|octet| other_number(octet.into(), 10, 255) as u8)).to_string()
        }
        Err(_) => in_v6(address, 2),
    };
    assert_ne!(other, address);
    other
}

/// Returns the address of another host in the same network: /24 for IPv4, /48 for IPv6.
pub(super) fn other_host(address: &str) -> String {
    match address.parse::<Ipv4Addr>() {
        Ok(v4) => {
            let [a, b, c, host] = v4.octets();
            Ipv4Addr::new(a, b, c, other_number(host.into(), 10, 255) as u8).to_string()
        }
        Err(_) => in_v6(address, 3),
    }
}

/// Changes the groups of an IPv6 address from the index `from` on. The length of each group stays the same. Groups of
/// zero do not change, because that would change the length of the address.
fn in_v6(address: &str, from: usize) -> String {
    let mut groups = address.parse::<Ipv6Addr>().unwrap().segments();
    for group in groups[from..].iter_mut().filter(|group| **group > 0) {
        // A single digit does not become 0, because consecutive groups of zero are written as `::`.
        *group = match *group {
            1..16 => *group % 15 + 1,
            group => other_number(group.into(), 16, 0xffff) as u16,
        };
    }
    Ipv6Addr::from(groups).to_string()
}

/// Returns the log with another id for every session. The new id has the same length and belongs to the same partition.
pub(super) fn renamed(deployment: &Deployment<'_>, log: &Log) -> Log {
    let mut names = HashMap::new();
    let another = |session: &str| {
        let fresh = || unique("")[1..].repeat(3)[..session.len()].to_owned();
        std::iter::repeat_with(fresh)
            .find(|name| deployment.partition_of(name) == deployment.partition_of(session))
            .unwrap()
    };
    with(log, "session", |session| {
        // Short values, such as "null", do not identify a session and do not change.
        if session.len() < 16 {
            return session.to_owned();
        }
        names.entry(session.to_owned()).or_insert_with(|| another(session)).clone()
    })
}

#[test]
fn changed_identities_differ_and_have_the_same_length() {
    for address in ["192.0.2.7", "198.51.100.99", "203.0.113.255", "2001:db8:1:ffff::c4", "2001:db8:77:a0::f"]
    {
        let (other, host) = (other_address(address), other_host(address));
        assert!(other.len() == address.len() && host.len() == address.len(), "{address} {other} {host}");
        assert!(other != address && host != address, "{address} {other} {host}");
        if let (Ok(one), Ok(host)) = (address.parse::<Ipv4Addr>(), host.parse::<Ipv4Addr>()) {
            assert_eq!(one.octets()[..3], host.octets()[..3]);
        } else {
            let groups = |address: &str| address.parse::<Ipv6Addr>().unwrap().segments();
            assert_eq!(groups(address)[..3], groups(&host)[..3]);
        }
    }
}
