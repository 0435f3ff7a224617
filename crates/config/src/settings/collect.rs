//! The section `[collect]`: the collector.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use serde::Deserialize;
use serde::de::{Deserializer, Error};

use crate::fields::{self, HOUR, MINUTE, SECOND};

/// The maximum of `collect.batch_bytes`. A record of this size, together with Kafka's overhead, is smaller than
/// `max.message.bytes` of the topic.
const LONGEST_RECORD: u64 = 900 << 10;

/// The section `[collect]`: the collector.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Collect {
    /// The address and the port of the HTTP server.
    #[serde(deserialize_with = "fields::address")]
    pub listen: SocketAddr,
    /// The origins whose web pages may send beacons. `*` means all origins.
    #[serde(deserialize_with = "origins")]
    pub origins: Vec<String>,
    /// The networks of the proxies whose forwarding headers are trusted.
    #[serde(deserialize_with = "networks")]
    pub trusted_proxies: Vec<IpNet>,
    /// True if trusted proxies send a header of the PROXY protocol at the beginning of each connection.
    pub proxy_protocol: bool,
    /// The event after which the collector responds to a request.
    pub acknowledge: Acknowledge,
    /// The maximum time for which a record waits for more beacons.
    #[serde(deserialize_with = "fields::duration::<1, SECOND, _>")]
    pub linger: Duration,
    /// The size in bytes at which a record is sent without waiting.
    #[serde(deserialize_with = "fields::whole::<4_096, LONGEST_RECORD, _, _>")]
    pub batch_bytes: usize,
    /// The maximum time to wait for Kafka to acknowledge a record.
    #[serde(deserialize_with = "fields::duration::<SECOND, { 5 * MINUTE }, _>")]
    pub acknowledge_timeout: Duration,
    /// The maximum size in bytes of data that was received and is not written to Kafka yet.
    #[serde(deserialize_with = "fields::whole::<{ 1 << 20 }, { 1 << 40 }, _, _>")]
    pub max_memory_bytes: usize,
    /// The maximum number of concurrent connections.
    #[serde(deserialize_with = "fields::whole::<1, 1_000_000, _, _>")]
    pub max_connections: usize,
    /// The maximum size in bytes of the body of a request, before and after decompression.
    #[serde(deserialize_with = "fields::whole::<1_024, { 512 << 10 }, _, _>")]
    pub max_body_bytes: usize,
    /// The maximum number of requests per second on one connection. 0 means no limit.
    #[serde(deserialize_with = "fields::whole::<0, 1_000_000, _, _>")]
    pub max_requests_per_connection_second: u32,
    /// The maximum time for a TLS handshake, for receiving the head of a request, and for receiving its body.
    #[serde(deserialize_with = "fields::duration::<SECOND, { 5 * MINUTE }, _>")]
    pub read_timeout: Duration,
    /// The time after which a connection without requests is closed.
    #[serde(deserialize_with = "fields::duration::<SECOND, HOUR, _>")]
    pub keep_alive: Duration,
    /// The section `[collect.tls]`: the certificate and the key of the server.
    pub tls: Tls,
}

impl Default for Collect {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            origins: vec!["*".into()],
            trusted_proxies: Vec::new(),
            proxy_protocol: false,
            acknowledge: Acknowledge::default(),
            linger: Duration::from_millis(10),
            batch_bytes: 256 << 10,
            acknowledge_timeout: Duration::from_secs(10),
            max_memory_bytes: 64 << 20,
            max_connections: 4_096,
            max_body_bytes: 64 << 10,
            max_requests_per_connection_second: 100,
            read_timeout: Duration::from_secs(10),
            keep_alive: Duration::from_secs(75),
            tls: Tls::default(),
        }
    }
}

/// The event after which the collector responds to a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Acknowledge {
    /// Every in-sync replica has stored the beacons of the request.
    #[default]
    Written,
    /// The beacons of the request are in memory.
    Queued,
}

/// The section `[collect.tls]`: the certificate and the key of the server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tls {
    /// The path of a PEM file with the certificate chain.
    #[serde(deserialize_with = "fields::optional_path")]
    pub certificate: Option<PathBuf>,
    /// The path of a PEM file with the private key.
    #[serde(deserialize_with = "fields::optional_path")]
    pub key: Option<PathBuf>,
}

fn origins<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let origins = fields::words(deserializer)?;
    match origins.iter().find(|origin| *origin != "*" && !is_origin(origin)) {
        None => Ok(origins),
        Some(origin) => Err(D::Error::custom(format!(
            "contains \"{}\"; give \"*\", or a scheme and a host such as \"https://player.example\"",
            origin.escape_debug()
        ))),
    }
}

/// Returns true if a string has the form in which browsers send an origin: a scheme, a host and an optional port.
fn is_origin(origin: &str) -> bool {
    let Some((scheme, host)) = origin.split_once("://") else { return false };
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':' | b'[' | b']');
    !scheme.is_empty()
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'+')
        && !host.is_empty()
        && host.bytes().all(letter)
}

fn networks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<IpNet>, D::Error> {
    let network = |text: &String| {
        // A single address is accepted. It stands for a network that contains only this address.
        let single = |bits: u8| format!("{text}/{bits}").parse::<IpNet>();
        text.parse().or_else(|_| single(128)).or_else(|_| single(32)).map_err(|_| {
            D::Error::custom(format!(
                "contains \"{}\"; give a network such as \"10.0.0.0/8\" or \"2001:db8::/32\", or one address",
                text.escape_debug()
            ))
        })
    };
    fields::words(deserializer)?.iter().map(network).collect()
}
