//! A beacon, read field by field.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::cmcd::{self, Cmcd};
use super::numbers::{to_100_ms, two_digits};
use super::{Millis, Settings};

/// Fields that are dimensions as they stand. `quality` is derived; `network` never comes from a producer.
const DIMENSIONS: [&str; 16] = [
    "country",
    "region",
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
    "cdn",
    "connection",
];

/// The closed classes of errors; anything else is `other`.
pub(super) const ERRORS: [&str; 6] = ["network", "manifest", "media", "drm", "timeout", "other"];

/// Session ids that name nobody.
const CONSTANT: [&str; 9] = ["null", "undefined", "none", "nil", "nan", "unknown", "0", "-", "-1"];

/// What one beacon says.
#[derive(Clone, Default)]
pub(super) struct Beacon {
    pub(super) ts: Millis,
    pub(super) tenant: String,
    pub(super) session: String,
    pub(super) event: String,
    pub(super) dimensions: BTreeMap<String, String>,
    pub(super) playing_ms: u64,
    pub(super) stalled_ms: u64,
    pub(super) stalls: u64,
    pub(super) startup_ms: Option<u64>,
    pub(super) dropped_frames: u64,
    pub(super) switches: u64,
    pub(super) bandwidth_kbps: Option<u64>,
    pub(super) bitrate_kbps: Option<u64>,
    pub(super) error: Option<&'static str>,
    pub(super) fatal: bool,
    pub(super) opt_out: bool,
    /// What it says in CMCD; `None` for a JSON beacon.
    pub(super) cmcd: Option<Cmcd>,
}

impl Beacon {
    fn state(&self) -> Option<char> {
        self.cmcd.as_ref().and_then(|cmcd| cmcd.state)
    }

    /// A first frame is stated by `play`, and by a startup time; by CMCD's playing, and by a startup time where no state
    /// is told.
    pub(super) fn states_play(&self) -> bool {
        match self.cmcd {
            None => self.event == "play" || self.startup_ms.is_some(),
            Some(_) => self.state() == Some('p') || self.startup_ms.is_some() && self.state().is_none(),
        }
    }

    /// A request to play is stated by `attempt`, and by every first frame; by each of CMCD's states in which a player
    /// tries to play, or cannot.
    pub(super) fn states_attempt(&self) -> bool {
        self.cmcd.is_none() && self.event == "attempt"
            || self.states_play()
            || matches!(self.state(), Some('s' | 'p' | 'k' | 'r' | 'w' | 'f'))
    }

    /// That it has played before, which counts nothing, is stated by a pause and by the end.
    pub(super) fn has_started(&self) -> bool {
        matches!(self.state(), Some('a' | 'e'))
    }

    /// That something played is stated by playing time, by every first frame, and by having started before.
    pub(super) fn states_playing(&self) -> bool {
        self.playing_ms > 0 || self.states_play() || self.has_started()
    }

    /// What a repetition of it has in common with it, where anything tells it from others.
    pub(super) fn identity(&self) -> Option<(u64, String)> {
        match &self.cmcd {
            None => Some((self.ts, format!("json {}", self.event))),
            Some(Cmcd { event, sequence: Some(number), .. }) => Some((*number, format!("number {event}"))),
            Some(Cmcd { event: true, .. }) => Some((self.ts, format!("cmcd {}", self.event))),
            Some(_) => None,
        }
    }

    /// Whether it is of a kind that is never counted.
    pub(super) fn is_excluded(&self, settings: &Settings) -> bool {
        let content = self.dimensions.get("content");
        settings.child_directed_tenants.contains(&self.tenant)
            || content.is_some_and(|content| settings.child_directed_content.contains(content))
    }
}

/// The beacons of a payload: `None` stands for one that is no JSON object, or has a known field of the wrong type. A
/// payload without any counts as one.
pub(super) fn split(payload: &[u8]) -> Vec<Option<Parsed>> {
    if let Some(records) = cmcd::split(payload) {
        return records.into_iter().map(Some).collect();
    }
    let object = |value| match value {
        Value::Object(fields) => parse(&fields),
        _ => None,
    };
    let mut beacons = match serde_json::from_slice(payload) {
        Ok(Value::Array(values)) => values.into_iter().map(object).collect(),
        Ok(value) => vec![object(value)],
        Err(_) => {
            let lines = payload.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
            lines.map(|line| serde_json::from_slice(line).ok().and_then(object)).collect::<Vec<_>>()
        }
    };
    if beacons.is_empty() {
        beacons.push(None);
    }
    beacons
}

/// What became of reading a beacon: itself, or the name of the reason for its rejection and the time it claims.
pub(super) fn read(
    beacon: Option<Parsed>,
    timestamp: Option<Millis>,
    settings: &Settings,
) -> Result<Beacon, (&'static str, Option<Millis>)> {
    let Some(beacon) = beacon else {
        return Err(("malformed", timestamp));
    };
    let claimed = timestamp.or(beacon.ts);
    let reject = |reason| Err((reason, claimed));
    let session = beacon.rest.session.trim();
    if session.is_empty() || CONSTANT.contains(&session.to_ascii_lowercase().as_str()) {
        return reject("no_session");
    }
    if beacon.rest.session.len() > 128 {
        return reject("too_large");
    }
    // a request is made when it is recorded
    let is_request = beacon.rest.cmcd.as_ref().is_some_and(|cmcd| !cmcd.event);
    let Some(ts) = beacon.ts.or(timestamp.filter(|_| is_request)) else {
        return reject("no_time");
    };
    let record = timestamp.unwrap_or(ts);
    if ts > record + settings.max_skew || settings.is_ahead(record) {
        return Err(("future", None));
    }
    let tenant = if beacon.tenant.is_empty() { settings.default_tenant.clone() } else { beacon.tenant };
    if !settings.tenants.contains(&tenant) {
        return reject("unknown_tenant");
    }
    Ok(Beacon { ts, tenant, ..beacon.rest })
}

/// A beacon of the right types, before its session, time and tenant were looked at.
pub(super) struct Parsed {
    pub(super) ts: Option<Millis>,
    pub(super) tenant: String,
    pub(super) rest: Beacon,
}

/// `None` when a known field has a value of the wrong type.
fn parse(fields: &Map<String, Value>) -> Option<Parsed> {
    let text = |name: &str| match fields.get(name) {
        None | Some(Value::Null) => Some(String::new()),
        Some(Value::Number(number)) => Some(number.to_string()),
        Some(value) => value.as_str().map(Into::into),
    };
    let number = |name: &str| match fields.get(name) {
        None | Some(Value::Null) => Some(None),
        Some(value) => value.as_u64().map(Some),
    };
    let flag = |name: &str| match fields.get(name) {
        None | Some(Value::Null) => Some(false),
        Some(value) => value.as_bool(),
    };

    let mut dimensions = BTreeMap::new();
    for name in DIMENSIONS {
        let value = text(name)?;
        if !value.is_empty() {
            dimensions.insert(name.into(), value);
        }
    }
    let height = number("height")?.filter(|height| *height > 0);
    if let Some(quality) = quality(height, number("bitrate_kbps")?) {
        dimensions.insert("quality".into(), quality.into());
    }
    let event = text("event")?;
    let class = text("error")?;
    let known = ERRORS.into_iter().find(|error| error.eq_ignore_ascii_case(&class)).unwrap_or("other");
    let is_error = !class.is_empty() || event == "error";
    let rest = Beacon {
        session: text("session")?,
        event,
        dimensions,
        playing_ms: to_100_ms(number("playing_ms")?.unwrap_or(0)),
        stalled_ms: to_100_ms(number("stalled_ms")?.unwrap_or(0)),
        stalls: number("stalls")?.unwrap_or(0),
        startup_ms: number("startup_ms")?.map(two_digits),
        dropped_frames: number("dropped_frames")?.unwrap_or(0),
        switches: number("switches")?.unwrap_or(0),
        bandwidth_kbps: number("bandwidth_kbps")?.map(two_digits),
        bitrate_kbps: number("bitrate_kbps")?.map(two_digits),
        error: is_error.then_some(known),
        fatal: flag("fatal")?,
        opt_out: flag("opt_out")?,
        ..Beacon::default()
    };
    Some(Parsed { ts: number("ts")?, tenant: text("tenant")?, rest })
}

/// The class of picture height, by height or else by the bitrate.
pub(super) fn quality(height: Option<u64>, bitrate_kbps: Option<u64>) -> Option<&'static str> {
    Some(match (height, bitrate_kbps) {
        (Some(0..=240), _) => "240p",
        (Some(241..=360), _) => "360p",
        (Some(361..=480), _) => "480p",
        (Some(481..=576), _) => "576p",
        (Some(577..=720), _) => "720p",
        (Some(721..=1080), _) => "1080p",
        (Some(1081..=1440), _) => "1440p",
        (Some(_), _) => "2160p",
        (None, Some(0..400)) => "240p",
        (None, Some(400..800)) => "360p",
        (None, Some(800..1600)) => "480p",
        (None, Some(1600..3500)) => "720p",
        (None, Some(3500..7000)) => "1080p",
        (None, Some(7000..14000)) => "1440p",
        (None, Some(_)) => "2160p",
        (None, None) => return None,
    })
}
