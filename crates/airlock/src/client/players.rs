//! Recognises browsers and native players that ua-parser does not recognise.

use super::pattern::{Pattern, words};
use super::{APP, OTHER};

/// Products in the user agents of native players and apps that ua-parser does not recognise, or misclassifies.
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

/// Products at the start of a user agent that are a media library or a system. They are not the name of the app.
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

/// The prefixes of device models with which a user agent may begin. They are not names of apps.
const MODELS: [&str; 2] = ["appletv", "roku"];

/// Products of browsers that are based on another browser, and crowdfold's names for them. ua-parser would return the
/// other browser. The first match counts.
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

/// Products of browsers that exist only on iOS. If such a browser requests the desktop version of a page, it omits the
/// name of the system.
static ON_IOS: Pattern =
    Pattern::new(r"\b(?:CriOS|EdgiOS|FxiOS|OPiOS|OPT|GSA|Brave-iOS|DuckDuckGo|Coast|YaApp_iOS)/");

/// A package name at the start of a user agent. Apps on Android and iOS send it. It consists of the labels of a domain
/// in reverse order. There are at least three labels, or two if the first label is a top-level domain.
static PACKAGE: Pattern = Pattern::new(concat!(
    r"^(?:(?:[a-z]{2}|com|org|net|app|dev|edu|gov|air|info|biz|mobi)(?:\.[A-Za-z0-9_-]+)+",
    r"|[a-z][a-z0-9_-]*(?:\.[A-Za-z][A-Za-z0-9_-]*){2,})(?:[/ (;]|$)",
));

/// Returns true if a user agent belongs to a native player or an app.
pub(super) fn is_app(user_agent: &str) -> bool {
    has_package(user_agent) || APPS.iter().any(|part| words(user_agent, part).next().is_some())
}

/// Returns true if a user agent begins with a package name. The user agents of robots begin with a host name instead,
/// which starts with `www` or ends with its top-level domain.
fn has_package(user_agent: &str) -> bool {
    !user_agent.starts_with("www.") && PACKAGE.is_in(user_agent)
}

/// Returns true if a user agent has the form of a browser's user agent.
pub(super) fn has_form_of_browser(user_agent: &str) -> bool {
    ["Mozilla/", "Opera/", "HbbTV/", "Mozilla "].iter().any(|form| user_agent.contains(form))
}

/// Returns the browser in [`BROWSERS`] whose product is in a user agent, and the major version of the browser.
pub(super) fn named_browser(user_agent: &str) -> Option<(&'static str, Option<u16>)> {
    let (name, after) =
        BROWSERS.iter().find_map(|(part, name)| Some((*name, words(user_agent, part).next()?)))?;
    Some((name, major(after).filter(|_| name != OTHER)))
}

/// Products in the user agents of televisions. If one of them is present, ua-parser returns it instead of the browser.
const PRODUCTS: [&str; 3] = ["HbbTV/", "QtWebEngine/", "Odin/"];

/// Returns the browser and its major version for a user agent that contains one of [`PRODUCTS`].
pub(super) fn of_product(user_agent: &str) -> Option<(&'static str, Option<u16>)> {
    if PRODUCTS.iter().any(|product| user_agent.contains(product)) { engine(user_agent) } else { None }
}

fn engine(user_agent: &str) -> Option<(&'static str, Option<u16>)> {
    let products = [("OPR/", "Opera"), ("Opera/", "Opera"), ("Chrome/", "Chrome"), ("Firefox/", "Firefox")];
    products.into_iter().find_map(|(part, name)| Some((name, major(words(user_agent, part).next()?))))
}

/// Returns true if a user agent contains the system Macintosh and a browser that exists only on iOS. The device is then
/// an iPad, or an iPhone that requests the desktop version of a page.
pub(super) fn is_desktop_page_on_ios(user_agent: &str) -> bool {
    user_agent.contains("(Macintosh;") && ON_IOS.is_in(user_agent)
}

/// Returns true if Safari exists for a system, or if the system is unknown.
pub(super) fn has_safari(system: Option<&str>) -> bool {
    matches!(system, None | Some("macOS" | "iOS" | "iPadOS" | "tvOS" | "Windows"))
}

/// Returns [`APP`] for a user agent that contains a system but does not have the form of a browser's user agent.
pub(super) fn native(user_agent: &str, system: Option<&str>) -> Option<&'static str> {
    (system.is_some() && !has_form_of_browser(user_agent)).then_some(APP)
}

/// Returns the name and the version of the app at the start of a native player's user agent, such as `Example/3.1`.
pub(super) fn app(user_agent: &str) -> Option<(String, Option<&str>)> {
    let end = user_agent.find([' ', '/', '(', ';', ',']).unwrap_or(user_agent.len());
    let (name, rest) = user_agent.split_at(end);
    let name = name.replace("%20", " ");
    // If there is a second word before the slash, the first word usually belongs to a device model or a system.
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
    version.split(|character: char| !character.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
pub(super) static PATTERNS: [&Pattern; 2] = [&ON_IOS, &PACKAGE];
