//! `[source]`: how beacons are written.

use std::collections::BTreeMap;

use crowdfold_airlock::{Format, Settings};
use crowdfold_model::Partitioner;

use super::layers::Layers;
use super::problem::Problem;
use super::read::meant;
use super::value::Value;

const FIELDS: &str = "source.fields";
const LOG: &str = "source.log";

/// The fields of a JSON beacon.
const OURS: [&str; 35] = [
    "ts",
    "tenant",
    "session",
    "ip",
    "event",
    "user_agent",
    "browser",
    "browser_version",
    "os",
    "os_version",
    "device",
    "firmware",
    "player",
    "player_version",
    "content",
    "stream",
    "format",
    "cdn",
    "connection",
    "bandwidth_kbps",
    "bitrate_kbps",
    "height",
    "buffer_ms",
    "playing_ms",
    "stalled_ms",
    "stalls",
    "startup_ms",
    "dropped_frames",
    "switches",
    "error",
    "fatal",
    "opt_out",
    "country",
    "region",
    "asn",
];

/// `[source]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The topic of the beacons, where it is not `{prefix}.beacons`.
    pub topic: Option<String>,
    /// Form of records without a `content-type`.
    pub format: Format,
    /// How producers choose partitions.
    pub partitioner: Partitioner,
    /// Producers set record timestamps.
    pub trust_timestamps: bool,
    /// With `trust_timestamps`: how long a partition is at its end before it is silent, ms.
    pub quiet: u64,
    /// A batch that cannot be read is skipped and counted as lost; otherwise the worker stops.
    pub skip_damaged: bool,
    /// Most beacons of one record, or of one request where requests are packed.
    pub max_beacons: usize,
    /// Our field to the path of object keys in theirs.
    pub fields: BTreeMap<String, Vec<String>>,
    /// What is read of a CDN's log, likewise.
    pub log: BTreeMap<String, Vec<String>>,
}

/// `message.timestamp.after.max.ms` of a topic whose producers set the time.
const AHEAD: u64 = 60_000;

impl Source {
    /// How far ahead of the broker's clock the timestamp of a beacon's record may be, ms: 0 where the broker stamps.
    #[must_use]
    pub const fn ahead(&self) -> u64 {
        if self.trust_timestamps { AHEAD } else { 0 }
    }

    pub(super) fn read(layers: &Layers) -> Result<Self, Problem> {
        let formats = [("json", Format::Json), ("cmcd", Format::Cmcd), ("capture", Format::Capture)];
        let partitioners =
            [("murmur2", Partitioner::Murmur2), ("crc32", Partitioner::Crc32), ("fnv1a", Partitioner::Fnv1a)];
        let format = layers.choice("source.format", &formats)?;
        Ok(Self {
            topic: layers.optional("source.topic")?.map(Into::into),
            format,
            partitioner: layers.choice("source.partitioner", &partitioners)?,
            trust_timestamps: layers.flag("source.trust_timestamps")?,
            quiet: layers.duration("source.quiet", 1_000..=3_600_000)?,
            skip_damaged: layers.choice("source.on_damaged", &[("stop", false), ("skip", true)])?,
            max_beacons: layers.whole("source.max_beacons", 1..=1_000_000)? as usize,
            fields: paths(layers, FIELDS, "field of a beacon", &OURS.map(String::from))?,
            log: log(layers, format)?,
        })
    }
}

/// What CMCD can be found in; single members of it beside.
const WITH_CMCD: [&str; 4] = ["path", "query", "body", "cmcd"];

fn log(layers: &Layers, format: Format) -> Result<BTreeMap<String, Vec<String>>, Problem> {
    let names: Vec<_> = Settings::log_names().collect();
    let log = paths(layers, LOG, "field of a log", &names)?;
    let Some((_, first)) = layers.under(LOG).next() else { return Ok(log) };
    let refuse = |what: &str| Err(Problem::at(&first.origin, LOG, what));
    if format != Format::Capture {
        return refuse("is read where source.format = \"capture\": set that, or take the table out");
    }
    if !log.keys().any(|name| WITH_CMCD.contains(&name.as_str()) || name.starts_with("cmcd_")) {
        return refuse("names nothing that holds CMCD: add query, cmcd, cmcd_session, cmcd_sid or another");
    }
    Ok(log)
}

/// A table of our names and the paths of object keys in what others write.
fn paths(
    layers: &Layers,
    table: &str,
    kind: &str,
    ours: &[String],
) -> Result<BTreeMap<String, Vec<String>>, Problem> {
    let mut fields = BTreeMap::new();
    for (name, entry) in layers.under(table) {
        let refuse = |what: String| Problem::at(&entry.origin, &format!("{table}.{name}"), what);
        if !ours.iter().any(|known| known == name) {
            let hint = meant(name, ours.iter().map(String::as_str));
            return Err(refuse(format!("is no {kind}{hint} (ours on the left, theirs on the right)")));
        }
        let path = path(&entry.value).ok_or_else(|| {
            refuse(
                "want a path of object keys, such as \"player.session_id\" or [\"player\", \"session.id\"]"
                    .into(),
            )
        })?;
        let clash = fields.iter().find(|(_, other): &(_, &Vec<String>)| one_in_the_other(&path, other));
        if let Some((other, _)) = clash {
            return Err(refuse(format!("lies where {other} lies: give each field a path of its own")));
        }
        fields.insert(name.to_owned(), path);
    }
    Ok(fields)
}

fn one_in_the_other(one: &[String], other: &[String]) -> bool {
    one.starts_with(other) || other.starts_with(one)
}

fn path(value: &Value) -> Option<Vec<String>> {
    let key = |item: &Value| match item {
        Value::Text(key) if !key.is_empty() => Some(key.clone()),
        _ => None,
    };
    let path: Vec<String> = match value {
        Value::Text(path) => {
            path.split('.').map(|part| key(&Value::Text(part.into()))).collect::<Option<_>>()?
        }
        Value::List(items) => items.iter().map(key).collect::<Option<_>>()?,
        _ => return None,
    };
    Some(path).filter(|path| !path.is_empty())
}
