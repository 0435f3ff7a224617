use super::*;

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
fn the_shipped_regexes_are_whole() {
    assert!(extractor().is_some());
}

#[test]
fn user_agents_of_the_corpus() {
    let chrome = |system: &str, rest: &str| format!("Mozilla/5.0 ({system}) {WEBKIT} {rest}");
    check(
        &chrome("Windows NT 10.0; Win64; x64", "Chrome/147.0.0.0 Safari/537.36"),
        ["Chrome", "147", "Windows", "10", "desktop"],
    );
    check(
        &chrome("Linux; Android 10; K", "Chrome/147.0.0.0 Mobile Safari/537.36"),
        ["Chrome", "147", "Android", "10", "phone"],
    );
    check(
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15",
        ["Safari", "26", "macOS", "10", "desktop"],
    );
    check(
        &chrome("Windows NT 10.0; Win64; x64", "Chrome/147.0.0.0 Safari/537.36 Edg/147.0.0.0"),
        ["Edge", "147", "Windows", "10", "desktop"],
    );
    check(
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1",
        ["Safari", "26", "iOS", "18", "phone"],
    );
    check(
        &chrome("Web0S; Linux/SmartTV", "Chrome/120.0.6099.270 Safari/537.36 WebAppManager"),
        ["Chrome", "120", "webOS", "-", "tv"],
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
fn user_agents_of_others() {
    let chrome = |system: &str, rest: &str| format!("Mozilla/5.0 ({system}) {WEBKIT} {rest}");
    check(
        &chrome("Linux; Android 10; K", "Chrome/147.0.0.0 Safari/537.36"),
        ["Chrome", "147", "Android", "10", "tablet"],
    );
    check(
        "Mozilla/5.0 (iPad; CPU OS 17_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1 Mobile/15E148 Safari/604.1",
        ["Safari", "17", "iPadOS", "17", "tablet"],
    );
    check(
        &chrome("X11; CrOS x86_64 14541.0.0", "Chrome/147.0.0.0 Safari/537.36"),
        ["Chrome", "147", "ChromeOS", "14541", "desktop"],
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
        ["app", "-", "tvOS", "-", "tv"],
    );
    check("okhttp/4.9.3", ["app", "-", "-", "-", "-"]);
    check("who knows", ["-", "-", "-", "-", "-"]);
    check("", ["-", "-", "-", "-", "-"]);
    check(
        &chrome("Linux; Android 9; KFMUWI", "Silk/100.1 like Chrome/100.0 Safari/537.36"),
        ["Silk", "100", "Fire OS", "-", "tablet"],
    );
    check(
        &chrome("X11; Linux x86_64", "HeadlessChrome/147.0.0.0 Safari/537.36"),
        ["Chrome", "147", "Linux", "-", "bot"],
    );
}

#[test]
fn what_is_remembered_is_what_is_read() {
    let agents = UserAgents::default();
    let mut remembered = Remembered::new();
    let first = remembered.get(&agents, "okhttp/4.9.3").client;
    assert_eq!(first, agents.parse("okhttp/4.9.3"));
    assert_eq!(remembered.get(&agents, "okhttp/4.9.3").client, first);
    let long = "é".repeat(1_000);
    assert_eq!(remembered.get(&agents, &long).client, Client::default());
}

#[test]
fn what_is_remembered_with_hints_is_of_these_hints() {
    let agents = UserAgents::default();
    let mut remembered = Remembered::new();
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
    // the same bytes, otherwise divided
    assert_eq!(version(None, "\"Android\"1", "5"), (None, None));
    assert_eq!(version(None, "\"Android\"", "15"), (Some("Android"), Some(15)));
    assert_eq!(remembered.get(&agents, &windows).client.os_version, Some(10));
}
