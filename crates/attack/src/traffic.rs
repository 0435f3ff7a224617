//! Draws ordinary traffic: the properties of sessions, and their activity in a minute. The shares are those of the
//! synthetic players of `generate`.

use std::sync::Arc;

use crowdfold_testkit::oracle::Sums;

use crate::random::Random;

/// The dimensions of the default breakdowns. The last breakdown gives the detail table.
pub(crate) const TABLES: [&[&str]; 5] = [
    &["country", "asn"],
    &["device", "os", "browser"],
    &["player", "player_version"],
    &["stream", "format", "content"],
    &["cdn", "connection"],
];

/// The weight, device, os, browser, player, player version, format, and index into [`CONNECTIONS`].
type Platform =
    (u64, &'static str, &'static str, &'static str, &'static str, &'static str, &'static str, usize);

#[rustfmt::skip]
const PLATFORMS: [Platform; 22] = [
    (220, "desktop", "Windows", "Chrome", "hls.js", "1.7", "hls", 0),
    (60, "desktop", "Windows", "Edge", "hls.js", "1.7", "hls", 0),
    (40, "desktop", "Windows", "Firefox", "dash.js", "5.2", "dash", 0),
    (12, "desktop", "Windows", "Opera", "hls.js", "1.7", "hls", 0),
    (4, "desktop", "Windows", "Yandex", "hls.js", "1.6", "hls", 0),
    (70, "desktop", "macOS", "Safari", "hls.js", "1.7", "hls", 0),
    (60, "desktop", "macOS", "Chrome", "shaka", "5.2", "dash", 0),
    (9, "desktop", "Linux", "Firefox", "dash.js", "5.2", "dash", 0),
    (6, "desktop", "ChromeOS", "Chrome", "shaka", "5.2", "dash", 0),
    (110, "phone", "Android", "Chrome", "shaka", "5.2", "dash", 2),
    (80, "phone", "Android", "app", "ExoPlayer", "1.9", "dash", 2),
    (18, "phone", "Android", "Samsung Internet", "hls.js", "1.7", "hls", 2),
    (75, "phone", "iOS", "Safari", "AVPlayer", "18.5", "hls", 2),
    (35, "tablet", "iPadOS", "app", "AVPlayer", "18.5", "hls", 2),
    (70, "tv", "Tizen", "app", "shaka", "4.16", "dash", 1),
    (50, "tv", "webOS", "app", "shaka", "4.16", "dash", 1),
    (40, "stb", "Roku", "app", "roku", "14.6", "hls", 1),
    (25, "stb", "Fire OS", "app", "ExoPlayer", "1.9", "dash", 1),
    (10, "stb", "tvOS", "app", "AVPlayer", "26.0", "hls", 1),
    (6, "console", "PlayStation", "app", "shaka", "4.16", "dash", 1),
    (4, "console", "Xbox", "Edge", "shaka", "4.16", "smooth", 1),
    (1, "tv", "VIDAA", "app", "shaka", "4.11", "dash", 1),
];

/// The weight, name and usual throughput in kbit/s.
const CONNECTIONS: [&[(u64, &str, u64)]; 3] = [
    &[(6, "wifi", 30_000), (4, "ethernet", 60_000)],
    &[(7, "wifi", 25_000), (3, "ethernet", 60_000)],
    &[(50, "wifi", 25_000), (25, "5g", 40_000), (20, "4g", 9_000), (4, "cellular", 5_000), (1, "3g", 1_300)],
];

/// The weight, country and percentage of the usual throughput.
#[rustfmt::skip]
const COUNTRIES: [(u64, &str, u64); 30] = [
    (300, "US", 110), (120, "BR", 60), (110, "DE", 90), (100, "IN", 50), (80, "GB", 100), (70, "FR", 110),
    (55, "JP", 130), (45, "MX", 60), (40, "PL", 90), (35, "ES", 110), (30, "IT", 80), (25, "NL", 130), (20, "CA", 110),
    (15, "SE", 140), (12, "AR", 60), (10, "AT", 90), (8, "CH", 140), (6, "PT", 100), (5, "CZ", 90), (4, "FI", 120),
    (3, "NO", 130), (3, "IE", 100), (2, "GR", 60), (2, "NZ", 100), (1, "UY", 80), (1, "LU", 140), (1, "IS", 150),
    (1, "MT", 100), (1, "FJ", 30), (1, "LI", 120),
];

const CDNS: [(u64, &str); 6] =
    [(50, "cdn-a"), (25, "cdn-b"), (15, "cdn-c"), (7, "cdn-d"), (2, "cdn-e"), (1, "cdn-f")];

const LADDER: [u64; 7] = [300, 700, 1_400, 2_800, 5_000, 9_000, 16_000];

const CONTENTS: u64 = 500;

/// One value of each dimension of a breakdown.
pub(crate) type CellKey = Arc<[String]>;

/// The properties of a session that do not change.
#[derive(Clone)]
pub(crate) struct Profile {
    /// The cell key of the session in each of [`TABLES`].
    pub(crate) cell_keys: [CellKey; 5],
    kbps: u64,
}

/// The activity of a session in one window.
#[derive(Clone, Default)]
pub(crate) struct Activity {
    pub(crate) sums: Sums,
    pub(crate) startup_ms: Option<u64>,
    pub(crate) bitrate_kbps: Option<u64>,
    pub(crate) bandwidth_kbps: Option<u64>,
}

impl Profile {
    pub(crate) fn draw(random: &mut Random) -> Self {
        let platform = PLATFORMS[random.weighted(&PLATFORMS, |platform| platform.0)];
        let connections = CONNECTIONS[platform.7];
        let (_, connection, usual) = connections[random.weighted(connections, |one| one.0)];
        let at = random.weighted(&COUNTRIES, |country| country.0);
        let (_, country, speed) = COUNTRIES[at];
        let cdn = CDNS[random.weighted(&CDNS, |cdn| cdn.0)].1;
        // Contents follow a Zipf distribution.
        let content = loop {
            let rank = random.between(1, CONTENTS);
            if random.chance(1.0 / rank as f64) {
                break rank - 1;
            }
        };
        let (stream, kind) = match content % 10 {
            1 | 4 => ("live", "channel"),
            6 => ("low-latency", "event"),
            3 | 8 => ("vod", "episode"),
            _ => ("vod", "movie"),
        };
        let known = |random: &mut Random, share, value: &str| {
            if random.chance(share) { value.to_owned() } else { "unknown".to_owned() }
        };
        let located = random.chance(0.9);
        let place = |value: String| if located { value } else { "unknown".to_owned() };
        let asn = 64_496 + (3 * at as u64 + random.below(3)) % 32;
        let cell_keys = [
            vec![place(country.to_owned()), place(format!("AS{asn}"))],
            vec![known(random, 0.9, platform.1), platform.2.to_owned(), platform.3.to_owned()],
            vec![known(random, 0.9, platform.4), known(random, 0.2, platform.5)],
            vec![stream.to_owned(), platform.6.to_owned(), format!("{kind}-{content:04}")],
            vec![cdn.to_owned(), known(random, 0.9, connection)],
        ];
        let kbps = (usual * speed / 100 * random.between(40, 160) / 100).max(350);
        Self { cell_keys: cell_keys.map(Arc::from), kbps }
    }

    /// Draws one ordinary minute.
    pub(crate) fn minute(&self, random: &mut Random) -> Activity {
        let mut activity = Activity::default();
        let sums = &mut activity.sums;
        sums.playing_ms = 60_000;
        sums.beacons = 6;
        if random.chance(0.18) {
            sums.attempts = 1;
            sums.playing_ms = random.between(0, 55_000);
            match random.below(100) {
                0 | 1 => {
                    sums.startup_failures = 1;
                    sums.playing_ms = 0;
                    sums.errors
                        .insert(["manifest", "drm", "network", "timeout"][random.below(4) as usize], 1);
                    return activity;
                }
                2..=4 => {
                    sums.playing_ms = 0;
                    return activity;
                }
                _ => {
                    sums.plays = 1;
                    activity.startup_ms = Some((200 + 8_000_000 / self.kbps) * random.between(70, 160) / 100);
                }
            }
        } else if random.chance(0.18) {
            sums.playing_ms = random.between(0, 60_000);
        }
        if random.chance(1.0 / 60.0) {
            sums.errors.insert(["network", "media", "timeout", "other"][random.below(4) as usize], 1);
        }
        if random.chance(1.0 / 600.0) {
            sums.playback_failures = 1;
            sums.errors.insert(["network", "media", "drm"][random.below(3) as usize], 1);
        }
        let starved = self.kbps < 700;
        let (mut bitrate, mut before) = (0, None);
        for _ in 0..6 {
            if random.chance(if starved { 0.25 } else { 0.007 }) {
                let stalled = random.between(200, 4_000);
                sums.stalled_ms += stalled;
                sums.stalls += 1 + u64::from(stalled > 2_000);
            }
            if random.chance(0.125) {
                sums.dropped_frames += random.between(1, 30);
            }
            let now = self.kbps * random.between(60, 130) / 100;
            let rung = LADDER.iter().rposition(|rung| rung * 4 / 3 <= now).unwrap_or(0);
            sums.switches += u64::from(before.is_some_and(|before| before != rung));
            before = Some(rung);
            bitrate += LADDER[rung];
        }
        sums.playing_ms = sums.playing_ms.saturating_sub(sums.stalled_ms);
        activity.bitrate_kbps = Some(bitrate / 6);
        activity.bandwidth_kbps = Some(self.kbps);
        activity
    }
}
