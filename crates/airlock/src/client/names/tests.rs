use std::collections::HashSet;

use super::*;

/// The closed catalogues of browsers, systems and devices.
const BROWSER: [&str; 15] = [
    "Chrome",
    "Safari",
    "Firefox",
    "Edge",
    "Opera",
    "Samsung Internet",
    "Yandex",
    "UC Browser",
    "Vivaldi",
    "Brave",
    "Silk",
    "Internet Explorer",
    "Chromium",
    "WebView",
    "app",
];

const OS: [&str; 18] = [
    "Windows",
    "macOS",
    "Linux",
    "ChromeOS",
    "Android",
    "iOS",
    "iPadOS",
    "tvOS",
    "Fire OS",
    "Tizen",
    "webOS",
    "Roku",
    "VIDAA",
    "PlayStation",
    "Xbox",
    "Nintendo",
    "HarmonyOS",
    "KaiOS",
];

const DEVICE: [&str; 7] = ["phone", "tablet", "desktop", "tv", "console", "stb", "bot"];

fn all(list: NameList) -> impl Iterator<Item = (&'static str, &'static str)> {
    table(list).iter().flat_map(|(ours, theirs)| theirs.split('|').map(move |theirs| (*ours, theirs)))
}

#[test]
fn tables_contain_only_names_of_the_catalogues() {
    let catalogues: [(NameList, &[&str]); 4] = [
        (NameList::Browsers, &BROWSER),
        (NameList::Systems, &OS),
        (NameList::Devices, &DEVICE),
        (NameList::Connections, NameList::Connections.names()),
    ];
    for (list, catalogue) in catalogues {
        let named: HashSet<_> = all(list).map(|(ours, _)| ours).filter(|ours| *ours != OTHER).collect();
        assert_eq!(named, catalogue.iter().copied().collect(), "{list:?}");
        for name in catalogue {
            assert_eq!(explicit(list, name), Named::Is(name));
        }
    }
}

#[test]
fn tables_contain_no_name_twice() {
    for list in [NameList::Browsers, NameList::Systems, NameList::Devices, NameList::Connections] {
        let mut seen = HashSet::new();
        for (_, theirs) in all(list) {
            assert!(seen.insert(letters(theirs).collect::<String>()), "{list:?} has {theirs} twice");
        }
    }
}

#[track_caller]
fn check(list: NameList, expect: &str, names: &[&str]) {
    for name in names {
        let got = match explicit(list, name) {
            Named::Nothing => "-",
            Named::Unknown => "other",
            Named::Is(name) => name,
        };
        assert_eq!(got, expect, "{list:?} {name}");
    }
}

#[test]
fn system_names_of_other_parsers_are_recognised() {
    let check = |expect, names: &[&str]| check(NameList::Systems, expect, names);
    check(
        "macOS",
        &["Mac OS X", "mac os x", "OS X", "macosx", "Mac OS X 10.15.7", "macOS Sonoma", "MacIntel", "darwin"],
    );
    check(
        "Windows",
        &[
            "Windows 10",
            "windows_11",
            "Win10",
            "Win32",
            "Microsoft Windows 10 Pro",
            "Windows NT 10.0",
            "WINDOWS",
        ],
    );
    check("iOS", &["iOS", "iOS 17.5.1", "ios17", "iPhone OS", "Apple iOS"]);
    check(
        "Android",
        &[
            "Android",
            "Android 14",
            "android14",
            "Android TV",
            "Android TV 11",
            "Google TV",
            "Android (Go edition)",
        ],
    );
    check("ChromeOS", &["Chrome OS", "ChromeOS", "CrOS", "Chromium OS"]);
    check(
        "Linux",
        &["Ubuntu", "Ubuntu 22.04 LTS", "GNU/Linux", "Linux x86_64", "Linux armv8l", "Fedora Linux"],
    );
    check("webOS", &["webOS TV", "WebOS", "Web0S", "LG webOS 6.0", "webOS22"]);
    check("Fire OS", &["Fire TV", "FireOS", "Fire OS 7", "fire-os", "Amazon Fire TV"]);
    check("tvOS", &["tvOS", "tv OS 17", "Apple TV"]);
    check("Tizen", &["Tizen 5.5", "Samsung Tizen", "tizen-tv"]);
    check("PlayStation", &["PlayStation 5", "Orbis OS"]);
    check("Xbox", &["Xbox One", "XBOX OS"]);
    check(
        "other",
        &["BeOS", "Windows Phone", "Windows Phone 8.1", "Windows Mobile", "visionOS 1.0", "Symbian OS"],
    );
    check("-", &["unknown", "Unknown", "N/A", "(not set)", "??", "null", "undefined", "-"]);
}

#[test]
fn browser_names_of_other_parsers_are_recognised() {
    let check = |expect, names: &[&str]| check(NameList::Browsers, expect, names);
    check(
        "Chrome",
        &[
            "Chrome",
            "CHROME",
            "Google Chrome",
            "Chrome Mobile",
            "Mobile Chrome",
            "Chrome 147",
            "Chrome Mobile iOS",
            "Headless Chrome",
            "chrome_mobile",
            "Chrome for Android",
        ],
    );
    check("Safari", &["Safari", "Mobile Safari", "safari mobile", "Apple Safari", "Safari 17.4"]);
    check("Firefox", &["Firefox Mobile", "Mozilla Firefox", "Firefox iOS", "Mobile Firefox"]);
    check("Edge", &["Microsoft Edge", "Edge", "MS Edge", "MSEdge", "Edge Mobile"]);
    check(
        "Internet Explorer",
        &["IE", "MSIE", "Internet Explorer 11", "Microsoft Internet Explorer", "IE Mobile"],
    );
    check("Samsung Internet", &["Samsung Browser", "SamsungBrowser", "Samsung Internet 27.0"]);
    check("Silk", &["Amazon Silk", "Silk"]);
    check(
        "WebView",
        &["Android WebView", "Chrome Webview", "Mobile Safari UI/WKWebView", "WKWebView", "webview"],
    );
    check(
        "app",
        &["App", "in-app", "ExoPlayer", "ExoPlayerLib2", "AVPlayer", "Cronet", "okhttp", "Facebook"],
    );
    check("other", &["Netscape", "QQ Browser", "Huawei Browser", "MIUI Browser", "Android Browser"]);
    check("-", &["Unknown", "none", ""]);
}

#[test]
fn device_names_of_other_user_agent_parsers_are_recognised() {
    let check = |expect, names: &[&str]| check(NameList::Devices, expect, names);
    check(
        "phone",
        &[
            "mobile",
            "Mobile",
            "smartphone",
            "Smart Phone",
            "Mobile Phone",
            "feature phone",
            "phablet",
            "iPhone 15",
            "Android phone",
            "Phone",
        ],
    );
    check("tablet", &["Tablet", "tablet PC", "iPad", "iPad Pro", "Android tablet", "Pad"]);
    check("desktop", &["PC", "Desktop", "desktop computer", "Laptop", "Personal Computer", "Mac"]);
    check(
        "tv",
        &[
            "TV",
            "tv",
            "Smart TV",
            "smarttv",
            "SMART_TV",
            "smart-tv",
            "television",
            "Connected TV",
            "CTV",
            "Samsung TV",
            "LG Smart TV",
            "Apple TV 4K",
            "Chromecast Ultra",
            "Fire TV Stick 4K",
            "Roku Express",
        ],
    );
    check("stb", &["set-top box", "Set Top Box", "settop", "SetTopBox", "STB", "stb", "TV box", "Set-top"]);
    check(
        "console",
        &[
            "console",
            "Game Console",
            "Gaming Console",
            "PlayStation 5",
            "PS5",
            "Xbox Series X",
            "Nintendo Switch",
        ],
    );
    check("bot", &["Bot", "robot", "Spider"]);
    check(
        "other",
        &[
            "toaster",
            "wearable",
            "car browser",
            "VR headset",
            "smart speaker",
            "smart display",
            "portable media player",
            "SM-G991B",
        ],
    );
    check("-", &["unknown", "(not set)", "n/a"]);
}

#[test]
fn connection_names_of_players_and_platforms_are_recognised() {
    let check = |expect, names: &[&str]| check(NameList::Connections, expect, names);
    check("wifi", &["wifi", "Wi-Fi", "WIFI", "WLAN", "wireless", "Wi-Fi 6", "802.11"]);
    check("ethernet", &["Ethernet", "wired", "LAN", "Gigabit Ethernet"]);
    check("fixed", &["fixed", "Fixed line", "broadband"]);
    check("cellular", &["cellular", "Mobile", "mobile data", "WWAN"]);
    check("5g", &["5G", "cellular (5G)", "mobile 5g", "NRNSA"]);
    check("4g", &["LTE", "LTE-A", "4G LTE", "cellular/4g"]);
    check("3g", &["HSPA+", "3g", "UMTS"]);
    check("2g", &["EDGE", "slow-2g", "GPRS"]);
    check("other", &["bluetooth", "vpn", "wimax", "satellite"]);
    check("-", &["unknown", "none", ""]);
}

#[test]
fn explicit_name_beyond_the_maximum_length_is_recognised_by_its_beginning() {
    for name in ["a ".repeat(1_000), "é1".repeat(500), "windows".repeat(100), "9".repeat(200)] {
        assert_eq!(explicit(NameList::Systems, &name), Named::Unknown, "{name}");
    }
    assert_eq!(explicit(NameList::Systems, &format!("Windows {}", "é".repeat(500))), Named::Is("Windows"));
}
