//! Crowdfold's names of browsers, systems, device classes and connections, and the names that other programs use for
//! them. The same tables are used for the families of ua-parser, for client hints, and for names that producers send.

use crowdfold_model::NameList;

use super::OTHER;

/// Crowdfold's names of browsers. Each has a list of the names that other programs use, separated by `|`. Any other
/// name becomes `other`.
const BROWSERS: &[(&str, &str)] = &[
    ("Chrome", "Chrome|Chrome Mobile|Chrome Mobile iOS|Chrome Frame|HeadlessChrome|Google Chrome"),
    ("Chrome", "Chrome Lighthouse"),
    ("Safari", "Safari|Mobile Safari"),
    ("Firefox", "Firefox|Firefox Mobile|Firefox iOS|Firefox Alpha|Firefox Beta|Firefox Focus"),
    ("Firefox", "Mozilla Firefox|Firefox Klar|Firefox Reality"),
    ("Edge", "Edge|Edge Mobile|Microsoft Edge|Edge Chromium|MSEdge"),
    ("Opera", "Opera|Opera Mobile|Opera Mini|Opera Tablet|Opera Coast|Opera Neon|Opera GX|Opera Next"),
    ("Opera", "Opera Touch"),
    ("Samsung Internet", "Samsung Internet|Tizen Browser|Samsung Browser|Samsung Internet for TV"),
    ("Yandex", "Yandex Browser|Yandex|YaBrowser"),
    ("UC Browser", "UC Browser"),
    ("Vivaldi", "Vivaldi"),
    ("Brave", "Brave"),
    ("Silk", "Amazon Silk|Silk|Mobile Silk"),
    ("Internet Explorer", "IE|IE Mobile|MSIE|Internet Explorer"),
    ("Chromium", "Chromium|Mail.ru Chromium Browser"),
    ("WebView", "Chrome Mobile WebView|Android WebView|Mobile Safari UI/WKWebView|Edge WebView2|WebView2"),
    ("WebView", "Chrome WebView|WebView|WKWebView|iOS WebView|Safari View Service"),
    ("app", "Facebook|Facebook Messenger|Instagram|Twitter|Snapchat|Pinterest|TikTok|LinkedIn|Google"),
    ("app", "Slack|CFNetwork|okhttp|ExoPlayer|AppleCoreMedia|Dalvik|VLC|WMPlayer|QuickTime|Kodi|Roku"),
    (
        "app",
        "Electron|app|native|native app|mobile app|in-app|Cronet|Media3|AndroidXMedia3|AVPlayer|ExoPlayerLib",
    ),
    ("app", "AVFoundation|GoogleSearch|Google Search App|Messenger"),
];

/// Crowdfold's names of operating systems. Each has a list of the names that other programs use, separated by `|`.
const SYSTEMS: &[(&str, &str)] = &[
    ("Windows", "Windows|Windows RT|Win|Win32|Win64|WinNT"),
    ("macOS", "Mac OS X|macOS|OS X|Mac|Macintosh|MacIntel|Darwin"),
    ("Linux", "Linux|Ubuntu|Kubuntu|Xubuntu|Lubuntu|Debian|Fedora|Red Hat|CentOS|SUSE|openSUSE|Gentoo"),
    ("Linux", "Mandriva|Linux Mint|Mint|Arch Linux|Slackware|GNU/Linux|Red Hat Enterprise Linux"),
    ("Linux", "Raspberry Pi OS|Raspbian|SteamOS"),
    ("ChromeOS", "Chrome OS|Chromium OS|CrOS"),
    ("Android", "Android|Chromecast|GoogleTV|Android TV|Android Go|Wear OS"),
    ("iOS", "iOS|iPhone OS|iPhone"),
    ("iPadOS", "iPadOS|iPad"),
    ("tvOS", "tvOS|ATV OS X|Apple TV|Apple TV OS"),
    ("Fire OS", "Fire OS|Fire TV|Amazon Fire TV"),
    ("Tizen", "Tizen|Tizen OS|Tizen TV"),
    ("webOS", "webOS|webOS TV|Web0S|LG webOS"),
    ("Roku", "Roku|Roku OS"),
    ("HarmonyOS", "HarmonyOS|OpenHarmony"),
    ("KaiOS", "KaiOS"),
    ("PlayStation", "PlayStation|Orbis OS|Prospero OS"),
    (OTHER, "Windows Phone|Windows Mobile|Windows CE|visionOS|watchOS"),
    ("VIDAA", "VIDAA|VIDAA OS|VIDAA U"),
    ("Xbox", "Xbox|Xbox OS"),
    ("Nintendo", "Nintendo|Nintendo Switch"),
];

/// Crowdfold's names of device classes. Each has a list of the names that other programs use and of devices of the
/// class, separated by `|`.
const DEVICES: &[(&str, &str)] = &[
    ("phone", "phone|mobile|smartphone|cell phone|feature phone|phablet|handset|handheld|iPhone|iPod"),
    ("tablet", "tablet|tablet PC|pad|iPad|Kindle Fire|Fire tablet"),
    ("desktop", "desktop|PC|computer|laptop|notebook|Mac|MacBook|Chromebook"),
    ("tv", "tv|television|telly|connected tv|smart tv|internet tv|CTV|HbbTV|dongle|streaming stick"),
    ("tv", "tv stick|streaming device|media player|Android TV|Google TV|Apple TV|Fire TV|Fire Stick"),
    ("tv", "Chromecast|Roku|SmartCast|webOS|Tizen|VIDAA"),
    (OTHER, "smart display|other|portable media player|car|car browser|camera|wearable|watch|xr|vr"),
    (OTHER, "headset|virtual reality|augmented reality|smart speaker|speaker|embedded|e-reader"),
    (OTHER, "peripheral"),
    ("stb", "stb|settop|set-top box|set top unit|tv box|smart tv box|iptv box|receiver|pvr"),
    ("console", "console|game console|gaming console|games console|handheld console|handheld game console"),
    ("console", "game|PlayStation|PS3|PS4|PS5|Xbox|Nintendo Switch"),
    ("bot", "bot|robot|crawler|spider"),
];

/// Crowdfold's names of kinds of connections. Each has a list of the names that players and the interfaces of browsers,
/// Android and iOS use, separated by `|`. A more precise name is found first, as in "cellular (5G)".
const CONNECTIONS: &[(&str, &str)] = &[
    ("ethernet", "ethernet|wired|wired ethernet|LAN"),
    ("wifi", "wifi|wireless|WLAN|wireless LAN|WiFi 4|WiFi 5|WiFi 6|WiFi 6E|WiFi 7|802.11"),
    ("5g", "5g|5g nr|NR|NRNSA|mobile 5g|cellular 5g"),
    ("4g", "4g|LTE|LTE CA|4g LTE|mobile 4g|cellular 4g|mobile LTE|cellular LTE"),
    ("3g", "3g|UMTS|WCDMA|HSPA|HSPAP|HSDPA|HSUPA|EHRPD|EVDO|mobile 3g|cellular 3g"),
    ("2g", "2g|slow 2g|GSM|GPRS|EDGE|CDMA|1xRTT|mobile 2g|cellular 2g"),
    ("cellular", "cellular|mobile|cell|WWAN|mobile data|mobile network|cellular data"),
    ("fixed", "fixed|fixed line|broadband|DSL|fiber|fibre"),
    (OTHER, "bluetooth|wimax|vpn|mixed|other"),
];

/// Names that producers send if they do not know the value.
const NOTHING: &[&str] = &["unknown", "n/a", "none", "null", "nil", "undefined", "not set", "not available"];

/// The maximum length in bytes of a name that a producer sends, and the maximum number of words of this name that are
/// compared.
const LONGEST: usize = 96;
const MOST_WORDS: usize = 8;

/// The result of looking up a name that a producer sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    /// The producer does not know the value.
    Nothing,
    /// No part of the name is in the table, or the table assigns it to `other`.
    Unknown,
    /// This is crowdfold's name for the name that the producer sent.
    Is(&'static str),
}

const fn table(list: NameList) -> &'static [(&'static str, &'static str)] {
    match list {
        NameList::Browsers => BROWSERS,
        NameList::Systems => SYSTEMS,
        NameList::Devices => DEVICES,
        NameList::Connections => CONNECTIONS,
    }
}

/// Returns crowdfold's name for a name from another program, or `None` if the table does not contain it. Case, spaces
/// and punctuation are ignored.
fn get(list: NameList, name: &str) -> Option<&'static str> {
    let holds = |theirs: &str| theirs.split('|').any(|theirs| is_same(theirs, name));
    table(list).iter().find(|(_, theirs)| holds(theirs)).map(|(ours, _)| *ours)
}

/// Returns crowdfold's name for a name that a producer sent. If the table does not contain the complete name, sequences
/// of its words are looked up. Sequences that begin at the first word are tried first, and longer sequences before
/// shorter ones. A number begins a new word, as in "Microsoft Windows 10 Pro" and "webOS22".
pub(crate) fn explicit(list: NameList, name: &str) -> Named {
    if NOTHING.iter().any(|nothing| is_same(nothing, name)) || letters(name).next().is_none() {
        return Named::Nothing;
    }
    let name = &name[..name.floor_char_boundary(LONGEST)];
    let (begins, ends) = words(name);
    begins
        .iter()
        .flat_map(|begin| {
            ends.iter().rev().filter(move |end| begin < end).map(move |end| &name[*begin..*end])
        })
        .find_map(|part| get(list, part))
        .map_or(Named::Unknown, |ours| if ours == OTHER { Named::Unknown } else { Named::Is(ours) })
}

/// Returns the start positions of the words of a name, and the end positions.
fn words(name: &str) -> (Vec<usize>, Vec<usize>) {
    let (mut begins, mut ends) = (Vec::new(), Vec::new());
    let mut before = None;
    for (at, character) in name.char_indices().chain([(name.len(), ' ')]) {
        let kind = character.is_alphanumeric().then_some(character.is_numeric());
        // A letter after a digit does not begin a new word, as in "4K" and "Win32s".
        if before.is_some() && (kind.is_none() || before == Some(false) && kind == Some(true)) {
            ends.push(at);
        }
        if kind.is_some() && (before.is_none() || before == Some(false) && kind == Some(true)) {
            begins.push(at);
        }
        before = kind;
    }
    begins.truncate(MOST_WORDS);
    ends.truncate(MOST_WORDS);
    (begins, ends)
}

fn letters(name: &str) -> impl Iterator<Item = char> {
    name.chars().filter(|character| character.is_alphanumeric()).flat_map(char::to_lowercase)
}

fn is_same(one: &str, other: &str) -> bool {
    letters(one).eq(letters(other))
}

/// Returns crowdfold's name for a browser family from another program, or `None` if the catalogue does not contain it.
pub(super) fn browser(family: &str) -> Option<&'static str> {
    get(NameList::Browsers, family)
}

/// Returns crowdfold's name for a system from another program, or `None` if the catalogue does not contain it.
pub(super) fn system(family: &str) -> Option<&'static str> {
    get(NameList::Systems, family)
}

#[cfg(test)]
mod tests;
