//! The constant properties of a session.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;

use crate::catalogue::{self, Connection, Platform};
use crate::random::Random;
use crate::{Mix, PlayersConfig};

/// The choices for the sessions of one run.
pub(crate) struct Offer {
    mix: Mix,
    opt_out: u64,
    tenants: Vec<(u64, Arc<str>)>,
    /// Cumulative weights of contents 0..=n.
    contents: Vec<u64>,
}

impl Offer {
    pub(crate) fn new(config: &PlayersConfig) -> Self {
        let tenants =
            config.tenants.iter().zip(1..).map(|(name, rank)| (1_000 / rank + 1, name.as_str().into()));
        let zipf = (1..=u64::from(config.contents)).scan(0, |sum, rank| {
            *sum += 1_000_000_000 / rank;
            Some(*sum)
        });
        Self {
            mix: config.mix,
            opt_out: config.faults.opt_out.into(),
            tenants: tenants.collect(),
            contents: zipf.collect(),
        }
    }

    fn content(&self, random: &mut Random) -> usize {
        let at = random.below(self.contents.last().copied().unwrap_or(0));
        self.contents.partition_point(|sum| *sum <= at)
    }
}

/// The constant properties of one session.
pub(crate) struct Profile {
    /// The number that identifies it in the run.
    pub(crate) number: u64,
    pub(crate) tenant: Arc<str>,
    pub(crate) session: String,
    pub(crate) opt_out: bool,
    /// The dimensions that its beacons contain.
    values: Vec<(&'static str, Cow<'static, str>)>,
    /// The constant parts of the beacon: from after `ts` to the event, and from after the event on.
    pub(crate) before_event: String,
    pub(crate) after_event: String,
}

/// The properties that determine playback and are not in its beacons.
pub(crate) struct Means {
    pub(crate) kbps: u64,
    pub(crate) height: u32,
    pub(crate) usual_length_ms: u64,
    /// The usual latency of a live stream, ms.
    pub(crate) live_latency_ms: Option<u64>,
}

/// The names of the constant dimensions; `cdn` and `quality` change during playback.
pub(crate) const CONSTANT: [&str; 14] = [
    "country",
    "asn",
    "device",
    "os",
    "browser",
    "os_version",
    "browser_version",
    "firmware",
    "player",
    "player_version",
    "stream",
    "format",
    "content",
    "connection",
];

impl Profile {
    /// Returns the value of a dimension, if its beacons contain it.
    pub(crate) fn value(&self, dimension: &str) -> Option<&str> {
        self.values.iter().find(|(name, _)| *name == dimension).map(|(_, value)| value.as_ref())
    }

    pub(crate) fn draw(number: u64, offer: &Offer, random: &mut Random) -> (Self, Means) {
        let percent = |random: &mut Random, share: u8| random.chance(share.into(), 100);
        let platform = random.weighted(catalogue::PLATFORMS, |platform| platform.weight);
        let (_, country, speed) = *random.weighted(catalogue::COUNTRIES, |(weight, ..)| *weight);
        let connection = random.weighted(platform.connections, |connection| connection.weight);
        let (_, tenant) = random.weighted(&offer.tenants, |(weight, _)| *weight);
        let located = percent(random, offer.mix.located);
        let detailed = percent(random, offer.mix.detailed);
        let versions = percent(random, offer.mix.versions);
        let user_agent = platform.user_agent.filter(|_| percent(random, offer.mix.user_agents));
        let content = offer.content(random);
        let stream = stream(content);
        let session = session_id(platform, random);
        let ip = documentation_address(random);

        let mut values: Vec<(&'static str, Cow<'static, str>)> = Vec::with_capacity(CONSTANT.len());
        if located {
            let at =
                catalogue::COUNTRIES.iter().position(|(_, name, _)| *name == country).unwrap_or(0) as u64;
            let asn = catalogue::documentation_asn(3 * at + random.below(3));
            values.extend([("country", country.into()), ("asn", format!("AS{asn}").into())]);
        }
        values.extend(platform_values(platform, detailed, versions, user_agent.is_some()));
        values.extend([("stream", stream.name.into()), ("format", platform.format.into())]);
        values.push(("content", format!("{}-{content:04}", stream.kind).into()));
        if detailed {
            values.push(("connection", connection.name.into()));
        }

        let profile = Self {
            before_event: format!(r#","tenant":"{tenant}","session":"{session}","ip":"{ip}","event":""#),
            after_event: after_event(&values, user_agent),
            number,
            tenant: Arc::clone(tenant),
            session,
            opt_out: random.chance(offer.opt_out, 1_000),
            values,
        };
        (profile, means(platform, connection, speed, &stream, random))
    }
}

fn means(
    platform: &Platform,
    connection: &Connection,
    speed: u64,
    stream: &Stream,
    random: &mut Random,
) -> Means {
    let kbps = connection.kbps * speed / 100 * random.between(40, 160) / 100;
    Means {
        kbps: kbps.max(350),
        height: platform.height,
        usual_length_ms: stream.usual_length_ms,
        live_latency_ms: stream.live_latency_ms,
    }
}

/// A kind of content.
struct Stream {
    /// The value of `stream`.
    name: &'static str,
    /// The prefix of its id.
    kind: &'static str,
    usual_length_ms: u64,
    live_latency_ms: Option<u64>,
}

/// Returns the kind of a content.
const fn stream(content: usize) -> Stream {
    let (name, kind, usual_length_ms, live_latency_ms) = match content % 10 {
        1 | 4 => ("live", "channel", 600_000, Some(15_000)),
        6 => ("low-latency", "event", 420_000, Some(3_000)),
        3 | 8 => ("vod", "episode", 300_000, None),
        _ => ("vod", "movie", 240_000, None),
    };
    Stream { name, kind, usual_length_ms, live_latency_ms }
}

/// Returns the dimensions that a platform reports, in a user agent or field by field.
fn platform_values(
    platform: &Platform,
    detailed: bool,
    versions: bool,
    user_agent: bool,
) -> impl Iterator<Item = (&'static str, Cow<'static, str>)> {
    // Browsers report a fixed version of these systems in their user agents.
    let frozen = matches!(platform.os, "Windows" | "macOS");
    let os_version = if user_agent { !frozen } else { versions };
    [
        (detailed || user_agent, "device", Some(platform.device)),
        (true, "os", Some(platform.os)),
        (true, "browser", Some(platform.browser)),
        (os_version, "os_version", Some(platform.os_version)),
        (versions || user_agent, "browser_version", Some(platform.browser_version)),
        (versions, "firmware", platform.firmware),
        (detailed, "player", Some(platform.player)),
        (versions, "player_version", Some(platform.player_version)),
    ]
    .into_iter()
    .filter_map(|(given, name, value)| Some((name, value.filter(|_| given)?.into())))
}

/// Returns the fields after the event. Values in the user agent are not repeated.
fn after_event(values: &[(&'static str, Cow<'static, str>)], user_agent: Option<&str>) -> String {
    let mut text = String::from("\"");
    if let Some(user_agent) = user_agent {
        let _ = write!(text, r#","user_agent":"{user_agent}""#);
    }
    let implied = ["device", "os", "browser", "os_version", "browser_version"];
    for (name, value) in values.iter().filter(|(name, _)| user_agent.is_none() || !implied.contains(name)) {
        let _ = write!(text, r#","{name}":"{value}""#);
    }
    text
}

/// Creates a session id: browsers use UUIDs, devices sixteen digits.
fn session_id(platform: &Platform, random: &mut Random) -> String {
    let (a, b) = (random.bits(), random.bits());
    if platform.device == "desktop" {
        let (time, middle, version) = (a >> 32, a >> 16 & 0xffff, a & 0xfff);
        format!(
            "{time:08x}-{middle:04x}-4{version:03x}-{:04x}-{:012x}",
            b >> 48 & 0x3fff | 0x8000,
            b & 0xffff_ffff_ffff
        )
    } else {
        // A constant id is rejected as a session id, however unlikely the draw.
        format!("{:016x}", a | 1)
    }
}

/// Creates an address for documentation; three of four are IPv4.
fn documentation_address(random: &mut Random) -> String {
    let host = random.between(1, 254);
    match random.below(4) {
        0 => format!("192.0.2.{host}"),
        1 => format!("198.51.100.{host}"),
        2 => format!("203.0.113.{host}"),
        _ => format!("2001:db8:{:x}:{:x}::{host:x}", random.below(0x1_0000), random.below(0x1_0000)),
    }
}
