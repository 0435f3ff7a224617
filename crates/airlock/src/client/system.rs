//! Recognises systems and system versions that ua-parser does not recognise.

use super::OTHER;
use super::device::amazon;
use super::pattern::{Pattern, words};

/// Words in user agents, and the systems that send them. ua-parser does not recognise these systems. The first match
/// counts.
const CONTAINED: &[(&str, &str)] = &[
    ("PlayStation", "PlayStation"),
    ("Playstation", "PlayStation"),
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
    ("Apple Vision", OTHER),
    ("HomePod", OTHER),
    ("Apple Watch", OTHER),
    ("HarmonyOS", "HarmonyOS"),
    ("OpenHarmony", "HarmonyOS"),
    ("Mac OS/", "macOS"),
    ("Andr0id", "Android"),
    ("diordnA", "Android"),
    // The user agents of Fuchsia and SmartCast devices, which can receive casts, contain `CrKey` too. Therefore they
    // must be checked before `CrKey`.
    ("Fuchsia", OTHER),
    ("SmartCast", "Linux"),
    ("ViziOS", "Linux"),
    ("CrKey", "Android"),
];

/// Major versions of Android, and the major versions of Fire OS that are based on them (Amazon's "Fire OS overview").
const FIRE_OS: [(u16, u16); 6] = [(5, 5), (7, 6), (9, 7), (10, 8), (11, 8), (14, 14)];

/// Versions of Chrome, and the major versions of webOS that contain them. The next table has the model years of
/// televisions, and their major versions of webOS (LG's "Web API and Web Engine").
const WEBOS_BY_CHROME: [(u16, u16); 10] =
    [(38, 3), (53, 4), (68, 5), (79, 6), (87, 22), (94, 23), (108, 24), (120, 25), (122, 25), (132, 26)];
const WEBOS_BY_YEAR: [(u16, u16); 8] =
    [(2014, 1), (2015, 2), (2016, 3), (2017, 3), (2018, 4), (2019, 4), (2020, 5), (2021, 6)];

static WEBOS: Pattern = Pattern::new(r"WEBOS(\d+)");
static WEBOS_YEAR: Pattern = Pattern::new(r"webOS\.TV-(20\d\d)");
static CHROME: Pattern = Pattern::new(r"Chr[o0]me/(\d+)");
static VIDAA: Pattern = Pattern::new(r"VIDAA/(\d+)");
static ROKU: Pattern = Pattern::new(r"Roku\w*/DVP-(\d+)");
static ANDROID: Pattern = Pattern::new(r"(?:Andr[o0]id|diordnA) (\d+)");
static TVOS: Pattern = Pattern::new(r"(?:CPU OS|tvOS|Apple TV OS)[ /](\d+)");
static ROKU_BROWSER: Pattern = Pattern::new(r"TV-G\w+-(\d+)");

/// System versions that browsers send regardless of the actual version. These are Windows 10 and macOS 10.15 for all
/// later versions, Android 10 together with the model K, and ChromeOS 14541.
static FROZEN: Pattern = Pattern::new(
    r"Windows NT 10\.0|Mac OS X 10[._]15(?:[._]7)?[;)]|Android 10; K\)|CrOS [a-z0-9_]+ 14541\.0\.0",
);
/// Version 26 and later versions of Safari send iOS 18.6 or 18.7 regardless of the actual version.
static FROZEN_IOS: Pattern =
    Pattern::new(r"OS 18_[67](?:_\d+)? like Mac OS X\).*Version/(?:2[6-9]|[3-9]\d)\.");

/// Returns the system for a word of [`CONTAINED`] or an Amazon device in a user agent.
pub(super) fn contained(user_agent: &str) -> Option<&'static str> {
    CONTAINED
        .iter()
        .find(|(part, _)| words(user_agent, part).next().is_some())
        .map(|(_, ours)| *ours)
        .or_else(|| user_agent.contains("Silk/").then_some("Fire OS"))
        .or_else(|| amazon(user_agent).map(|_| "Fire OS"))
}

/// Returns true if the system version in a user agent is fixed, so that it may differ from the actual version.
pub(super) fn is_frozen(user_agent: &str) -> bool {
    FROZEN.is_in(user_agent) || FROZEN_IOS.is_in(user_agent)
}

/// Returns the major version of a system, or `None` if its user agents have no specific position for it.
pub(super) fn version(user_agent: &str, system: &str) -> Option<u16> {
    let number = |pattern: &Pattern| pattern.first(user_agent)?.parse::<u16>().ok();
    let by = |table: &[(u16, u16)], known: u16| {
        table.iter().find(|(theirs, _)| *theirs == known).map(|(_, ours)| *ours)
    };
    match system {
        "Fire OS" => by(&FIRE_OS, number(&ANDROID)?),
        "webOS" => number(&WEBOS)
            .or_else(|| {
                let year = number(&WEBOS_YEAR)?;
                by(&WEBOS_BY_YEAR, year).or_else(|| (2022..2100).contains(&year).then_some(year - 2000))
            })
            .or_else(|| by(&WEBOS_BY_CHROME, number(&CHROME)?)),
        "VIDAA" => number(&VIDAA),
        "Roku" => number(&ROKU).or_else(|| number(&ROKU_BROWSER)),
        "Android" => number(&ANDROID),
        "tvOS" => number(&TVOS),
        _ => None,
    }
}

#[cfg(test)]
pub(super) static PATTERNS: [&Pattern; 10] =
    [&WEBOS, &WEBOS_YEAR, &CHROME, &VIDAA, &ROKU, &ANDROID, &TVOS, &ROKU_BROWSER, &FROZEN, &FROZEN_IOS];
