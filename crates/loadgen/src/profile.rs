//! Draws the constant properties of a session, such as its tenant and platform.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::catalogue::{self, Connection, Platform};
use crate::{Custom, Mix, PlayersConfig};
use crowdfold_random::Random;

/// The distributions from which the properties of sessions are drawn.
pub(crate) struct Offer {
    mix: Mix,
    opt_out: u64,
    tenants: Vec<(u64, Arc<str>)>,
    /// The cumulative weights of the content items, by number.
    contents: Vec<u64>,
    custom: Vec<Custom>,
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
            custom: config.custom.clone(),
        }
    }

    fn content(&self, random: &mut Random) -> usize {
        let at = random.below(self.contents.last().copied().unwrap_or(0));
        self.contents.partition_point(|sum| *sum <= at)
    }
}

/// The constant properties of one session.
pub(crate) struct Profile {
    /// The number of the session. It is different for each session of the players.
    pub(crate) number: u64,
    pub(crate) tenant: Arc<str>,
    pub(crate) session: String,
    pub(crate) opt_out: bool,
    /// The names and values of the dimensions that the session's beacons contain.
    values: Vec<(&'static str, Cow<'static, str>)>,
    /// True if the session reports its seeks, the direction of its switches, and the time to first byte.
    pub(crate) playback: bool,
    /// The names and values of the custom dimensions that the session's beacons contain.
    custom: Vec<(String, String)>,
    /// The constant JSON between the values of `ts` and `event`.
    pub(crate) before_event: String,
    /// The constant JSON after the value of `event`.
    pub(crate) after_event: String,
}

/// The properties that determine playback, and that beacons do not contain.
pub(crate) struct Means {
    pub(crate) kbps: u64,
    pub(crate) height: u32,
    pub(crate) usual_length_ms: u64,
    /// The usual latency of the live stream, in milliseconds, or `None` if the stream is not live.
    pub(crate) live_latency_ms: Option<u64>,
}

/// The names of the dimensions that are constant in a session. `cdn` and `quality` may change during playback.
pub(crate) const CONSTANT: [&str; 16] = [
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
    "app",
    "app_version",
    "stream",
    "format",
    "content",
    "connection",
];

impl Profile {
    /// Returns the value of a dimension. Returns `None` if the session's beacons do not contain it.
    pub(crate) fn value(&self, dimension: &str) -> Option<&str> {
        let built_in =
            self.values.iter().find(|(name, _)| *name == dimension).map(|(_, value)| value.as_ref());
        let custom = || self.custom.iter().find(|(name, _)| *name == dimension);
        built_in.or_else(|| custom().map(|(_, value)| value.as_str()))
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

        // A separate generator is used, so the other draws do not change.
        let mut apart = random.apart(2);
        let playback = percent(&mut apart, offer.mix.playback);
        let of_tenant = |custom: &&Custom| custom.tenant.as_deref().is_none_or(|name| *name == **tenant);
        let chosen: Vec<(&Custom, &String)> = offer
            .custom
            .iter()
            .filter(of_tenant)
            .map(|custom| (custom, apart.weighted(&custom.values, |_| 1)))
            .collect();
        let custom = chosen.iter().map(|(custom, value)| (custom.name.clone(), (*value).clone())).collect();
        let mut fields = Map::new();
        chosen.iter().for_each(|(custom, value)| add_at(&custom.path, value, &mut fields));
        let constant = members(fields);

        let profile = Self {
            custom,
            playback,
            before_event: format!(
                r#"{constant},"tenant":"{tenant}","session":"{session}","ip":"{ip}","event":""#
            ),
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

/// Adds a value at a path of object keys. Adds nothing if the path leads through a value that is not an object.
fn add_at(path: &[String], value: &str, fields: &mut Map<String, Value>) {
    match path {
        [] => {}
        [key] => drop(fields.insert(key.clone(), value.into())),
        [key, rest @ ..] => {
            if let Value::Object(inner) = fields.entry(key).or_insert_with(|| Map::new().into()) {
                add_at(rest, value, inner);
            }
        }
    }
}

/// Returns the members of an object as JSON, each with a comma before it.
fn members(fields: Map<String, Value>) -> String {
    if fields.is_empty() {
        return String::new();
    }
    let object = Value::Object(fields).to_string();
    let inner = object.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    format!(",{}", inner.unwrap_or_default())
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
    /// The value of the dimension `stream`.
    name: &'static str,
    /// The prefix of the content's id.
    kind: &'static str,
    usual_length_ms: u64,
    live_latency_ms: Option<u64>,
}

/// Returns the kind of the content with this number.
const fn stream(content: usize) -> Stream {
    let (name, kind, usual_length_ms, live_latency_ms) = match content % 10 {
        1 | 4 => ("live", "channel", 600_000, Some(15_000)),
        6 => ("low-latency", "event", 420_000, Some(3_000)),
        3 | 8 => ("vod", "episode", 300_000, None),
        _ => ("vod", "movie", 240_000, None),
    };
    Stream { name, kind, usual_length_ms, live_latency_ms }
}

/// Returns the dimensions that a platform reports, either in the user agent or in separate fields.
fn platform_values(
    platform: &Platform,
    detailed: bool,
    versions: bool,
    user_agent: bool,
) -> impl Iterator<Item = (&'static str, Cow<'static, str>)> {
    // On these operating systems, the user agent of a browser always contains the same version of the operating system.
    let frozen = matches!(platform.os, "Windows" | "macOS");
    let app = platform.browser == "app";
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
        (detailed, "app", app.then_some(catalogue::APP)),
        (versions, "app_version", app.then_some(platform.browser_version)),
    ]
    .into_iter()
    .filter_map(|(given, name, value)| Some((name, value.filter(|_| given)?.into())))
}

/// Returns the JSON after the value of `event`. Values that the user agent contains have no separate field.
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

/// Draws a session id. Desktop browsers use UUIDs, and other devices use sixteen hexadecimal digits.
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
        // The lowest bit is set, because an id that contains only zeros would be rejected.
        format!("{:016x}", a | 1)
    }
}

/// Draws an address from the ranges that are reserved for documentation. Three of four addresses are IPv4 addresses.
fn documentation_address(random: &mut Random) -> String {
    let host = random.between(1, 254);
    match random.below(4) {
        0 => format!("192.0.2.{host}"),
        1 => format!("198.51.100.{host}"),
        2 => format!("203.0.113.{host}"),
        _ => format!("2001:db8:{:x}:{:x}::{host:x}", random.below(0x1_0000), random.below(0x1_0000)),
    }
}
