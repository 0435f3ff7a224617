//! Parses beacons, and validates them.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::cmcd::{self, Cmcd};
use super::custom;
use super::numbers::{quality, to_100_ms, two_digits};
use super::{Millis, Settings};

/// The dimensions that are fields of a beacon. `quality` and `network` are missing, because they are derived.
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

/// The classes of errors. An unknown class counts as `other`.
pub(super) const ERRORS: [&str; 6] = ["network", "manifest", "media", "drm", "timeout", "other"];

/// The events of JSON beacons.
const EVENTS: [&str; 5] = ["attempt", "play", "heartbeat", "error", "end"];

/// Values of the session id that players send by mistake, and that do not identify a session.
const CONSTANT: [&str; 9] = ["null", "undefined", "none", "nil", "nan", "unknown", "0", "-", "-1"];

/// Strings that players send if a value is absent. These strings may be in quotes.
const ABSENT: [&str; 5] = ["", "-", "null", "(null)", "undefined"];

pub(super) fn is_absent(text: &str) -> bool {
    let text = text.trim().trim_matches(['"', '\'']).trim();
    ABSENT.contains(&text.to_ascii_lowercase().as_str())
}

/// The content of one beacon. Numbers are rounded as in a session summary.
#[derive(Clone, Default)]
pub(super) struct Beacon {
    /// The event time. It is the timestamp of the record if the beacon has no usable time, or if its time is too far
    /// ahead of the record.
    pub(super) ts: Millis,
    /// The time in the beacon, or `None` if it is missing or not usable.
    pub(super) own_ts: Option<Millis>,
    pub(super) clock_ahead: bool,
    pub(super) tenant: String,
    pub(super) session: String,
    pub(super) event: String,
    pub(super) dimensions: BTreeMap<String, String>,
    /// The values that may belong to custom dimensions.
    pub(super) custom: custom::Values,
    pub(super) playing_ms: u64,
    /// True if the beacon reports playing time, even if it is rounded to 0.
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
    /// The CMCD data of the beacon, or `None` for a JSON beacon.
    pub(super) cmcd: Option<Cmcd>,
}

impl Beacon {
    fn state(&self) -> Option<char> {
        self.cmcd.as_ref().and_then(|cmcd| cmcd.state)
    }

    /// Returns true if the beacon reports a start: the event `attempt`, or the CMCD state `s`.
    pub(super) fn reports_start(&self) -> bool {
        match self.cmcd {
            None => self.event == "attempt",
            Some(_) => self.state() == Some('s'),
        }
    }

    /// Returns true if the beacon reports a first frame: the event `play`, a startup time, or playing time. A CMCD
    /// beacon reports it by the state `p`, or by a startup time without a state.
    pub(super) fn reports_frame(&self) -> bool {
        match self.cmcd {
            None => self.event == "play" || self.startup_ms.is_some() || self.plays,
            Some(_) => self.state() == Some('p') || self.startup_ms.is_some() && self.state().is_none(),
        }
    }

    /// Returns true if this is a JSON beacon that reports a first frame without a startup time and without playing
    /// time.
    pub(super) fn reports_untimed_frame(&self) -> bool {
        let is_timed = self.startup_ms.is_some() || self.playing_ms > 0;
        self.cmcd.is_none() && self.reports_frame() && !self.reports_start() && !is_timed
    }

    /// Returns true if the beacon reports a failure: a fatal error, or the CMCD state `f`.
    pub(super) fn reports_fatal(&self) -> bool {
        self.fatal && (self.cmcd.is_some() || self.error.is_some())
    }

    /// Returns true if the beacon reports an idle player. A JSON beacon does so if it reports no start, no first frame
    /// and no failure. A CMCD beacon does so by the states `a` and `e`.
    pub(super) fn reports_idle(&self) -> bool {
        match self.cmcd {
            None => !(self.reports_start() || self.reports_frame() || self.reports_fatal()),
            Some(_) => matches!(self.state(), Some('a' | 'e')),
        }
    }

    /// Returns true if the beacon reports that the viewer left: the event `end`, or the CMCD state `q`.
    pub(super) fn reports_end(&self) -> bool {
        match self.cmcd {
            None => self.event == "end",
            Some(_) => self.state() == Some('q'),
        }
    }

    /// Returns the number of the line on which the beacon was sent: 0 for JSON, 1 for a CMCD event, 2 for a CMCD
    /// request.
    pub(super) fn line(&self) -> usize {
        match &self.cmcd {
            None => 0,
            Some(cmcd) if cmcd.event => 1,
            Some(_) => 2,
        }
    }

    /// Returns a string that is equal for two beacons only if one repeats the other. Returns `None` if the beacon has
    /// no fields that distinguish it from other beacons.
    pub(super) fn identity(&self) -> Option<String> {
        let event = self.event.to_ascii_lowercase();
        // An unknown event of a JSON beacon counts as absent.
        let event = if self.cmcd.is_none() && !EVENTS.contains(&&*event) { "" } else { &event };
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

    /// Returns true if the beacon belongs to an excluded tenant or content.
    pub(super) fn is_excluded(&self, settings: &Settings) -> bool {
        let content = self.dimensions.get("content");
        settings.child_directed_tenants.contains(&self.tenant)
            || content.is_some_and(|content| settings.child_directed_content.contains(content))
    }
}

/// Returns the beacons of a payload. A beacon that is not a JSON object is `None`. A payload without beacons counts as
/// one `None`.
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

/// Returns the consecutive JSON values of a string. The rest of the string after the first syntax error is one `None`.
fn values(text: &[u8]) -> Vec<Option<Value>> {
    serde_json::Deserializer::from_slice(text).into_iter().map(Result::ok).collect()
}

/// Returns the beacons of a JSON object. If the object has no session id, but an object or an array in one of its
/// fields has one, that field contains the beacons. Otherwise the object itself is the beacon.
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

/// Returns the beacon of a JSON object. If the object is a record in the format of the Kafka REST proxy, its value is
/// the beacon.
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

/// The rejection of a beacon.
pub(super) struct Rejected {
    /// The name of the reason.
    pub(super) reason: &'static str,
    /// The timestamp of the record, or the time in the beacon if the record has none. This time moves the watermark.
    pub(super) claimed: Option<Millis>,
    /// The opt-out in the beacon, or `None` if there is no opt-out. It consists of the tenant, the session, and the
    /// time from which the opt-out takes effect, if this time is known.
    pub(super) opts_out: Option<(String, String, Option<Millis>)>,
}

/// The largest difference between the time in a beacon and the timestamp of its record: ten years.
const LONGEST_AGO: Millis = 3_652 * 24 * 3_600_000;

/// Validates a beacon. Returns the beacon, or its rejection.
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
    // A clock that is wrong by more than ten years was never set, so its time is not used.
    let is_far = |ts: &Millis| timestamp.is_some_and(|record| ts.abs_diff(record) > LONGEST_AGO);
    let own = beacon.ts.filter(|ts| !is_far(ts));
    // A CMCD request needs no time, because it is received at the time at which it is sent.
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
    rest.dimensions.extend(custom::dimensions(&rest.custom, &tenant, settings));
    Ok(Beacon { ts: if clock_ahead { record } else { ts }, own_ts: own, clock_ahead, tenant, ..rest })
}

/// Converts a time since the epoch to milliseconds. The number of digits shows whether it is in seconds, milliseconds,
/// microseconds or nanoseconds.
pub(super) fn milliseconds(number: u64) -> Millis {
    match number.to_string().len() {
        ..=11 => number * 1_000,
        12..=14 => number,
        15..=17 => number / 1_000,
        _ => number / 1_000_000,
    }
}

/// A parsed beacon, whose session, time and tenant are not validated yet.
pub(super) struct Parsed {
    pub(super) ts: Option<Millis>,
    pub(super) tenant: String,
    pub(super) rest: Beacon,
}

/// Parses the fields of a beacon. A field with an invalid value counts as absent.
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
    // Event names are compared without regard to case.
    let event = text("event").to_ascii_lowercase();
    let class = text("error");
    let known = ERRORS.into_iter().find(|error| error.eq_ignore_ascii_case(&class)).unwrap_or("other");
    let is_error = !is_absent(&class) || event == "error";
    // Playing time that is rounded to 0 counts as a first frame, except in the last beacon of a session.
    let is_end = event == "end";
    let (up, down) = (number("switches_up").unwrap_or(0), number("switches_down").unwrap_or(0));
    let mut custom = custom::Values::new();
    custom::add(fields, &[], &mut custom);
    let rest = Beacon {
        session: text("session"),
        event,
        dimensions,
        custom,
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
