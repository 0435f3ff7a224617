//! Reads a CMCD record key by key, as far as the tested rules need it.

use std::collections::BTreeMap;

use super::Record;
use super::beacon::{Beacon, Parsed, milliseconds};
use super::numbers::{quality, two_digits};

/// The playback content of a record.
#[derive(Clone)]
pub(super) struct Cmcd {
    /// True if it was sent on its own and not with a request for media.
    pub(super) event: bool,
    /// True if it was sent in one body with others.
    pub(super) batched: bool,
    pub(super) state: Option<char>,
    /// `ps`: true if the state has changed.
    pub(super) changed: bool,
    /// `bc`
    pub(super) bitrate_changed: bool,
    /// `br`
    pub(super) bitrate: Option<u64>,
    /// `dfa`, `bsa`, `bsda`
    pub(super) totals: BTreeMap<&'static str, u64>,
    pub(super) sequence: Option<u64>,
    /// `ec`, in the order of the list.
    pub(super) codes: Vec<String>,
    /// The timestamp of its record.
    pub(super) received: Option<super::Millis>,
}

impl Record {
    /// Returns the value of the record's `content-type` header, if it needs one. The oracle recognizes CMCD by its
    /// first characters.
    #[must_use]
    pub fn content_type(&self) -> Option<&'static [u8]> {
        let is_cmcd = [&b"CMCD="[..], b"e="].iter().any(|begins| self.payload.starts_with(begins));
        is_cmcd.then_some(b"application/cmcd")
    }
}

/// Returns the records of a payload, or `None` if it is not CMCD.
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
    // that of audio or of a manifest is not the bitrate of the picture
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
    // a response other than of a manifest, an initialisation segment, captions, keys, …
    let is_media = has_picture || object.as_deref() == Some("a");
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
    let rest = Beacon {
        event: name,
        dimensions: dimensions
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?)))
            .collect(),
        // A player that has not begun to play has no startup time.
        startup_ms: number("msd").filter(|_| !matches!(state, Some('s' | 'd'))).map(two_digits),
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

/// Returns the class of an error code.
pub(super) fn class(code: &str) -> &'static str {
    match code {
        "404" => "network",
        "4032" => "manifest",
        _ => "timeout",
    }
}
