//! Systems, players and classes of devices by what a user agent contains, where ua-parser does not know them.

use super::OTHER;

/// Systems that ua-parser does not know, by what their user agents hold. The first that is found counts.
const HELD: [(&str, &str); 20] = [
    ("PlayStation", "PlayStation"),
    ("PLAYSTATION", "PlayStation"),
    ("Xbox", "Xbox"),
    ("XBOX", "Xbox"),
    ("Nintendo", "Nintendo"),
    ("VIDAA", "VIDAA"),
    ("Web0S", "webOS"),
    ("WEBOS", "webOS"),
    ("webOS.TV", "webOS"),
    ("Tizen", "Tizen"),
    ("Roku", "Roku"),
    ("AppleTV", "tvOS"),
    ("Apple TV", "tvOS"),
    ("HomePod", OTHER),
    ("Apple Watch", OTHER),
    ("HarmonyOS", "HarmonyOS"),
    ("OpenHarmony", "HarmonyOS"),
    // Both take part in casting, as what CrKey stands for does.
    ("Fuchsia", OTHER),
    ("SmartCast", "Linux"),
    ("CrKey", "Android"),
];

/// What players outside of browsers call themselves, also where ua-parser takes them for something else.
const APPS: [&str; 21] = [
    "AppleCoreMedia",
    "AppleTV",
    "ExoPlayer",
    "Media3",
    "AndroidXMedia3",
    "Dalvik",
    "okhttp",
    "CFNetwork",
    "Lavf",
    "stagefright",
    "libmpv",
    "mpv ",
    "LibVLC",
    "GStreamer",
    "NSPlayer",
    "Kodi/",
    "Roku/",
    "Electron/",
    "BytedanceWebview",
    "FBAN/",
    "FB_IAB/",
];

/// Browsers outside the catalogue that ua-parser takes for the one they are made from.
const STRANGERS: [&str; 2] = ["HuaweiBrowser/", "MiuiBrowser/"];

/// What a television says it is.
const TELEVISIONS: [&str; 23] = [
    "SMART-TV",
    "SmartTV",
    "SmartTv",
    "Smart TV",
    "HbbTV",
    "GoogleTV",
    "Google TV",
    "Android TV",
    "AndroidTV",
    "BRAVIA",
    "CrKey",
    "NetCast",
    "NETTV",
    "InettvBrowser",
    // Vewd's, on many makers' sets.
    " OMI/",
    "SmartCast",
    "MIBOX",
    "MiTV",
    "VIERA",
    "Viera",
    "AQUOS",
    "TV Safari",
    "Chromecast",
];

/// What has a television's words, and no screen of its size.
const SPEAKERS: [&str; 2] = ["DeviceType/SmartSpeaker", "Fuchsia"];

/// What an operator's box says it is, and receivers that one buys.
const BOXES: [&str; 11] = [
    "STB",
    "SetTopBox",
    "Set-Top",
    "set-top",
    "RDK",
    "stbapp",
    "Humax",
    "HUMAX",
    "DigiCorder",
    "Digit ISIO",
    "TiVo",
];

/// What a program that watches nothing says it is, beside what ua-parser calls spiders.
const BOTS: [&str; 19] = [
    "HeadlessChrome",
    "PhantomJS",
    "curl/",
    "Wget/",
    "python-requests",
    "python-httpx",
    "Python-urllib",
    "aiohttp/",
    "Go-http-client",
    "Apache-HttpClient",
    "libwww-perl",
    "axios/",
    "node-fetch",
    "Scrapy/",
    "Java/",
    "Lighthouse",
    "facebookexternalhit",
    "crawler",
    "spider",
];

/// The system a user agent gives away beside what ua-parser knows.
pub(super) fn held_system(user_agent: &str) -> Option<&'static str> {
    HELD.iter().find(|(part, _)| user_agent.contains(part)).map(|(_, ours)| *ours)
}

/// Whether this is one of Amazon's: `AFT…` names sticks and televisions, `KF…` tablets.
pub(super) fn amazon(user_agent: &str) -> Option<&'static str> {
    let model = |prefix| {
        words(user_agent, prefix).any(|after| after.as_bytes().first().is_some_and(u8::is_ascii_uppercase))
    };
    if model("AFT") {
        Some("tv")
    } else if model("KF") {
        Some("tablet")
    } else {
        None
    }
}

/// What follows each place where a word begins with `prefix`.
fn words<'a>(text: &'a str, prefix: &'a str) -> impl Iterator<Item = &'a str> {
    let begins = |at: usize| at == 0 || !text.as_bytes()[at - 1].is_ascii_alphanumeric();
    text.match_indices(prefix).filter(move |(at, _)| begins(*at)).map(|(at, _)| &text[at + prefix.len()..])
}

/// Whether a user agent is that of a player outside of browsers.
pub(super) fn is_app(user_agent: &str) -> bool {
    APPS.iter().any(|part| words(user_agent, part).next().is_some())
}

/// Whether a user agent is that of a browser which only ua-parser takes for one of the catalogue.
pub(super) fn is_stranger(user_agent: &str) -> bool {
    STRANGERS.iter().any(|part| user_agent.contains(part))
}

/// The browser of a television that says HbbTV, for which ua-parser gives HbbTV itself, and its major version.
pub(super) fn of_hbbtv(user_agent: &str) -> Option<(&'static str, Option<u16>)> {
    let told = [("OPR/", "Opera"), ("Opera/", "Opera"), ("Chrome/", "Chrome"), ("Firefox/", "Firefox")];
    told.into_iter().find_map(|(part, name)| {
        let version = words(user_agent, part).next()?;
        Some((name, version.split(['.', ' ']).next().and_then(|major| major.parse().ok())))
    })
}

/// Whether there is a Safari for a system.
pub(super) fn has_safari(system: Option<&str>) -> bool {
    matches!(system, None | Some("macOS" | "iOS" | "iPadOS" | "tvOS" | "Windows"))
}

/// Whether a user agent is that of a program which watches nothing.
fn is_bot(user_agent: &str, family: &str) -> bool {
    family == "Spider"
        || BOTS.iter().any(|part| words(user_agent, part).next().is_some())
        // As the end of a name: Googlebot/2.1.
        || user_agent.contains("bot/")
        || user_agent.contains("Bot/")
}

/// The class of device, as far as the user agent gives it away: `None` where it says nothing of it, `other` where it
/// is none of the catalogue.
pub(super) fn device(user_agent: &str, family: &str, system: Option<&'static str>) -> Option<&'static str> {
    let holds = |parts: &[&str]| parts.iter().any(|part| user_agent.contains(part));
    let numbered = |prefix| {
        words(user_agent, prefix).any(|after| after.as_bytes().first().is_some_and(u8::is_ascii_digit))
    };
    if is_bot(user_agent, family) {
        return Some("bot");
    }
    if holds(&BOXES) || numbered("MAG") {
        return Some("stb");
    }
    if let Some(class) = amazon(user_agent) {
        return Some(class);
    }
    match system {
        Some("PlayStation" | "Xbox" | "Nintendo") => return Some("console"),
        // Sticks and boxes that one buys run what televisions run, and mostly do not tell: all are televisions.
        Some("tvOS" | "Roku" | "VIDAA") => return Some("tv"),
        _ if holds(&SPEAKERS) => return Some(OTHER),
        Some("Windows" | "macOS" | "iOS" | "iPadOS") => {}
        _ if holds(&TELEVISIONS) => return Some("tv"),
        _ => {}
    }
    // Players outside of browsers leave out `Mobile` also on phones.
    let browser = user_agent.starts_with("Mozilla/") || user_agent.starts_with("Opera/");
    Some(match system? {
        "Tizen" | "webOS" if !holds(&["Mobile"]) => "tv",
        "iPadOS" => "tablet",
        "iOS" if family == "iPad" => "tablet",
        "iOS" if browser || holds(&["iPhone", "iPod"]) => "phone",
        "iOS" => return None,
        "KaiOS" => "phone",
        "HarmonyOS" if holds(&["(PC;", "(2in1;"]) => "desktop",
        "HarmonyOS" if holds(&["(TV;"]) => "tv",
        "Android" | "HarmonyOS" if family == "Generic Tablet" => "tablet",
        "Android" | "HarmonyOS" | "Tizen" | "webOS" if holds(&["Mobile"]) => "phone",
        "Android" | "HarmonyOS" if browser => "tablet",
        // Silk's view of a page as on a desktop, on a tablet or a television.
        "Android" | "HarmonyOS" | "Fire OS" => return None,
        "Windows" | "macOS" | "Linux" | "ChromeOS" => "desktop",
        _ => OTHER,
    })
}
