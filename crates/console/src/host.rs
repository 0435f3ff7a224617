//! Checks the header `Host`.
//!
//! A console without tokens listens on a loopback address, so only this machine can reach it. But a web site could let
//! its own host name resolve to a loopback address (DNS rebinding). The scripts of the site could then read the answers
//! in the browser of a visitor. The header `Host` of such requests contains the name of the site.

use std::net::SocketAddr;

use hyper::HeaderMap;
use hyper::header::HOST;

#[cfg(test)]
mod tests;

/// Returns true if the header names this machine or one of the configured hosts. A request without the header is
/// accepted, because browsers always send it.
pub(crate) fn is_allowed(headers: &HeaderMap, hosts: &[String]) -> bool {
    let mut values = headers.get_all(HOST).iter();
    let Some(value) = values.next() else { return true };
    let Ok(text) = value.to_str() else { return false };
    let name = text.rsplit_once(':').map_or(text, |(name, _)| name);
    let is_address = |text: &str| text.parse::<SocketAddr>().is_ok_and(|address| address.ip().is_loopback());
    let is_loopback = is_address(text) || is_address(&format!("{text}:0"));
    let is_local = name.eq_ignore_ascii_case("localhost") || is_loopback;
    values.next().is_none() && (is_local || hosts.iter().any(|host| host.eq_ignore_ascii_case(name)))
}
