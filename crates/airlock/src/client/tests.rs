use super::*;

mod models;

#[track_caller]
fn check(user_agent: &str, expect: [&str; 5]) {
    static AGENTS: OnceLock<UserAgents> = OnceLock::new();
    let client = AGENTS.get_or_init(UserAgents::default).parse(user_agent);
    let name =
        |name: Option<&str>| name.map_or("-", |name| if name == OTHER { "other" } else { name }).to_owned();
    let version = |version: Option<u16>| version.map_or("-".to_owned(), |version| version.to_string());
    let got = [
        name(client.browser),
        version(client.browser_version),
        name(client.os),
        version(client.os_version),
        name(client.device),
    ];
    assert_eq!(got, expect, "{user_agent}");
}

const WEBKIT: &str = "AppleWebKit/537.36 (KHTML, like Gecko)";

#[test]
fn embedded_regexes_are_valid() {
    assert!(extractor().is_some());
}

#[test]
fn user_agents_of_the_corpus_are_recognised() {
    let chrome = |system: &str, rest: &str| format!("Mozilla/5.0 ({system}) {WEBKIT} {rest}");
    check(
        &chrome("Windows NT 10.0; Win64; x64", "Chrome/147.0.0.0 Safari/537.36"),
        ["Chrome", "147", "Windows", "-", "desktop"],
    );
    check(
        &chrome("Linux; Android 10; K", "Chrome/147.0.0.0 Mobile Safari/537.36"),
        ["Chrome", "147", "Android", "-", "phone"],
    );
    check(
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15",
        ["Safari", "26", "macOS", "-", "desktop"],
    );
    check(
        &chrome("Windows NT 10.0; Win64; x64", "Chrome/147.0.0.0 Safari/537.36 Edg/147.0.0.0"),
        ["Edge", "147", "Windows", "-", "desktop"],
    );
    check(
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1",
        ["Safari", "26", "iOS", "-", "phone"],
    );
    check(
        &chrome("Web0S; Linux/SmartTV", "Chrome/120.0.6099.270 Safari/537.36 WebAppManager"),
        ["Chrome", "120", "webOS", "25", "tv"],
    );
    check(
        "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
        ["Firefox", "145", "Linux", "-", "desktop"],
    );
    check("Roku/DVP-14.5 (14.5.0.4215-88)", ["app", "-", "Roku", "14", "tv"]);
    check(
        &chrome("SMART-TV; LINUX; Tizen 8.0", "108.0.5359.1/8.0 TV Safari/537.36"),
        ["other", "-", "Tizen", "8", "tv"],
    );
    check(
        &chrome(
            "Linux; Android 12; AFTKM Build/PS7646.4040N; wv",
            "Version/4.0 Chrome/138.0.0.0 Mobile Safari/537.36",
        ),
        ["WebView", "138", "Fire OS", "-", "tv"],
    );
}

#[test]
fn user_agents_outside_the_corpus_are_recognised() {
    let chrome = |system: &str, rest: &str| format!("Mozilla/5.0 ({system}) {WEBKIT} {rest}");
    check(
        &chrome("Linux; Android 10; K", "Chrome/147.0.0.0 Safari/537.36"),
        ["Chrome", "147", "Android", "-", "tablet"],
    );
    check(
        "Mozilla/5.0 (iPad; CPU OS 17_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1 Mobile/15E148 Safari/604.1",
        ["Safari", "17", "iPadOS", "17", "tablet"],
    );
    check(
        &chrome("X11; CrOS x86_64 14541.0.0", "Chrome/147.0.0.0 Safari/537.36"),
        ["Chrome", "147", "ChromeOS", "-", "desktop"],
    );
    check(
        &chrome("PlayStation; PlayStation 5/8.20", "Version/17.0 Safari/605.1.15"),
        ["other", "-", "PlayStation", "-", "console"],
    );
    check(
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        ["other", "-", "-", "-", "bot"],
    );
    check(
        "AppleCoreMedia/1.0.0.21K79 (Apple TV; U; CPU OS 17_1 like Mac OS X; en_us)",
        ["app", "-", "tvOS", "17", "tv"],
    );
    check("okhttp/4.9.3", ["app", "-", "-", "-", "-"]);
    check("who knows", ["-", "-", "-", "-", "-"]);
    check("", ["-", "-", "-", "-", "-"]);
    check(
        &chrome("Linux; Android 9; KFMUWI", "Silk/100.1 like Chrome/100.0 Safari/537.36"),
        ["Silk", "100", "Fire OS", "7", "tablet"],
    );
    // The model of this box of a network operator ends in `KFN`, which resembles the model of an Amazon tablet.
    check(
        &chrome("Linux; Android 9; DV8555-KFN Build/PTT1.190826.001", "Chrome/100.0.0.0 Safari/537.36"),
        ["Chrome", "100", "Android", "9", "stb"],
    );
    check(
        &chrome("X11; Linux x86_64", "HeadlessChrome/147.0.0.0 Safari/537.36"),
        ["Chrome", "147", "Linux", "-", "bot"],
    );
}

#[test]
fn cached_client_equals_the_parsed_client() {
    let agents = UserAgents::default();
    let mut remembered = ClientCache::new();
    let first = remembered.get(&agents, "okhttp/4.9.3").client;
    assert_eq!(first, agents.parse("okhttp/4.9.3"));
    assert_eq!(remembered.get(&agents, "okhttp/4.9.3").client, first);
    let long = "é".repeat(1_000);
    assert_eq!(remembered.get(&agents, &long).client, Client::default());
}

#[test]
fn cached_client_is_separate_for_each_combination_of_hints() {
    let agents = UserAgents::default();
    let mut remembered = ClientCache::new();
    let windows =
        format!("Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/147.0.0.0 Safari/537.36");
    let mut version = |user_agent: Option<&str>, platform: &'static str, version: &'static str| {
        let http = crowdfold_beacon::Http {
            platform: Some(platform.into()),
            platform_version: Some(version.into()),
            ..Default::default()
        };
        let hints = Hints::of(&http).unwrap();
        let first = remembered.hinted(&agents, user_agent, &hints).client;
        assert_eq!(remembered.hinted(&agents, user_agent, &hints).client, first);
        (first.os, first.os_version)
    };
    assert_eq!(version(Some(&windows), "\"Windows\"", "\"15.0.0\""), (Some("Windows"), Some(11)));
    assert_eq!(version(Some(&windows), "\"Windows\"", "\"10.0.0\""), (Some("Windows"), Some(10)));
    assert_eq!(version(None, "\"Windows\"", "\"15.0.0\""), (Some("Windows"), Some(11)));
    // These two fields have the same bytes, but the bytes are divided differently.
    assert_eq!(version(None, "\"Android\"1", "5"), (None, None));
    assert_eq!(version(None, "\"Android\"", "15"), (Some("Android"), Some(15)));
    assert_eq!(remembered.get(&agents, &windows).client.os_version, None);
}

#[test]
fn patterns_compile() {
    let all =
        [&device::PATTERNS[..], &television::PATTERNS[..], &system::PATTERNS[..], &players::PATTERNS[..]];
    for pattern in all.into_iter().flatten() {
        assert!(pattern.compiles());
    }
}

/// Returns the user agent of a web view in an Android app on a device of this model.
fn view(model: &str) -> String {
    format!(
        "Mozilla/5.0 (Linux; Android 11; {model}; wv) {WEBKIT} Version/4.0 Chrome/119.0.6045.66 Mobile Safari/537.36"
    )
}

#[test]
fn televisions_and_boxes_with_user_agents_like_phones_are_recognised() {
    for model in [
        "JVC UHD TV Build/RTM3.211215.232",
        "HiSmartTV A4 Build/PPR1",
        "PHILIPS UHD TV 9632 Build/STT2",
        "32LES902T2SM Build/RP1A.200720.011",
        "SW-LED50UG400 Build/XYZ",
        "K43DLJ10US",
        "BeyondTV2",
        "Nameless Build/RTT2.220929.001",
        "X96Max_Plus2",
        "BRAVIA VH21",
    ] {
        check(&view(model), ["WebView", "119", "Android", "11", "tv"]);
    }
    for model in
        ["MEO TV Box 4K Build/QTG1", "Dynalink TV Box", "Freebox Player POP Build/SUT1", "STB-4K", "B-STREAM"]
    {
        check(&view(model), ["WebView", "119", "Android", "11", "stb"]);
    }
}

#[test]
fn phone_or_tablet_is_not_classified_as_television() {
    for model in [
        "SM-G991B Build/TP1A.220624.014",
        "moto g24 Build/UTAS34.82-21-2",
        "CUBOT X20 PRO",
        "Pixel 7",
        "2201116SG",
        "STV100-1",
        "myA8 DTV",
    ] {
        check(&view(model), ["WebView", "119", "Android", "11", "phone"]);
    }
    check(&view("Lenovo TB-X306F Build/QP1A"), ["WebView", "119", "Android", "11", "tablet"]);
    // The phone runs the app of a television station, or Google's app for televisions.
    check(
        "Google TV/4.39.2 (Linux; Android 13; SM-A536B) ExoPlayerLib/2.18.1",
        ["app", "-", "Android", "13", "phone"],
    );
}

#[test]
fn box_of_an_operator_with_a_desktop_user_agent_is_classified_as_stb() {
    let webkit = "AppleWebKit/605.1.15 (KHTML, like Gecko)";
    check(
        &format!(
            "Mozilla/5.0 (X11; Linux armv7l) {webkit} Version/12.0 Safari/605.1.15 WPE DT_STB_BCM7268_2019/3.14.7 (DT, MR401, Wired)"
        ),
        ["other", "-", "Linux", "-", "stb"],
    );
    check(
        &format!(
            "Mozilla/5.0 (X11; Linux armv7l) {WEBKIT} QtWebEngine/5.6.0 Chrome/45.0.2454.101 Safari/537.36 MR-Device/1.0.0 (Sky, EM150, )"
        ),
        ["Chrome", "45", "Linux", "-", "stb"],
    );
    check(
        &format!(
            "Mozilla/5.0 (Linux; x86_64 GNU/Linux) {webkit} Version/16.0 Safari/605.1.15 WPE XUMO_TV_AMLT962X3_2021/1.0 (XUMO, Element, Wireless)"
        ),
        ["other", "-", "Linux", "-", "tv"],
    );
    check(
        &format!(
            "Mozilla/5.0 (Linux ) {WEBKIT} Chrome/108.0.5359.128 Safari/537.36 OPR/46.0.2207.0 OMI/4.23.2.96 Model/Vestel-MB180 TiVoOS/1.0.0 (Vestel MB180 HITACHI) SmartTvA/3.0.0"
        ),
        ["Opera", "46", "Linux", "-", "tv"],
    );
    check(
        "Mozilla/5.0 (Linux; U; TiVo 20.7.4) AppleWebKit/538.1 (KHTML, like Gecko) TiVo, Inc.",
        ["other", "-", "Linux", "-", "stb"],
    );
    check(
        &format!("Mozilla/5.0 (X11; Linux x86_64) {WEBKIT} Chrome/147.0.0.0 Safari/537.36"),
        ["Chrome", "147", "Linux", "-", "desktop"],
    );
    check(
        "Mozilla/5.0 (X11; Linux aarch64; rv:131.0) Gecko/20100101 Firefox/131.0",
        ["Firefox", "131", "Linux", "-", "desktop"],
    );
}

#[test]
fn ios_browser_that_requests_the_desktop_page_is_classified_as_ipad() {
    let page = |product: &str| {
        format!(
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) {product} Version/17.0 Safari/605.1.15"
        )
    };
    check(&page("CriOS/126"), ["Chrome", "126", "iPadOS", "-", "tablet"]);
    check(&page("EdgiOS/125"), ["Edge", "125", "iPadOS", "-", "tablet"]);
    check(&page("FxiOS/127.0"), ["Firefox", "127", "iPadOS", "-", "tablet"]);
    check(&page("GSA/306.0.614704440"), ["app", "-", "iPadOS", "-", "tablet"]);
}

#[test]
fn fixed_system_version_is_classified_as_unknown() {
    let safari = |system: &str, version: &str| {
        format!(
            "Mozilla/5.0 (iPhone; CPU iPhone OS {system} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/{version} Mobile/15E148 Safari/604.1"
        )
    };
    check(&safari("18_6", "26.0"), ["Safari", "26", "iOS", "-", "phone"]);
    check(&safari("18_7", "26.1"), ["Safari", "26", "iOS", "-", "phone"]);
    check(&safari("18_6", "18.6"), ["Safari", "18", "iOS", "18", "phone"]);
    check(
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:131.0) Gecko/20100101 Firefox/131.0",
        ["Firefox", "131", "macOS", "-", "desktop"],
    );
    check(
        &format!(
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_14_6) {WEBKIT} Chrome/80.0.3987.132 Safari/537.36"
        ),
        ["Chrome", "80", "macOS", "10", "desktop"],
    );
    check(
        &format!("Mozilla/5.0 (Windows NT 6.1; Win64; x64) {WEBKIT} Chrome/109.0.0.0 Safari/537.36"),
        ["Chrome", "109", "Windows", "7", "desktop"],
    );
    check(
        &format!(
            "Mozilla/5.0 (Linux; Android 10; SM-G960F) {WEBKIT} Chrome/100.0.4896.127 Mobile Safari/537.36"
        ),
        ["Chrome", "100", "Android", "10", "phone"],
    );
}

#[test]
fn browser_of_a_native_player_is_classified_as_app() {
    check(
        "Linux; U; Android 11; en_GB; Box R 4K; Build/RTT0.211009.001; Cronet/114.0.5735.33",
        ["app", "-", "Android", "11", "stb"],
    );
    check("AVPlayer/1.0 (iPhone; iOS 17.4)", ["app", "-", "iOS", "17", "phone"]);
    check("Catchup/5.1 (Linux;Android 14) AndroidXMedia3/1.3.1", ["app", "-", "Android", "14", "-"]);
}

#[test]
fn app_is_recognised_by_its_package_name() {
    check(
        "com.google.android.youtube/19.09.36 (Linux; U; Android 14; en_US; Pixel 8 Pro Build/UD1A.231105.004) gzip",
        ["app", "-", "Android", "14", "phone"],
    );
    check(
        "com.netflix.mediaclient/62158 (Linux; U; Android 13; en; SM-G991B; Build/TP1A.220624.014)",
        ["app", "-", "Android", "13", "phone"],
    );
    for package in [
        "com.netflix.ninja/1",
        "tv.pluto/5.3",
        "de.zdf.mediathek (x)",
        "com.9gag.tv",
        "air.com.acme.player;1",
    ] {
        check(package, ["app", "-", "-", "-", "-"]);
    }
    for other in
        ["www.example.com/1.0", "example.com", "1.2.3", "hls.js/1.5", "com", "com./1", "acme.player/1"]
    {
        let client = UserAgents::default().parse(other);
        assert_ne!(client.browser, Some(APP), "{other}");
    }
}

#[test]
fn headsets_are_classified_as_device_other() {
    check(
        &format!(
            "Mozilla/5.0 (X11; Linux x86_64; Quest 3S) {WEBKIT} OculusBrowser/40.0.0.6.51 Chrome/132.0.6834.83 VR Safari/537.36"
        ),
        ["other", "-", "Android", "-", "other"],
    );
    check(
        "AppleCoreMedia/1.0.0.21N301 (Apple Vision; U; CPU OS 1_0 like Mac OS X; en_us)",
        ["app", "-", "other", "-", "other"],
    );
}

#[test]
fn app_is_read_from_the_start_of_a_native_user_agent() {
    for (user_agent, expect) in [
        ("Example/3.1.4 (Linux;Android 11) ExoPlayerLib/2.18.1", Some(("Example", Some("3.1.4")))),
        ("Example%20TV/512 CFNetwork/1410.0.3 Darwin/22.6.0", Some(("Example TV", Some("512")))),
        ("com.example.tv/v2.0 (Linux; Android 12) Media3/1.4", Some(("com.example.tv", Some("2.0")))),
        ("Example (Android 9)", Some(("Example", None))),
        ("AppleCoreMedia/1.0.0.21A329 (iPhone; U; CPU OS 17_0 like Mac OS X; en_us)", None),
        ("Dalvik/2.1.0 (Linux; U; Android 9; AFTS)", None),
        ("okhttp/4.12.0", None),
        ("Roku4640X/DVP-7.70 (297.70E04154A)", None),
        ("VIZIO V585x-H1 ViziOS/1.0.67.124", None),
        ("Linux UPnP/1.0 Sonos/79.0-52294 (ZPS16)", None),
    ] {
        let app = players::app(user_agent);
        let app = app.as_ref().map(|(name, version)| (name.as_str(), *version));
        assert_eq!(app, expect, "{user_agent}");
    }
}
