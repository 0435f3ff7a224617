//! `[collect]`: the collector.

use std::net::SocketAddr;
use std::time::Duration;

use crowdfold_collector::{Acknowledge, Files, Settings};
use ipnet::IpNet;

use super::layers::Layers;
use super::problem::Problem;
use super::{Consent, Source, Tenants};

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;

/// Bytes of the longest record: with what Kafka puts around it, it still fits the topic's `max.message.bytes`.
const LONGEST_RECORD: u64 = 900 << 10;

const PROXIES: &str = "collect.trusted_proxies";
const CERTIFICATE: &str = "collect.tls.certificate";
const KEY: &str = "collect.tls.key";

/// `[collect]`.
#[derive(Clone, Debug)]
pub struct Collect {
    /// The collector's settings.
    pub settings: Settings,
    /// Certificate and key, where it speaks TLS.
    pub tls: Option<Files>,
}

impl Collect {
    pub(super) fn read(
        layers: &Layers,
        source: &Source,
        tenants: &Tenants,
        consent: &Consent,
    ) -> Result<Self, Problem> {
        let size = |key, least, most| {
            layers.whole(key, least..=most).map(|size| usize::try_from(size).unwrap_or(usize::MAX))
        };
        let time = |key, least, most| layers.duration(key, least..=most).map(Duration::from_millis);
        let settings = Settings {
            listen: listen(layers)?,
            origins: origins(layers)?,
            trusted_proxies: proxies(layers)?,
            proxy_protocol: layers.flag("collect.proxy_protocol")?,
            acknowledge: layers.choice(
                "collect.acknowledge",
                &[("written", Acknowledge::Written), ("queued", Acknowledge::Queued)],
            )?,
            linger: time("collect.linger", 1, SECOND)?,
            record: size("collect.record", 4 << 10, LONGEST_RECORD)?,
            patience: time("collect.patience", SECOND, 5 * MINUTE)?,
            memory: size("collect.memory", 1 << 20, 1 << 40)?,
            connections: size("collect.connections", 1, 1_000_000)?,
            body: size("collect.body", 1 << 10, 512 << 10)?,
            rate: u32::try_from(layers.whole("collect.rate", 0..=1_000_000)?).unwrap_or(0),
            slow: time("collect.slow", SECOND, 5 * MINUTE)?,
            idle: time("collect.idle", SECOND, 60 * MINUTE)?,
            tenants: tenants.names.clone(),
            gpc: consent.gpc,
            dnt: consent.dnt,
            fields: source.fields.clone(),
            partitioner: source.partitioner,
            max_beacons: source.max_beacons,
        };
        if settings.proxy_protocol && settings.trusted_proxies.is_empty() {
            let what = format!("nobody may speak so: name the proxies in {PROXIES}, or set false");
            return Err(layers.refuse("collect.proxy_protocol", what));
        }
        Ok(Self { settings, tls: tls(layers)? })
    }
}

fn listen(layers: &Layers) -> Result<SocketAddr, Problem> {
    const LISTEN: &str = "collect.listen";
    let text = layers.text(LISTEN)?;
    text.parse().map_err(|_| {
        let want = "want an address and a port, such as 127.0.0.1:8080 or [::]:443";
        layers.refuse(LISTEN, format!("found \"{}\", {want}", text.escape_debug()))
    })
}

fn origins(layers: &Layers) -> Result<Vec<String>, Problem> {
    const ORIGINS: &str = "collect.origins";
    let origins = layers.words(ORIGINS)?;
    match origins.iter().find(|origin| *origin != "*" && !is_origin(origin)) {
        Some(origin) => {
            let want = "want \"*\", or a scheme and a host such as \"https://player.example\"";
            Err(layers.refuse(ORIGINS, format!("found \"{}\", {want}", origin.escape_debug())))
        }
        None => Ok(origins),
    }
}

/// A scheme, a host and perhaps a port, as browsers write it.
fn is_origin(origin: &str) -> bool {
    let Some((scheme, host)) = origin.split_once("://") else { return false };
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':' | b'[' | b']');
    !scheme.is_empty()
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'+')
        && !host.is_empty()
        && host.bytes().all(letter)
}

fn proxies(layers: &Layers) -> Result<Vec<IpNet>, Problem> {
    let network = |text: &String| {
        // one address is a network of its own
        let one = |bits: u8| format!("{text}/{bits}").parse::<IpNet>();
        let network = text.parse().or_else(|_| one(128)).or_else(|_| one(32));
        network.map_err(|_| {
            let want = "want a network such as \"10.0.0.0/8\" or \"2001:db8::/32\", or one address";
            layers.refuse(PROXIES, format!("found \"{}\", {want}", text.escape_debug()))
        })
    };
    layers.words(PROXIES)?.iter().map(network).collect()
}

fn tls(layers: &Layers) -> Result<Option<Files>, Problem> {
    match (layers.optional(CERTIFICATE)?, layers.optional(KEY)?) {
        (None, None) => Ok(None),
        (Some(certificate), Some(key)) => {
            Ok(Some(Files { certificate: certificate.into(), key: key.into() }))
        }
        (Some(_), None) => Err(layers.refuse(CERTIFICATE, format!("has no key: name its file in {KEY}"))),
        (None, Some(_)) => {
            Err(layers.refuse(KEY, format!("has no certificate: name its file in {CERTIFICATE}")))
        }
    }
}
