//! Reads a beacon field by field.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::cmcd::{self, Cmcd};
use super::numbers::{quality, to_100_ms, two_digits};
use super::{Millis, Settings};

/// The fields whose values are dimensions. `quality` is derived, and `network` is never reported by a player.
const DIMENSIONS: [&str; 19] = [
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
    "app",
    "app_version",
    "stream",
    "format",
    "content",
    "cdn",
    "connection",
    "error_code",
];

/// The classes of errors. Any other class is `other`.
pub(super) const ERRORS: [&str; 6] = ["network", "manifest", "media", "drm", "timeout", "other"];

/// Session ids that do not identify a session.
const CONSTANT: [&str; 9] = ["null", "undefined", "none", "nil", "nan", "unknown", "0", "-", "-1"];

/// Values that players send for an absent value, also in quotes.
const ABSENT: [&str; 5] = ["", "-", "null", "(null)", "undefined"];

fn is_absent(text: &str) -> bool {
    let text = text.trim().trim_matches(['"', '\'']).trim();
    ABSENT.contains(&text.to_ascii_lowercase().as_str())
}

/// The content of one beacon.
#[derive(Clone, Default)]
pub(super) struct Beacon {
    /// The time of the beacon. It is the record's time if the beacon has no usable time, or if its time is too far
    /// ahead of the record.
    pub(super) ts: Millis,
    /// The time in the beacon, if it is usable.
    pub(super) own_ts: Option<Millis>,
    pub(super) clock_ahead: bool,
    pub(super) tenant: String,
    pub(super) session: String,
    pub(super) event: String,
    pub(super) dimensions: BTreeMap<String, String>,
    pub(super) playing_ms: u64,
    /// True if it reports playing time, however short.
    pub(super) plays: bool,
    pub(super) stalled_ms: u64,
    pub(super) stalls: u64,
    pub(super) startup_ms: Option<u64>,
    pub(super) dropped_frames: u64,
    pub(super) switches: u64,
    pub(super) switches_up: u64,
    pub(super) switches_down: u64,
    pub(super) seeks: u64,
    pub(super) seeking_ms: u64,
    pub(super) bandwidth_kbps: Option<u64>,
    pub(super) bitrate_kbps: Option<u64>,
    pub(super) live_latency_ms: Option<u64>,
    pub(super) ttfb_ms: Option<u64>,
    pub(super) error: Option<&'static str>,
    pub(super) fatal: bool,
    pub(super) opt_out: bool,
    /// Its CMCD content, absent in a JSON beacon.
    pub(super) cmcd: Option<Cmcd>,
}

impl Beacon {
    fn state(&self) -> Option<char> {
        self.cmcd.as_ref().and_then(|cmcd| cmcd.state)
    }

    /// Returns true if it reports a start: `attempt`, or CMCD's `s`.
    pub(super) fn reports_start(&self) -> bool {
        match self.cmcd {
            None => self.event == "attempt",
            Some(_) => self.state() == Some('s'),
        }
    }

    /// Returns true if it reports a first frame: `play`, a startup time, or playing time. In CMCD, `p`, or a startup
    /// time without a state.
    pub(super) fn reports_frame(&self) -> bool {
        match self.cmcd {
            None => self.event == "play" || self.startup_ms.is_some() || self.plays,
            Some(_) => self.state() == Some('p') || self.startup_ms.is_some() && self.state().is_none(),
        }
    }

    /// Returns true if it is a JSON beacon sent at the first frame, without a startup time.
    pub(super) fn reports_untimed_frame(&self) -> bool {
        let is_timed = self.startup_ms.is_some() || self.playing_ms > 0;
        self.cmcd.is_none() && self.reports_frame() && !self.reports_start() && !is_timed
    }

    /// Returns true if it reports a failure: a fatal error, or CMCD's `f`.
    pub(super) fn reports_fatal(&self) -> bool {
        self.fatal && (self.cmcd.is_some() || self.error.is_some())
    }

    /// Returns true if it reports an idle player: CMCD's `a` and `e`, and JSON beacons without another report.
    pub(super) fn reports_idle(&self) -> bool {
        match self.cmcd {
            None => !(self.reports_start() || self.reports_frame() || self.reports_fatal()),
            Some(_) => matches!(self.state(), Some('a' | 'e')),
        }
    }

    /// Returns true if the viewer left: event `end`, or state `q` of CMCD.
    pub(super) fn reports_end(&self) -> bool {
        match self.cmcd {
            None => self.event == "end",
            Some(_) => self.state() == Some('q'),
        }
    }

    /// Returns the number of its line: 0 for JSON, 1 for an event, 2 for a request.
    pub(super) fn line(&self) -> usize {
        match &self.cmcd {
            None => 0,
            Some(cmcd) if cmcd.event => 1,
            Some(_) => 2,
        }
    }

    /// Returns a text that is the same for a repetition of the beacon, if it has fields that distinguish it from other
    /// beacons. There is one endpoint.
    pub(super) fn identity(&self) -> Option<String> {
        let event = self.event.to_ascii_lowercase();
        match &self.cmcd {
            None => self.own_ts.map(|ts| format!("json {ts} {event} {:?} {}", self.error, self.fatal)),
            Some(Cmcd { event: true, sequence, .. }) => {
                self.own_ts.map(|ts| format!("event {ts} {event} {sequence:?}"))
            }
            Some(Cmcd { sequence, received, .. }) => {
                sequence.map(|sequence| format!("request {received:?} {sequence}"))
            }
        }
    }

    /// Returns true if beacons of its kind are never counted.
    pub(super) fn is_excluded(&self, settings: &Settings) -> bool {
        let content = self.dimensions.get("content");
        settings.child_directed_tenants.contains(&self.tenant)
            || content.is_some_and(|content| settings.child_directed_content.contains(content))
    }
}

/// Returns the beacons of a payload. `None` is an element that is not a JSON object. A payload without elements counts
/// as one.
pub(super) fn split(payload: &[u8]) -> Vec<Option<Parsed>> {
    if let Some(records) = cmcd::split(payload) {
        return records.into_iter().map(Some).collect();
    }
    let whole: Option<Vec<Value>> = values(payload).into_iter().collect();
    let values = match whole.filter(|values| !values.is_empty()) {
        Some(values) => values.into_iter().map(Some).collect(),
        None => {
            let lines = payload.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
            lines.flat_map(values).collect::<Vec<_>>()
        }
    };
    let mut beacons = Vec::new();
    for value in values {
        match value {
            Some(Value::Array(elements)) if elements.is_empty() => beacons.push(None),
            Some(Value::Array(elements)) => beacons.extend(elements.iter().flat_map(objects)),
            Some(value) => beacons.extend(objects(&value)),
            None => beacons.push(None),
        }
    }
    if beacons.is_empty() {
        beacons.push(None);
    }
    beacons
}

/// Returns the JSON values of a text in order. `None` is the rest of the text from the first syntax error.
fn values(text: &[u8]) -> Vec<Option<Value>> {
    serde_json::Deserializer::from_slice(text).into_iter().map(Result::ok).collect()
}

/// Returns the beacons of a value. If the object has no session, and an array or an object under one of its keys has
/// one, the beacons are there. Otherwise the object itself is the beacon.
fn objects(value: &Value) -> Vec<Option<Parsed>> {
    let Value::Object(fields) = value else { return vec![None] };
    let outer = beacon_of(fields);
    if !outer.rest.session.is_empty() {
        return vec![Some(outer)];
    }
    for inner in fields.values() {
        let elements = inner.as_array().map_or_else(|| vec![inner.clone()], Clone::clone);
        let mut beacons: Vec<_> = elements.iter().map(|element| element.as_object().map(beacon_of)).collect();
        if beacons.iter().flatten().any(|beacon| !beacon.rest.session.is_empty()) {
            for beacon in beacons.iter_mut().flatten() {
                beacon.rest.opt_out |= outer.rest.opt_out;
            }
            return beacons;
        }
    }
    vec![Some(outer)]
}

/// Returns the beacon of an object. The object may be a record of Kafka REST whose value is the beacon.
fn beacon_of(fields: &Map<String, Value>) -> Parsed {
    let outer = parse(fields);
    let value = fields.get("value").and_then(Value::as_object);
    let data = value.and_then(|value| value.get("data")).and_then(Value::as_object);
    let inner = [value, data].into_iter().flatten().map(parse).find(|inner| !inner.rest.session.is_empty());
    match inner {
        Some(mut inner) if outer.rest.session.is_empty() => {
            inner.rest.opt_out |= outer.rest.opt_out;
            inner
        }
        _ => outer,
    }
}

/// A rejected beacon.
pub(super) struct Rejected {
    /// The name of the reason.
    pub(super) reason: &'static str,
    /// The time of the record or the beacon, which moves the watermark.
    pub(super) claimed: Option<Millis>,
    /// The tenant and session that it opts out, and the time from which this is in effect, if known.
    pub(super) opts_out: Option<(String, String, Option<Millis>)>,
}

/// The largest difference between a beacon's own time and its record's: ten years.
const LONGEST_AGO: Millis = 3_652 * 24 * 3_600_000;

/// Reads a beacon. Returns the beacon, or its rejection.
pub(super) fn read(
    beacon: Option<Parsed>,
    timestamp: Option<Millis>,
    settings: &Settings,
) -> Result<Beacon, Rejected> {
    let Some(beacon) = beacon else {
        return Err(Rejected { reason: "malformed", claimed: timestamp, opts_out: None });
    };
    let claimed = timestamp.or(beacon.ts);
    let session = beacon.rest.session.trim();
    if is_absent(session) || CONSTANT.contains(&session.to_ascii_lowercase().as_str()) {
        return Err(Rejected { reason: "no_session", claimed, opts_out: None });
    }
    if beacon.rest.session.len() > 128 {
        return Err(Rejected { reason: "too_large", claimed, opts_out: None });
    }
    let tenant =
        if beacon.tenant.is_empty() { settings.default_tenant.clone() } else { beacon.tenant.clone() };
    let is_known = settings.tenants.contains(&tenant);
    // An opt-out takes effect regardless of the other fields.
    let opts_out = |from: Option<Millis>| {
        (beacon.rest.opt_out && is_known).then(|| (tenant.clone(), beacon.rest.session.clone(), from))
    };
    let reject = |reason| Err(Rejected { reason, claimed, opts_out: opts_out(claimed) });
    // A clock that is wrong by more than ten years was never set.
    let is_far = |ts: &Millis| timestamp.is_some_and(|record| ts.abs_diff(record) > LONGEST_AGO);
    let own = beacon.ts.filter(|ts| !is_far(ts));
    // A request is recorded when it is sent.
    let is_request = beacon.rest.cmcd.as_ref().is_some_and(|cmcd| !cmcd.event);
    let Some(ts) = own.or(timestamp.filter(|_| is_request || beacon.ts.is_some())) else {
        return reject("no_time");
    };
    let record = timestamp.unwrap_or(ts);
    if timestamp.is_none() && settings.now.is_some_and(|now| ts.abs_diff(now) > LONGEST_AGO) {
        return Err(Rejected { reason: "no_time", claimed: None, opts_out: opts_out(None) });
    }
    if settings.is_ahead(record) {
        return Err(Rejected { reason: "future", claimed: None, opts_out: opts_out(None) });
    }
    let clock_ahead = ts > record + settings.max_skew;
    if !is_known {
        return reject("unknown_tenant");
    }
    let mut rest = beacon.rest;
    if let Some(cmcd) = &mut rest.cmcd {
        cmcd.received = timestamp;
    }
    Ok(Beacon { ts: if clock_ahead { record } else { ts }, own_ts: own, clock_ahead, tenant, ..rest })
}

/// Converts a time in seconds, milliseconds, microseconds or nanoseconds to milliseconds. The number of digits decides
/// the unit.
pub(super) fn milliseconds(number: u64) -> Millis {
    match number.to_string().len() {
        ..=11 => number * 1_000,
        12..=14 => number,
        15..=17 => number / 1_000,
        _ => number / 1_000_000,
    }
}

/// A beacon before its session, time and tenant are checked.
pub(super) struct Parsed {
    pub(super) ts: Option<Millis>,
    pub(super) tenant: String,
    pub(super) rest: Beacon,
}

/// Parses a beacon. A value that is invalid for its field is absent.
fn parse(fields: &Map<String, Value>) -> Parsed {
    let text = |name: &str| match fields.get(name) {
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::String(text)) => text.clone(),
        _ => String::new(),
    };
    let number = |name: &str| match fields.get(name)? {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    let flag = |name: &str| match fields.get(name) {
        Some(Value::Bool(flag)) => *flag,
        Some(Value::Number(number)) => number.as_u64() == Some(1),
        Some(Value::String(text)) => {
            ["1", "true", "yes"].contains(&text.trim().to_ascii_lowercase().as_str())
        }
        _ => false,
    };

    let mut dimensions = BTreeMap::new();
    for name in DIMENSIONS {
        let value = text(name);
        let is_no_code = name == "error_code" && value.eq_ignore_ascii_case("none");
        if !is_absent(&value) && !is_no_code {
            dimensions.insert(name.into(), value);
        }
    }
    let height = number("height").filter(|height| *height > 0);
    if let Some(quality) = quality(height, number("bitrate_kbps")) {
        dimensions.insert("quality".into(), quality.into());
    }
    // Names of events are compared without regard to case.
    let event = text("event").to_ascii_lowercase();
    let class = text("error");
    let known = ERRORS.into_iter().find(|error| error.eq_ignore_ascii_case(&class)).unwrap_or("other");
    let is_error = !is_absent(&class) || event == "error";
    // In the last beacon, playing time that is too short to be counted does not show that anything played.
    let is_end = event == "end";
    let (up, down) = (number("switches_up").unwrap_or(0), number("switches_down").unwrap_or(0));
    let rest = Beacon {
        session: text("session"),
        event,
        dimensions,
        playing_ms: to_100_ms(number("playing_ms").unwrap_or(0)),
        plays: number("playing_ms").is_some_and(|playing| playing > 0 && (!is_end || playing >= 50)),
        stalled_ms: to_100_ms(number("stalled_ms").unwrap_or(0)),
        stalls: number("stalls").unwrap_or(0),
        startup_ms: number("startup_ms").map(two_digits),
        dropped_frames: number("dropped_frames").unwrap_or(0),
        switches: number("switches").unwrap_or(0).max(up + down),
        switches_up: up,
        switches_down: down,
        seeks: number("seeks").unwrap_or(0),
        seeking_ms: to_100_ms(number("seeking_ms").unwrap_or(0)),
        bandwidth_kbps: number("bandwidth_kbps").map(two_digits),
        bitrate_kbps: number("bitrate_kbps").map(two_digits),
        live_latency_ms: number("live_latency_ms").map(two_digits),
        ttfb_ms: number("ttfb_ms").filter(|ttfb| *ttfb <= 60_000).map(two_digits),
        error: is_error.then_some(known),
        fatal: flag("fatal"),
        opt_out: flag("opt_out"),
        ..Beacon::default()
    };
    Parsed { ts: number("ts").map(milliseconds), tenant: text("tenant"), rest }
}
