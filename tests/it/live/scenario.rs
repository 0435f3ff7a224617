//! The scenarios. Each of them combines a player, a stream and a fault.

use serde_json::{Value, json};

/// The tenant of all playbacks.
pub(super) const TENANT: &str = "live";

/// The interval at which players report, in seconds.
pub(super) const REPORT_S: f64 = 5.0;

/// The files of the video and of the audio, and the time that the origin waits before each of their responses, in
/// milliseconds. The times are long enough that an error of 10 % exceeds the tolerance of the comparison.
const VIDEO_RESPONSES: (&str, u64) = ("-1[-.]", 600);
const AUDIO_RESPONSES: (&str, u64) = ("-0[-.]", 300);

/// The manifest of the live stream, and the time that the origin waits before each of its responses, in milliseconds.
/// The time is so long that the comparison fails if manifests count as media.
const MANIFEST: (&str, u64) = ("stream.mpd", 2_000);

/// The position at which the page ends live playback, in seconds since the live stream began.
const LIVE_UNTIL_S: u64 = 28;

/// The form in which a player reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// CMCD v2 in event mode, with the settings in `deploy/players`.
    Events,
    /// JSON beacons of `deploy/players/beacons.js`.
    Beacons,
    /// CMCD v1 in the query of media requests. The origin server mirrors them to the collector, as a CDN can do.
    Query,
    /// CMCD v1 in the headers of media requests, which the origin server mirrors too.
    Headers,
}

/// The fault of the stream, or another special property of a playback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    None,
    /// A video segment is delayed for longer than the buffer lasts.
    Stall,
    /// The manifest is missing.
    Missing,
    /// The fifth and all later video segments are answered with status 500.
    Broken,
    /// The viewer seeks once, far beyond the buffer.
    Seek,
    /// The third and all later video segments are sent more slowly than the bitrate of the better rendition. The stream
    /// has two video renditions, so the player switches down.
    Slow,
    /// The player begins with the worse of two video renditions, and may switch up later. If it were allowed to switch
    /// up immediately, it would report the switch before the first frame.
    Rise,
    /// The origin waits before each response, and the player also reports each response.
    Responses,
    /// A live stream with the responses of `Responses`. The tenth video segment is sent too slowly, so playback stalls
    /// and the live latency grows.
    Live,
}

/// A playback of one player with one fault.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scenario {
    pub(super) id: &'static str,
    /// The player: `hls`, `dash` or `shaka`.
    pub(super) player: &'static str,
    pub(super) mode: Mode,
    pub(super) fault: Fault,
    /// True if the minified build of Shaka Player is used.
    pub(super) minified: bool,
}

impl Scenario {
    const fn new(id: &'static str, player: &'static str, fault: Fault) -> Self {
        Self { id, player, mode: Mode::Events, fault, minified: false }
    }

    const fn by(self, mode: Mode) -> Self {
        Self { mode, ..self }
    }

    /// All scenarios. The longest are first, so that no long playback still runs when the others have ended.
    pub(super) const ALL: &[Self] = &[
        Self::new("hls-stall", "hls", Fault::Stall),
        Self::new("dash-stall", "dash", Fault::Stall),
        Self::new("shaka-stall", "shaka", Fault::Stall),
        Self::new("beacons-stall", "hls", Fault::Stall).by(Mode::Beacons),
        Self::new("query-stall", "hls", Fault::Stall).by(Mode::Query),
        Self::new("dash-live", "dash", Fault::Live),
        Self::new("hls-slow", "hls", Fault::Slow),
        Self::new("hls-rise", "hls", Fault::Rise),
        Self::new("hls-responses", "hls", Fault::Responses),
        Self::new("shaka-responses", "shaka", Fault::Responses),
        Self::new("hls-plain", "hls", Fault::None),
        Self::new("dash-plain", "dash", Fault::None),
        Self::new("shaka-plain", "shaka", Fault::None),
        Self { minified: true, ..Self::new("shaka-minified", "shaka", Fault::None) },
        Self::new("headers-plain", "dash", Fault::None).by(Mode::Headers),
        Self::new("hls-seek", "hls", Fault::Seek),
        Self::new("dash-seek", "dash", Fault::Seek),
        Self::new("shaka-seek", "shaka", Fault::Seek),
        Self::new("beacons-seek", "hls", Fault::Seek).by(Mode::Beacons),
        Self::new("hls-broken", "hls", Fault::Broken),
        Self::new("dash-broken", "dash", Fault::Broken),
        Self::new("shaka-broken", "shaka", Fault::Broken),
        Self::new("beacons-broken", "hls", Fault::Broken).by(Mode::Beacons),
        Self::new("hls-missing", "hls", Fault::Missing),
        Self::new("dash-missing", "dash", Fault::Missing),
        Self::new("shaka-missing", "shaka", Fault::Missing),
        Self::new("beacons-missing", "hls", Fault::Missing).by(Mode::Beacons),
    ];

    /// Returns true if the stream has two video renditions.
    pub(super) fn is_adaptive(&self) -> bool {
        matches!(self.fault, Fault::Slow | Fault::Rise)
    }

    /// Returns true if the player reports each response.
    pub(super) fn reports_responses(&self) -> bool {
        matches!(self.fault, Fault::Responses | Fault::Live)
    }

    /// Returns the number of stalls that the origin causes, or `None` if the fault may cause any number.
    pub(super) fn caused_stalls(&self) -> Option<f64> {
        match self.fault {
            Fault::None | Fault::Seek | Fault::Missing | Fault::Responses | Fault::Rise => Some(0.0),
            Fault::Stall | Fault::Live => Some(1.0),
            Fault::Broken | Fault::Slow => None,
        }
    }

    /// Returns the driver's input for a playback with this content id. Video segments have the names `segment-1-*` and
    /// `segment-2-*`, and audio segments `segment-0-*`.
    pub(super) fn plan(&self, collector: &str, content: &str) -> Value {
        let faults = match self.fault {
            Fault::None | Fault::Seek | Fault::Rise => json!([]),
            Fault::Stall => json!([{ "file": "segment-[12]-005", "hold_ms": 7_000 }]),
            Fault::Missing => json!([{ "file": "master.m3u8|stream.mpd", "status": 404 }]),
            Fault::Broken => json!([{ "file": "segment-[12]-00[5-9]", "status": 500 }]),
            Fault::Slow => json!([{ "file": "segment-[12]-00[3-9]", "kbps": 500 }]),
            Fault::Responses => json!([VIDEO_RESPONSES, AUDIO_RESPONSES].map(waits)),
            Fault::Live => json!([
                { "file": "segment-1-010", "wait_ms": VIDEO_RESPONSES.1, "kbps": 155 },
                waits(MANIFEST),
                waits(VIDEO_RESPONSES),
                waits(AUDIO_RESPONSES),
            ]),
        };
        let seeks = if self.fault == Fault::Seek { json!([{ "at_s": 3, "to_s": 10 }]) } else { json!([]) };
        let (page, mode, path) = match self.mode {
            Mode::Events => (self.player, "events", format!("v1/cmcd/{TENANT}")),
            Mode::Beacons => ("beacons", "events", "v1/beacons".to_owned()),
            Mode::Query => (self.player, "query", format!("v1/cmcd/{TENANT}")),
            Mode::Headers => (self.player, "headers", format!("v1/cmcd/{TENANT}")),
        };
        let stream = match self.fault {
            Fault::Slow | Fault::Rise => "adaptive",
            Fault::Live => "live",
            _ => "fixed",
        };
        let mut plan = json!({
            "id": content,
            "tenant": TENANT,
            "player": page,
            "minified": self.minified,
            "stream": stream,
            "mode": mode,
            "collector": format!("{collector}/{path}"),
            "report_s": REPORT_S,
            "buffer_s": 4,
            "within_s": 90,
            "faults": faults,
            "seeks": seeks,
        });
        if self.fault == Fault::Live {
            plan["until_s"] = LIVE_UNTIL_S.into();
        }
        if self.fault == Fault::Rise {
            plan["worst_until_s"] = 3.into();
        }
        if self.reports_responses() {
            plan["events"] = json!(["ps", "bc", "e", "t", "rr"]);
        }
        plan
    }
}

/// Returns the fault of files whose responses are delayed.
fn waits((file, wait_ms): (&str, u64)) -> Value {
    json!({ "file": file, "wait_ms": wait_ms })
}
