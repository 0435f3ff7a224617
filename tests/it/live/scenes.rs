//! What is played, and what goes wrong in it.

use serde_json::{Value, json};

/// The tenant of all scenes.
pub(super) const TENANT: &str = "live";

/// How a player reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// CMCD v2 in event mode, as `deploy/players` configures it.
    Events,
    /// JSON beacons of `deploy/players/beacons.js`.
    Beacons,
    /// CMCD v1 in the query of requests for media, which the origin passes on as an edge would.
    Query,
    /// The same in headers.
    Headers,
}

/// What happens to a playback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    None,
    /// A segment of the picture is held back for longer than the buffer lasts.
    Stall,
    /// There is no manifest.
    Gone,
    /// From the fifth on, segments of the picture are answered with 500.
    Broken,
    /// The viewer seeks once, far beyond the buffer.
    Seek,
    /// From the second on, segments come at a rate that is below the better picture's.
    Slow,
}

/// One playback. Its content id is its own, so a row that speaks of this content speaks of this playback.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scene {
    pub(super) id: &'static str,
    /// `hls`, `dash` or `shaka`.
    pub(super) player: &'static str,
    pub(super) mode: Mode,
    pub(super) trouble: Trouble,
    /// Shaka's minified build.
    pub(super) minified: bool,
}

impl Scene {
    const fn new(id: &'static str, player: &'static str, trouble: Trouble) -> Self {
        Self { id, player, mode: Mode::Events, trouble, minified: false }
    }

    const fn by(self, mode: Mode) -> Self {
        Self { mode, ..self }
    }

    /// The longest first: what is left over at the end is short.
    pub(super) const ALL: &[Self] = &[
        Self::new("hls-stall", "hls", Trouble::Stall),
        Self::new("dash-stall", "dash", Trouble::Stall),
        Self::new("shaka-stall", "shaka", Trouble::Stall),
        Self::new("beacons-stall", "hls", Trouble::Stall).by(Mode::Beacons),
        Self::new("query-stall", "hls", Trouble::Stall).by(Mode::Query),
        Self::new("hls-slow", "hls", Trouble::Slow),
        Self::new("hls-plain", "hls", Trouble::None),
        Self::new("dash-plain", "dash", Trouble::None),
        Self::new("shaka-plain", "shaka", Trouble::None),
        Self { minified: true, ..Self::new("shaka-minified", "shaka", Trouble::None) },
        Self::new("headers-plain", "dash", Trouble::None).by(Mode::Headers),
        Self::new("hls-seek", "hls", Trouble::Seek),
        Self::new("dash-seek", "dash", Trouble::Seek),
        Self::new("shaka-seek", "shaka", Trouble::Seek),
        Self::new("hls-broken", "hls", Trouble::Broken),
        Self::new("dash-broken", "dash", Trouble::Broken),
        Self::new("shaka-broken", "shaka", Trouble::Broken),
        Self::new("beacons-broken", "hls", Trouble::Broken).by(Mode::Beacons),
        Self::new("hls-gone", "hls", Trouble::Gone),
        Self::new("dash-gone", "dash", Trouble::Gone),
        Self::new("shaka-gone", "shaka", Trouble::Gone),
        Self::new("beacons-gone", "hls", Trouble::Gone).by(Mode::Beacons),
    ];

    /// What the driver is told.
    pub(super) fn plan(&self, collector: &str) -> Value {
        let faults = match self.trouble {
            Trouble::None | Trouble::Seek => json!([]),
            Trouble::Stall => json!([{ "file": "segment-[01]-005", "hold_ms": 7_000 }]),
            Trouble::Gone => json!([{ "file": "master.m3u8|stream.mpd", "status": 404 }]),
            Trouble::Broken => json!([{ "file": "segment-[01]-00[5-9]", "status": 500 }]),
            Trouble::Slow => json!([{ "file": "segment-[01]-0(0[2-9]|10)", "kbps": 500 }]),
        };
        let seeks =
            if self.trouble == Trouble::Seek { json!([{ "at_s": 4, "to_s": 13 }]) } else { json!([]) };
        let (page, mode, path) = match self.mode {
            Mode::Events => (self.player, "events", format!("v1/cmcd/{TENANT}")),
            Mode::Beacons => ("beacons", "events", "v1/beacons".to_owned()),
            Mode::Query => (self.player, "query", format!("v1/cmcd/{TENANT}")),
            Mode::Headers => (self.player, "headers", format!("v1/cmcd/{TENANT}")),
        };
        json!({
            "id": self.id,
            "tenant": TENANT,
            "player": page,
            "minified": self.minified,
            "mode": mode,
            "collector": format!("{collector}/{path}"),
            "report_s": 5,
            "buffer_s": 4,
            "within_s": 60,
            "faults": faults,
            "seeks": seeks,
        })
    }
}
