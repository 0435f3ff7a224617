//! ua-parser's names, and those of client hints, as ours: the one table.

/// Families of browsers. What is not here is `other`.
const BROWSERS: [(&str, &str); 62] = [
    ("Chrome", "Chrome"),
    ("Chrome Mobile", "Chrome"),
    ("Chrome Mobile iOS", "Chrome"),
    ("Chrome Frame", "Chrome"),
    ("HeadlessChrome", "Chrome"),
    ("Google Chrome", "Chrome"),
    ("Safari", "Safari"),
    ("Mobile Safari", "Safari"),
    ("Firefox", "Firefox"),
    ("Firefox Mobile", "Firefox"),
    ("Firefox iOS", "Firefox"),
    ("Firefox Alpha", "Firefox"),
    ("Firefox Beta", "Firefox"),
    ("Firefox Focus", "Firefox"),
    ("Edge", "Edge"),
    ("Edge Mobile", "Edge"),
    ("Microsoft Edge", "Edge"),
    ("Opera", "Opera"),
    ("Opera Mobile", "Opera"),
    ("Opera Mini", "Opera"),
    ("Opera Tablet", "Opera"),
    ("Opera Coast", "Opera"),
    ("Opera Neon", "Opera"),
    ("Opera GX", "Opera"),
    ("Samsung Internet", "Samsung Internet"),
    ("Tizen Browser", "Samsung Internet"),
    ("Yandex Browser", "Yandex"),
    ("Yandex", "Yandex"),
    ("YaBrowser", "Yandex"),
    ("UC Browser", "UC Browser"),
    ("Vivaldi", "Vivaldi"),
    ("Brave", "Brave"),
    ("Amazon Silk", "Silk"),
    ("Silk", "Silk"),
    ("IE", "Internet Explorer"),
    ("IE Mobile", "Internet Explorer"),
    ("Chromium", "Chromium"),
    ("Mail.ru Chromium Browser", "Chromium"),
    ("Chrome Mobile WebView", "WebView"),
    ("Android WebView", "WebView"),
    ("Mobile Safari UI/WKWebView", "WebView"),
    ("Facebook", "app"),
    ("Facebook Messenger", "app"),
    ("Instagram", "app"),
    ("Twitter", "app"),
    ("Snapchat", "app"),
    ("Pinterest", "app"),
    ("TikTok", "app"),
    ("LinkedIn", "app"),
    ("Google", "app"),
    ("Slack", "app"),
    ("CFNetwork", "app"),
    ("okhttp", "app"),
    ("ExoPlayer", "app"),
    ("AppleCoreMedia", "app"),
    ("Dalvik", "app"),
    ("VLC", "app"),
    ("WMPlayer", "app"),
    ("QuickTime", "app"),
    ("Kodi", "app"),
    ("Roku", "app"),
    ("Electron", "app"),
];

/// Families of operating systems. What is not here is `other`.
const SYSTEMS: [(&str, &str); 38] = [
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("macOS", "macOS"),
    ("Linux", "Linux"),
    ("Ubuntu", "Linux"),
    ("Kubuntu", "Linux"),
    ("Xubuntu", "Linux"),
    ("Lubuntu", "Linux"),
    ("Debian", "Linux"),
    ("Fedora", "Linux"),
    ("Red Hat", "Linux"),
    ("CentOS", "Linux"),
    ("SUSE", "Linux"),
    ("openSUSE", "Linux"),
    ("Gentoo", "Linux"),
    ("Mandriva", "Linux"),
    ("Linux Mint", "Linux"),
    ("Mint", "Linux"),
    ("Arch Linux", "Linux"),
    ("Slackware", "Linux"),
    ("Chrome OS", "ChromeOS"),
    ("Chromium OS", "ChromeOS"),
    ("ChromeOS", "ChromeOS"),
    ("Android", "Android"),
    ("Chromecast", "Android"),
    ("iOS", "iOS"),
    ("iPadOS", "iPadOS"),
    ("tvOS", "tvOS"),
    ("ATV OS X", "tvOS"),
    ("Fire OS", "Fire OS"),
    ("FireHbbTV", "Fire OS"),
    ("Tizen", "Tizen"),
    ("webOS", "webOS"),
    ("webOS TV", "webOS"),
    ("Roku", "Roku"),
    ("HarmonyOS", "HarmonyOS"),
    ("KaiOS", "KaiOS"),
    ("PlayStation", "PlayStation"),
];

/// Systems that ua-parser does not know, by what their user agents hold. The first that is found counts.
const HELD: [(&str, &str); 14] = [
    ("PlayStation", "PlayStation"),
    ("PLAYSTATION", "PlayStation"),
    ("Xbox", "Xbox"),
    ("XBOX", "Xbox"),
    ("Nintendo", "Nintendo"),
    ("VIDAA", "VIDAA"),
    ("Web0S", "webOS"),
    ("webOS.TV", "webOS"),
    ("Tizen", "Tizen"),
    ("Roku", "Roku"),
    ("AppleTV", "tvOS"),
    ("Apple TV", "tvOS"),
    ("HarmonyOS", "HarmonyOS"),
    ("CrKey", "Android"),
];

/// What players outside of browsers call themselves.
const APPS: [&str; 8] =
    ["AppleCoreMedia", "ExoPlayer", "Media3", "Dalvik", "okhttp", "CFNetwork", "Lavf", "stagefright"];

/// What a television says it is.
const TELEVISIONS: [&str; 16] = [
    "SMART-TV",
    "SmartTV",
    "Smart TV",
    "HbbTV",
    "GoogleTV",
    "Google TV",
    "Android TV",
    "AndroidTV",
    "BRAVIA",
    "CrKey",
    "NetCast",
    "VIDAA",
    "VIERA",
    "AQUOS",
    "TV Safari",
    "Chromecast",
];

/// What an operator's box says it is.
const BOXES: [&str; 6] = ["STB", "SetTopBox", "Set-Top", "set-top", "RDK", "MAG2"];

/// What a program that watches nothing says it is, beside what ua-parser calls spiders.
const BOTS: [&str; 7] = ["HeadlessChrome", "PhantomJS", "curl/", "Wget/", "python-requests", "bot/", "Bot/"];

fn look_up(table: &[(&str, &'static str)], name: &str) -> Option<&'static str> {
    table.iter().find(|(theirs, _)| theirs.eq_ignore_ascii_case(name)).map(|(_, ours)| *ours)
}

/// Our name for a family of browsers.
pub(super) fn browser(family: &str) -> Option<&'static str> {
    look_up(&BROWSERS, family)
}

/// Our name for a family of systems.
pub(super) fn system(family: &str) -> Option<&'static str> {
    look_up(&SYSTEMS, family)
}

/// The system a user agent gives away beside what ua-parser knows.
pub(super) fn held_system(user_agent: &str) -> Option<&'static str> {
    HELD.iter().find(|(part, _)| user_agent.contains(part)).map(|(_, ours)| *ours)
}

/// Whether this is one of Amazon's: `AFT…` names sticks and televisions, `KF…` tablets.
pub(super) fn amazon(user_agent: &str) -> Option<&'static str> {
    let model = |prefix: &str| {
        user_agent.match_indices(prefix).any(|(at, _)| {
            let bytes = user_agent.as_bytes();
            let starts = at == 0 || !bytes[at - 1].is_ascii_alphanumeric();
            starts && bytes.get(at + prefix.len()).is_some_and(u8::is_ascii_uppercase)
        })
    };
    if model("AFT") {
        Some("tv")
    } else if model("KF") {
        Some("tablet")
    } else {
        None
    }
}

/// Whether a user agent that names no browser is that of a player outside of browsers.
pub(super) fn is_app(user_agent: &str) -> bool {
    APPS.iter().any(|part| user_agent.contains(part))
}

/// Whether there is a Safari for a system.
pub(super) fn has_safari(system: Option<&str>) -> bool {
    matches!(system, None | Some("macOS" | "iOS" | "iPadOS" | "tvOS" | "Windows"))
}

/// The class of device, as far as the user agent gives it away.
pub(super) fn device(user_agent: &str, family: &str, system: Option<&str>) -> Option<&'static str> {
    let holds = |parts: &[&str]| parts.iter().any(|part| user_agent.contains(part));
    if family == "Spider" || holds(&BOTS) {
        return Some("bot");
    }
    if holds(&BOXES) {
        return Some("stb");
    }
    if let Some(class) = amazon(user_agent) {
        return Some(class);
    }
    Some(match system? {
        "PlayStation" | "Xbox" | "Nintendo" => "console",
        // Sticks and boxes that one buys run what televisions run, and mostly do not tell: all are televisions.
        "tvOS" | "Roku" | "VIDAA" => "tv",
        "Tizen" | "webOS" | "Linux" | "Android" | "Fire OS" if holds(&TELEVISIONS) => "tv",
        "Tizen" | "webOS" if !holds(&["Mobile"]) => "tv",
        "iPadOS" => "tablet",
        "iOS" if family == "iPad" => "tablet",
        "iOS" | "KaiOS" => "phone",
        "Android" | "HarmonyOS" if family == "Generic Tablet" => "tablet",
        "Android" | "HarmonyOS" | "Tizen" | "webOS" if holds(&["Mobile"]) => "phone",
        "Android" | "HarmonyOS" | "Fire OS" => "tablet",
        "Windows" | "macOS" | "Linux" | "ChromeOS" => "desktop",
        _ => return None,
    })
}
