//! Parses CMCD records. Only the keys that the tests use are supported.

use std::collections::BTreeMap;

use super::Record;
use super::beacon::{Beacon, Parsed, milliseconds};
use super::numbers::{quality, two_digits};

/// The CMCD data of a record that the oracle needs in addition to the fields of a beacon.
#[derive(Clone)]
pub(super) struct Cmcd {
    /// True for an event, which is sent on its own. False for data of a media request.
    pub(super) event: bool,
    /// True if the record was sent in one request together with other records.
    pub(super) batched: bool,
    pub(super) state: Option<char>,
    /// True if the event is `ps`, which reports a change of the player's state.
    pub(super) changed: bool,
    /// True if the event is `bc`, which reports a change of the bitrate.
    pub(super) bitrate_changed: bool,
    /// The key `br`: the bitrate in kbit/s.
    pub(super) bitrate: Option<u64>,
    /// The values of the cumulative keys `dfa`, `bsa` and `bsda`.
    pub(super) totals: BTreeMap<&'static str, u64>,
    pub(super) sequence: Option<u64>,
    /// The error codes in the key `ec`, in order.
    pub(super) codes: Vec<String>,
    /// The timestamp of the record.
    pub(super) received: Option<super::Millis>,
}

impl Record {
    /// Returns the `content-type` header that the worker needs to read this record, or `None` if it needs no header.
    /// (The oracle recognizes CMCD by the first characters of the payload instead.)
    #[must_use]
    pub fn content_type(&self) -> Option<&'static [u8]> {
        let is_cmcd = [&b"CMCD="[..], b"e="].iter().any(|begins| self.payload.starts_with(begins));
        is_cmcd.then_some(b"application/cmcd")
    }
}

/// Parses the records of a payload. Returns `None` if the payload is not CMCD.
pub(super) fn split(payload: &[u8]) -> Option<Vec<Parsed>> {
    let text = std::str::from_utf8(payload).ok()?;
    if let Some(query) = text.strip_prefix("CMCD=") {
        return Some(vec![parse(query, false, false)]);
    }
    let batched = text.lines().count() > 1;
    text.starts_with("e=").then(|| text.lines().map(|line| parse(line, true, batched)).collect())
}

fn parse(record: &str, event: bool, batched: bool) -> Parsed {
    let values: BTreeMap<&str, &str> =
        record.split(',').map(|member| member.split_once('=').unwrap_or((member, ""))).collect();
    let text = |key: &str| values.get(key).map(|value| value.trim_matches('"').to_owned());
    let number = |key: &str| values.get(key).and_then(|value| value.trim_matches(['(', ')']).parse().ok());
    let name = text("e").unwrap_or_default();
    let state = text("sta").and_then(|state| state.chars().next());
    let object = text("ot");
    // The bitrate counts only if the requested object contains video. An object without a type is assumed to contain
    // video.
    let has_picture = object.as_deref().is_none_or(|object| matches!(object, "v" | "av"));
    let bitrate = number("br").filter(|_| has_picture);
    let codes = text("ec").unwrap_or_default();
    let codes = codes.split(' ').map(|code| code.trim_matches(['(', ')', '"']).to_owned());
    let codes: Vec<_> = codes.filter(|code| !code.is_empty()).collect();
    let dimensions = [
        ("content", text("cid")),
        ("stream", text("st").map(|kind| if kind == "v" { "vod".into() } else { "live".into() })),
        ("format", text("sf").map(|kind| if kind == "h" { "hls".into() } else { "dash".into() })),
        ("quality", quality(None, bitrate).map(Into::into)),
        ("player", text("org.svta-p-n")),
        ("app_version", text("org.svta-ap-v")),
        ("error_code", codes.first().cloned()),
    ];
    let class = codes.first().map(|code| class(code));
    // The time to first byte counts only for audio and video, and not for manifests, captions, keys and so on.
    let url = text("url").unwrap_or_default();
    let is_other_file = object.is_none() && [".mpd", ".m3u8"].iter().any(|end| url.ends_with(end));
    let is_media = (has_picture || object.as_deref() == Some("a")) && !is_other_file;
    let ttfb = number("ttfb").filter(|ttfb| name == "rr" && is_media && *ttfb <= 60_000);
    let is_error = !codes.is_empty() || name == "e";
    let totals = ["dfa", "bsa", "bsda"];
    let cmcd = Cmcd {
        event,
        batched,
        state,
        changed: name == "ps",
        bitrate_changed: name == "bc",
        bitrate,
        totals: totals.into_iter().filter_map(|key| Some((key, number(key)?))).collect(),
        sequence: number("sn"),
        codes,
        received: None,
    };
    let custom = values.keys().filter_map(|key| Some((vec![(*key).to_owned()], text(key)?)));
    let rest = Beacon {
        event: name,
        custom: custom.collect(),
        dimensions: dimensions
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?)))
            .collect(),
        // A startup time is ignored while the player is still starting or preloading, and when it fails or quits.
        startup_ms: number("msd").filter(|_| !matches!(state, Some('s' | 'd' | 'f' | 'q'))).map(two_digits),
        bandwidth_kbps: number("mtp").map(two_digits),
        bitrate_kbps: bitrate.map(two_digits),
        live_latency_ms: number("ltc").map(two_digits),
        ttfb_ms: ttfb.map(two_digits),
        error: is_error.then_some(class.unwrap_or("other")),
        fatal: state == Some('f'),
        session: text("sid").unwrap_or_default(),
        cmcd: Some(cmcd),
        ..Beacon::default()
    };
    Parsed { ts: number("ts").map(milliseconds), tenant: String::new(), rest }
}

/// Returns the class of an error code that the tests use.
pub(super) fn class(code: &str) -> &'static str {
    match code {
        "404" => "network",
        "4032" => "manifest",
        _ => "timeout",
    }
}
