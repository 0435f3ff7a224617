//! IP addresses as the player or a proxy sent them.

use std::marker::PhantomData;
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::NotSend;

/// An IP address, as it was sent. Only its network can be read. The type does not implement `Debug`, `Clone` or
/// `Hash`. It is not `Send`, so an address stays in the thread that parsed it.
///
/// ```compile_fail,E0277
/// fn shown<T: std::fmt::Debug>() {}
/// shown::<crowdfold_beacon::Address>();
/// ```
///
/// ```compile_fail,E0277
/// fn hashed<T: std::hash::Hash>() {}
/// hashed::<crowdfold_beacon::Address>();
/// ```
///
/// ```compile_fail,E0277
/// let (channel, _) = std::sync::mpsc::channel();
/// std::thread::spawn(move || channel.send(crowdfold_beacon::Address::parse("192.0.2.1")));
/// ```
pub struct Address(Canonical, NotSend);

/// An address in its canonical form. An IPv6 address that contains an IPv4 address is stored as IPv4.
enum Canonical {
    V4(Ipv4Addr),
    V6(Ipv6Addr),
}

/// The purpose for which the network of an address is computed. The purpose determines the length of the network
/// prefix.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The lookup of the country and the autonomous system: IPv4 /24, IPv6 /48.
    LookUp,
    /// The dimension `network`: IPv4 /24, IPv6 /32. An IPv6 /48 is often one household (RIPE-690).
    Dimension,
    /// The minimum number of networks of a row: IPv4 /24, IPv6 /40.
    Guard,
}

/// A network: an address whose host bits are zero.
pub enum Network {
    /// An IPv4 network: its first address, and the length of its prefix in bits.
    V4(Ipv4Addr, u8),
    /// An IPv6 network: its first address, and the length of its prefix in bits.
    V6(Ipv6Addr, u8),
}

impl Address {
    /// Parses an IPv4 address in dotted decimal notation, or an IPv6 address as in RFC 4291. Accepts a port, brackets
    /// around an IPv6 address, and surrounding white space. Returns `None` for anything else, such as zone ids, octal
    /// and hexadecimal forms, and lists.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = host(text.trim())?;
        if let Ok(v4) = text.parse() {
            return Some(Self(Canonical::V4(v4), PhantomData));
        }
        let v6: Ipv6Addr = text.parse().ok()?;
        Some(Self(embedded_ipv4(v6).map_or(Canonical::V6(v6), Canonical::V4), PhantomData))
    }

    /// Returns the network of the address, with the prefix length for `purpose`.
    #[must_use]
    pub fn network(&self, purpose: Purpose) -> Network {
        match self.0 {
            Canonical::V4(v4) => Network::V4(Ipv4Addr::from_bits(v4.to_bits() & (u32::MAX << 8)), 24),
            Canonical::V6(v6) => {
                let length: u8 = match purpose {
                    Purpose::LookUp => 48,
                    Purpose::Dimension => 32,
                    Purpose::Guard => 40,
                };
                Network::V6(Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << (128 - length))), length)
            }
        }
    }
}

/// Returns an address without its port and brackets. Examples of the input are `198.51.100.7:443`, `[2001:db8::1]:443`
/// and `[2001:db8::1]`. If there are no brackets, a colon begins a port only after an IPv4 address, because `:443` may
/// also be the last group of an IPv6 address.
fn host(text: &str) -> Option<&str> {
    let is_port = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok();
    if let Some(bracketed) = text.strip_prefix('[') {
        let (inside, after) = bracketed.split_once(']')?;
        let is_complete = after.is_empty() || after.strip_prefix(':').is_some_and(is_port);
        return Some(inside).filter(|inside| is_complete && inside.contains(':'));
    }
    match text.split_once(':') {
        Some((v4, port)) if v4.contains('.') && is_port(port) => Some(v4),
        _ => Some(text),
    }
}

/// Returns the IPv4 address that an IPv6 address contains, or `None` if it contains none. The recognised forms are
/// IPv4-mapped (`::ffff:0:0/96`), IPv4-compatible (`::/96`, except `::` and `::1`), 6to4 (`2002::/16`), Teredo
/// (`2001:0::/32`, in which the client's address is inverted), and NAT64 (`64:ff9b::/96`, RFC 6052, and
/// `64:ff9b:1::/48`, RFC 8215).
fn embedded_ipv4(v6: Ipv6Addr) -> Option<Ipv4Addr> {
    let bits = v6.to_bits();
    let low = bits as u32;
    let v4 = match v6.segments() {
        [0, 0, 0, 0, 0, 0xffff, ..] => low,
        [0, 0, 0, 0, 0, 0, ..] if low > 1 => low,
        [0x2002, ..] => (bits >> 80) as u32,
        [0x2001, 0, ..] => !low,
        [0x64, 0xff9b, 0, 0, 0, 0, ..] => low,
        // With a prefix of 48 bits, the zero bits 64 to 71 split the IPv4 address, and the last bits are zero (RFC
        // 6052, section 2.2).
        [0x64, 0xff9b, 1, high, middle, end, 0, 0] => {
            u32::from(high) << 16 | u32::from(middle & 0xff) << 8 | u32::from(end >> 8)
        }
        [0x64, 0xff9b, 1, ..] => low,
        _ => return None,
    };
    Some(Ipv4Addr::from_bits(v4))
}

#[cfg(test)]
mod tests;
