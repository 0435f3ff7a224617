//! Recognises browsers and native players that ua-parser does not know, by the content of user agents.

use super::pattern::{Pattern, words};
use super::{APP, OTHER};

/// Products of native players and apps. ua-parser does not know some of them, and misclassifies others.
const APPS: &[&str] = &[
    "AppleCoreMedia",
    "AppleTV",
    "AVPlayer",
    "AVFoundation",
    "ExoPlayer",
    "Media3",
    "AndroidXMedia3",
    "Cronet",
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
    "AlexaMediaPlayer",
    "TiviMate",
    "Kodi/",
    "XBMC/",
    "Roku/",
    "Electron/",
    "BytedanceWebview",
    "FBAN/",
    "FB_IAB/",
    "GSA/",
];

/// Products at the start of user agents that are media stacks, libraries or systems instead of the app that uses them.
const STACKS: &[&str] = &[
    "applecoremedia",
    "avplayer",
    "avfoundation",
    "exoplayer",
    "exoplayerlib",
    "media3",
    "androidxmedia3",
    "cronet",
    "dalvik",
    "okhttp",
    "cfnetwork",
    "darwin",
    "lavf",
    "stagefright",
    "libmpv",
    "libvlc",
    "gstreamer",
    "nsplayer",
    "libcurl",
    "curl",
    "opera",
    "hbbtv",
    "mozilla",
    "android",
    "linux",
];

/// The prefixes of models that user agents begin with.
const MODELS: [&str; 2] = ["appletv", "roku"];

/// Browsers that ua-parser classifies as the browser that they are based on, and our names for them. The first match
/// counts.
const BROWSERS: &[(&str, &str)] = &[
    ("YaBrowser/", "Yandex"),
    ("YaSearchBrowser/", "Yandex"),
    ("CriOS/", "Chrome"),
    ("EdgiOS/", "Edge"),
    ("FxiOS/", "Firefox"),
    ("OPiOS/", "Opera"),
    ("OPT/", "Opera"),
    ("OPR/", "Opera"),
    ("OPX/", "Opera"),
    ("HuaweiBrowser/", OTHER),
    ("MiuiBrowser/", OTHER),
    ("OculusBrowser/", OTHER),
    ("PicoBrowser/", OTHER),
    ("Wolvic/", OTHER),
    ("TV Bro/", OTHER),
    ("BrowseHere/", OTHER),
    ("DuckDuckGo/", OTHER),
    ("Ddg/", OTHER),
];

/// Browsers on iOS, which omit the name of the system when they request the desktop page.
static ON_IOS: Pattern =
    Pattern::new(r"\b(?:CriOS|EdgiOS|FxiOS|OPiOS|OPT|GSA|Brave-iOS|DuckDuckGo|Coast|YaApp_iOS)/");

/// A package name at the start, as apps on Android and iOS have it: the labels of a domain in reverse order. Two labels
/// are sufficient if the first is a top-level domain.
static PACKAGE: Pattern = Pattern::new(concat!(
    r"^(?:(?:[a-z]{2}|com|org|net|app|dev|edu|gov|air|info|biz|mobi)(?:\.[A-Za-z0-9_-]+)+",
    r"|[a-z][a-z0-9_-]*(?:\.[A-Za-z][A-Za-z0-9_-]*){2,})(?:[/ (;]|$)",
));

/// Returns true if a user agent is that of a native player or an app.
pub(super) fn is_app(user_agent: &str) -> bool {
    has_package(user_agent) || APPS.iter().any(|part| words(user_agent, part).next().is_some())
}

/// Returns true if a user agent begins with a package name. Host names, which robots send, begin with `www` or are in
/// the usual order.
fn has_package(user_agent: &str) -> bool {
    !user_agent.starts_with("www.") && PACKAGE.is_in(user_agent)
}

/// Returns true if a user agent has the form of a browser's.
pub(super) fn has_form_of_browser(user_agent: &str) -> bool {
    ["Mozilla/", "Opera/", "HbbTV/", "Mozilla "].iter().any(|form| user_agent.contains(form))
}

/// Returns the browser and its major version from a product that ua-parser does not know.
pub(super) fn named_browser(user_agent: &str) -> Option<(&'static str, Option<u16>)> {
    let (name, after) =
        BROWSERS.iter().find_map(|(part, name)| Some((*name, words(user_agent, part).next()?)))?;
    Some((name, major(after).filter(|_| name != OTHER)))
}

/// Products of televisions for which ua-parser returns the product instead of the browser.
const PRODUCTS: [&str; 3] = ["HbbTV/", "QtWebEngine/", "Odin/"];

/// Returns the browser and its major version from a user agent with one of these products.
pub(super) fn of_product(user_agent: &str) -> Option<(&'static str, Option<u16>)> {
    if PRODUCTS.iter().any(|product| user_agent.contains(product)) { engine(user_agent) } else { None }
}

fn engine(user_agent: &str) -> Option<(&'static str, Option<u16>)> {
    let products = [("OPR/", "Opera"), ("Opera/", "Opera"), ("Chrome/", "Chrome"), ("Firefox/", "Firefox")];
    products.into_iter().find_map(|(part, name)| Some((name, major(words(user_agent, part).next()?))))
}

/// Returns true if a user agent of a Macintosh belongs to a browser that exists on iOS only. The device is then an
/// iPad, or an iPhone that requests the desktop page.
pub(super) fn is_desktop_page_on_ios(user_agent: &str) -> bool {
    user_agent.contains("(Macintosh;") && ON_IOS.is_in(user_agent)
}

/// Returns true if Safari exists for a system.
pub(super) fn has_safari(system: Option<&str>) -> bool {
    matches!(system, None | Some("macOS" | "iOS" | "iPadOS" | "tvOS" | "Windows"))
}

/// Returns the name of a native player for a user agent that contains a system and does not have the form of a
/// browser's.
pub(super) fn native(user_agent: &str, system: Option<&str>) -> Option<&'static str> {
    (system.is_some() && !has_form_of_browser(user_agent)).then_some(APP)
}

/// Returns the name and the version of the app at the start of a native player's user agent, such as `Example/3.1`.
pub(super) fn app(user_agent: &str) -> Option<(String, Option<&str>)> {
    let end = user_agent.find([' ', '/', '(', ';', ',']).unwrap_or(user_agent.len());
    let (name, rest) = user_agent.split_at(end);
    let name = name.replace("%20", " ");
    // A second word before the slash usually belongs to the name of a model or of a system, and not of an app.
    let is_name = name.starts_with(|character: char| character.is_alphabetic())
        && (rest.is_empty() || rest.starts_with('/') || rest.starts_with(" ("));
    let folded = name.to_ascii_lowercase();
    let is_model = MODELS.iter().any(|model| folded.starts_with(model));
    if !is_name || is_model || STACKS.contains(&folded.as_str()) {
        return None;
    }
    let version = rest.strip_prefix('/').map(|rest| rest.trim_start_matches(['v', 'V']));
    let version = version.map(|version| {
        let end = version.find(|character: char| !character.is_ascii_digit() && character != '.');
        &version[..end.unwrap_or(version.len())]
    });
    Some((name, version.filter(|version| !version.is_empty())))
}

fn major(version: &str) -> Option<u16> {
    version.split(|sign: char| !sign.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
pub(super) static PATTERNS: [&Pattern; 2] = [&ON_IOS, &PACKAGE];
