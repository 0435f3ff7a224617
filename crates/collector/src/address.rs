//! Determines the client address of a request. It is the address of the peer of the connection, or the address that a
//! trusted proxy forwards.
//!
//! Forwarding headers list the hops of a request, and each proxy appends a hop on the right. Therefore the hops are
//! read from the right, and the first hop that is not a trusted proxy is the client. The hops on the left of the client
//! are not used, because the client may have forged them.
#![expect(
    clippy::disallowed_types,
    reason = "only beacon, airlock::address and this module handle addresses"
)]

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use hyper::HeaderMap;
use hyper::header::FORWARDED;
use ipnet::IpNet;

const X_FORWARDED_FOR: &str = "x-forwarded-for";

/// The peer of a connection. It does not implement `Debug`, because its address is personal data.
pub(crate) struct Peer {
    /// The formatted address, which is the client address if the peer is not a trusted proxy.
    text: String,
    is_proxy: bool,
}

impl Peer {
    /// Returns true if the peer is a trusted proxy.
    pub(crate) const fn is_proxy(&self) -> bool {
        self.is_proxy
    }
}

/// The proxies that are trusted to forward addresses.
pub(crate) struct Proxies(Vec<IpNet>);

impl Proxies {
    pub(crate) fn new(networks: &[IpNet]) -> Self {
        Self(networks.to_vec())
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Creates a [`Peer`] from an address. Stores whether the address belongs to a trusted proxy.
    pub(crate) fn peer(&self, address: SocketAddr) -> Peer {
        // a socket for IPv6 reports an IPv4 peer as an IPv4-mapped IPv6 address
        let address = address.ip().to_canonical();
        Peer { text: address.to_string(), is_proxy: self.trusts(address) }
    }

    /// Returns the client of a request. The address in it is empty if it is unknown.
    pub(crate) fn client<'a>(&self, peer: &'a Peer, headers: &HeaderMap) -> Client<'a> {
        if !peer.is_proxy {
            return Client { address: Address::Peer(&peer.text), spoofed: has_forwarding_header(headers) };
        }
        let listed = self.first_unknown(hops(headers, X_FORWARDED_FOR, &mut |value, each| {
            value.split(',').for_each(|hop| each(address_in(hop)));
        }));
        let forwarded = self.first_unknown(hops(headers, FORWARDED.as_str(), &mut |value, each| {
            elements(value).for_each(|element| each(forwarded_for(element).and_then(|hop| address_in(&hop))));
        }));
        // a proxy may write only one of the two headers and forward the other unchanged; therefore, if both headers
        // exist, use the address only if both contain the same address
        let address = match (listed, forwarded) {
            (Some(one), Some(other)) => one.filter(|one| other == Some(*one)),
            (one, other) => one.or(other).flatten(),
        };
        Client { address: Address::Named(address.map(|address| address.to_string())), spoofed: false }
    }

    /// Returns the first hop from the right that is not a trusted proxy, or the left-most hop if all are trusted
    /// proxies. Returns `None` if there are no hops, and `Some(None)` if the found hop has no valid address.
    fn first_unknown(&self, hops: Vec<Option<IpAddr>>) -> Option<Option<IpAddr>> {
        let is_trusted = |hop: &Option<IpAddr>| hop.is_some_and(|address| self.trusts(address));
        hops.iter().rev().find(|hop| !is_trusted(hop)).or(hops.first()).copied()
    }
}

/// The client that sent a request.
pub(crate) struct Client<'a> {
    address: Address<'a>,
    /// True if the request has a forwarding header, although its peer is not a trusted proxy.
    pub(crate) spoofed: bool,
}

enum Address<'a> {
    Peer(&'a str),
    Named(Option<String>),
}

impl Client<'_> {
    /// Returns the client's address, which is empty if it is unknown.
    pub(crate) fn address(&self) -> &str {
        match &self.address {
            Address::Peer(text) => text,
            Address::Named(text) => text.as_deref().unwrap_or_default(),
        }
    }
}

fn has_forwarding_header(headers: &HeaderMap) -> bool {
    headers.contains_key(X_FORWARDED_FOR) || headers.contains_key(FORWARDED)
}

type Each<'a> = &'a mut dyn FnMut(Option<IpAddr>);

/// Returns the hops in all headers with this name, in order. A hop is `None` if it contains no valid address.
fn hops(headers: &HeaderMap, name: &str, split: &mut dyn FnMut(&str, Each<'_>)) -> Vec<Option<IpAddr>> {
    let mut hops = Vec::new();
    for value in headers.get_all(name) {
        match value.to_str() {
            Ok(value) => split(value, &mut |hop| hops.push(hop)),
            Err(_) => hops.push(None),
        }
    }
    hops
}

/// Returns the elements of a `Forwarded` header. They are separated by commas that are not inside quotes.
fn elements(value: &str) -> impl Iterator<Item = &str> {
    split_outside_quotes(value, ',')
}

fn split_outside_quotes(value: &str, at: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    value.split(move |letter: char| {
        let splits = letter == at && !quoted;
        match letter {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ => {}
        }
        splits
    })
}

/// Returns the value of the parameter `for` of an element, without quotes.
fn forwarded_for(element: &str) -> Option<String> {
    split_outside_quotes(element, ';').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        if !name.trim().eq_ignore_ascii_case("for") {
            return None;
        }
        let value = value.trim();
        let Some(quoted) = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
            return Some(value.to_owned());
        };
        let mut letters = quoted.chars();
        let mut plain = String::with_capacity(quoted.len());
        while let Some(letter) = letters.next() {
            plain.extend(if letter == '\\' { letters.next() } else { Some(letter) });
        }
        Some(plain)
    })
}

/// Parses the address of a hop. A port may follow it, and brackets may enclose an IPv6 address. Returns `None` for an
/// obfuscated address (`unknown`, `_id`) and for an invalid address.
fn address_in(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim();
    let hop = hop.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(hop);
    let address = if let Some(rest) = hop.strip_prefix('[') {
        let (inside, port) = rest.split_once(']')?;
        (port.is_empty() || port.strip_prefix(':').is_some_and(is_port)).then_some(())?;
        IpAddr::V6(inside.parse::<Ipv6Addr>().ok()?)
    } else {
        match hop.split_once(':') {
            Some((address, port)) if !port.contains(':') => {
                is_port(port).then_some(())?;
                IpAddr::V4(address.parse().ok()?)
            }
            _ => hop.parse().ok()?,
        }
    };
    Some(address.to_canonical())
}

/// Returns true for a port number, and for an obfuscated port as RFC 7239 defines it.
fn is_port(port: &str) -> bool {
    let obfuscated = port.strip_prefix('_').is_some_and(|rest| !rest.is_empty());
    obfuscated || (1..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests;
