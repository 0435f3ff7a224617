//! The platforms, countries, CDNs and renditions of synthetic sessions. Their weights are modelled on the audience of a
//! mid-sized service.

/// A combination of device, operating system, browser and player that occurs in practice.
pub(crate) struct Platform {
    pub(crate) weight: u64,
    pub(crate) device: &'static str,
    pub(crate) os: &'static str,
    pub(crate) os_version: &'static str,
    pub(crate) browser: &'static str,
    pub(crate) browser_version: &'static str,
    /// The user agent of this browser. `None` if sessions on this platform send no user agent.
    pub(crate) user_agent: Option<&'static str>,
    pub(crate) firmware: Option<&'static str>,
    pub(crate) player: &'static str,
    pub(crate) player_version: &'static str,
    pub(crate) format: &'static str,
    /// The height of the screen, in pixels.
    pub(crate) height: u32,
    pub(crate) connections: &'static [Connection],
}

/// The name of the app, for all clients that are not browsers.
pub(crate) const APP: &str = "Example";

/// Returns the code that players report for an error of a class.
pub(crate) const fn error_code(class: &str) -> &'static str {
    match class.as_bytes() {
        b"network" => "fragLoadError",
        b"manifest" => "manifestLoadError",
        b"media" => "bufferAppendError",
        b"drm" => "keySystemNoAccess",
        b"timeout" => "fragLoadTimeOut",
        _ => "internalException",
    }
}

/// A kind of network access.
pub(crate) struct Connection {
    pub(crate) weight: u64,
    pub(crate) name: &'static str,
    /// The usual throughput, in kbit/s.
    pub(crate) kbps: u64,
}

const fn connection(weight: u64, name: &'static str, kbps: u64) -> Connection {
    Connection { weight, name, kbps }
}

const DESK: &[Connection] = &[connection(6, "wifi", 30_000), connection(4, "ethernet", 60_000)];
const SOFA: &[Connection] = &[connection(7, "wifi", 25_000), connection(3, "ethernet", 60_000)];
const POCKET: &[Connection] = &[
    connection(50, "wifi", 25_000),
    connection(25, "5g", 40_000),
    connection(20, "4g", 9_000),
    connection(4, "cellular", 5_000),
    connection(1, "3g", 1_300),
];

#[rustfmt::skip]
pub(crate) const PLATFORMS: &[Platform] = &[
    Platform { weight: 220, device: "desktop", os: "Windows", os_version: "10", browser: "Chrome", browser_version: "147", player: "hls.js", player_version: "1.7", format: "hls", height: 1440, connections: DESK, firmware: None,
        user_agent: Some("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/147.0.0.0 Safari/537.36") },
    Platform { weight: 60, device: "desktop", os: "Windows", os_version: "10", browser: "Edge", browser_version: "147", player: "hls.js", player_version: "1.7", format: "hls", height: 1440, connections: DESK, firmware: None,
        user_agent: Some("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/147.0.0.0 Safari/537.36 Edg/147.0.0.0") },
    Platform { weight: 40, device: "desktop", os: "Windows", os_version: "10", browser: "Firefox", browser_version: "146", player: "dash.js", player_version: "5.2", format: "dash", height: 1440, connections: DESK, firmware: None,
        user_agent: Some("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:146.0) Gecko/20100101 Firefox/146.0") },
    Platform { weight: 12, device: "desktop", os: "Windows", os_version: "11", browser: "Opera", browser_version: "128", player: "hls.js", player_version: "1.7", format: "hls", height: 1440, connections: DESK, firmware: None, user_agent: None },
    Platform { weight: 4, device: "desktop", os: "Windows", os_version: "11", browser: "Yandex", browser_version: "26", player: "hls.js", player_version: "1.6", format: "hls", height: 1080, connections: DESK, firmware: None, user_agent: None },
    Platform { weight: 70, device: "desktop", os: "macOS", os_version: "10", browser: "Safari", browser_version: "26", player: "hls.js", player_version: "1.7", format: "hls", height: 1440, connections: DESK, firmware: None,
        user_agent: Some("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15") },
    Platform { weight: 60, device: "desktop", os: "macOS", os_version: "15", browser: "Chrome", browser_version: "147", player: "shaka", player_version: "5.2", format: "dash", height: 1440, connections: DESK, firmware: None, user_agent: None },
    Platform { weight: 9, device: "desktop", os: "Linux", os_version: "6", browser: "Firefox", browser_version: "146", player: "dash.js", player_version: "5.2", format: "dash", height: 1080, connections: DESK, firmware: None, user_agent: None },
    Platform { weight: 6, device: "desktop", os: "ChromeOS", os_version: "147", browser: "Chrome", browser_version: "147", player: "shaka", player_version: "5.2", format: "dash", height: 1080, connections: DESK, firmware: None, user_agent: None },
    Platform { weight: 110, device: "phone", os: "Android", os_version: "15", browser: "Chrome", browser_version: "147", player: "shaka", player_version: "5.2", format: "dash", height: 1080, connections: POCKET, firmware: None, user_agent: None },
    Platform { weight: 80, device: "phone", os: "Android", os_version: "15", browser: "app", browser_version: "8", player: "ExoPlayer", player_version: "1.9", format: "dash", height: 1080, connections: POCKET, firmware: None, user_agent: None },
    Platform { weight: 18, device: "phone", os: "Android", os_version: "14", browser: "Samsung Internet", browser_version: "29", player: "hls.js", player_version: "1.7", format: "hls", height: 1080, connections: POCKET, firmware: None, user_agent: None },
    Platform { weight: 75, device: "phone", os: "iOS", os_version: "18", browser: "Safari", browser_version: "18", player: "AVPlayer", player_version: "18.5", format: "hls", height: 1080, connections: POCKET, firmware: None,
        user_agent: Some("Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1") },
    Platform { weight: 35, device: "tablet", os: "iPadOS", os_version: "18", browser: "app", browser_version: "8", player: "AVPlayer", player_version: "18.5", format: "hls", height: 1440, connections: POCKET, firmware: None, user_agent: None },
    Platform { weight: 70, device: "tv", os: "Tizen", os_version: "8", browser: "app", browser_version: "8", player: "shaka", player_version: "4.16", format: "dash", height: 2160, connections: SOFA, firmware: Some("T-KTSU2EUC-1560.5"), user_agent: None },
    Platform { weight: 50, device: "tv", os: "webOS", os_version: "24", browser: "app", browser_version: "8", player: "shaka", player_version: "4.16", format: "dash", height: 2160, connections: SOFA, firmware: Some("23.20.28"), user_agent: None },
    Platform { weight: 40, device: "stb", os: "Roku", os_version: "14", browser: "app", browser_version: "5", player: "roku", player_version: "14.6", format: "hls", height: 2160, connections: SOFA, firmware: Some("14.6.4"), user_agent: None },
    Platform { weight: 25, device: "stb", os: "Fire OS", os_version: "8", browser: "app", browser_version: "8", player: "ExoPlayer", player_version: "1.9", format: "dash", height: 2160, connections: SOFA, firmware: Some("8.1.2"), user_agent: None },
    Platform { weight: 10, device: "stb", os: "tvOS", os_version: "26", browser: "app", browser_version: "8", player: "AVPlayer", player_version: "26.0", format: "hls", height: 2160, connections: SOFA, firmware: None, user_agent: None },
    Platform { weight: 6, device: "console", os: "PlayStation", os_version: "5", browser: "app", browser_version: "4", player: "shaka", player_version: "4.16", format: "dash", height: 2160, connections: SOFA, firmware: Some("12.40"), user_agent: None },
    Platform { weight: 4, device: "console", os: "Xbox", os_version: "10", browser: "Edge", browser_version: "147", player: "shaka", player_version: "4.16", format: "smooth", height: 2160, connections: SOFA, firmware: None, user_agent: None },
    Platform { weight: 1, device: "tv", os: "VIDAA", os_version: "9", browser: "app", browser_version: "3", player: "shaka", player_version: "4.11", format: "dash", height: 2160, connections: SOFA, firmware: Some("9.1.3"), user_agent: None },
];

/// For each country: its weight, its code, and its throughput as a percentage of the usual throughput.
#[rustfmt::skip]
pub(crate) const COUNTRIES: &[(u64, &str, u64)] = &[
    (300, "US", 110), (120, "BR", 60), (110, "DE", 90), (100, "IN", 50), (80, "GB", 100), (70, "FR", 110),
    (55, "JP", 130), (45, "MX", 60), (40, "PL", 90), (35, "ES", 110), (30, "IT", 80), (25, "NL", 130), (20, "CA", 110),
    (15, "SE", 140), (12, "AR", 60), (10, "AT", 90), (8, "CH", 140), (6, "PT", 100), (5, "CZ", 90), (4, "FI", 120),
    (3, "NO", 130), (3, "IE", 100), (2, "GR", 60), (2, "NZ", 100), (1, "UY", 80), (1, "LU", 140), (1, "IS", 150),
    (1, "MT", 100), (1, "FJ", 30), (1, "LI", 120),
];

/// For each CDN: its weight, its name, and the number of heartbeats per ten thousand in which it causes a stall.
pub(crate) const CDNS: &[(u64, &str, u64)] = &[
    (50, "cdn-a", 40),
    (25, "cdn-b", 160),
    (15, "cdn-c", 60),
    (7, "cdn-d", 50),
    (2, "cdn-e", 90),
    (1, "cdn-f", 30),
];

/// A rendition of the encoding ladder.
pub(crate) struct Rung {
    pub(crate) kbps: u32,
    pub(crate) height: u32,
    /// The value of the dimension `quality`.
    pub(crate) quality: &'static str,
}

const fn rung(kbps: u32, height: u32, quality: &'static str) -> Rung {
    Rung { kbps, height, quality }
}

pub(crate) const LADDER: &[Rung] = &[
    rung(300, 240, "240p"),
    rung(700, 360, "360p"),
    rung(1_400, 480, "480p"),
    rung(2_800, 720, "720p"),
    rung(5_000, 1080, "1080p"),
    rung(9_000, 1440, "1440p"),
    rung(16_000, 2160, "2160p"),
];

/// Returns an autonomous system number that is reserved for documentation (RFC 5398).
pub(crate) const fn documentation_asn(n: u64) -> u64 {
    match n % 32 {
        low @ 0..16 => 64_496 + low,
        high => 65_536 + high - 16,
    }
}
