use super::*;

fn hinted(http: &Http<'_>, client: Client) -> Client {
    Hints::of(http).map_or(client, |hints| hints.correct(client))
}

fn http<'a>(
    brands: &'a str,
    platform: &'a str,
    version: &'a str,
    mobile: &'a str,
    model: &'a str,
) -> Http<'a> {
    let some = |text: &'a str| (!text.is_empty()).then(|| text.into());
    Http {
        brands: some(brands),
        platform: some(platform),
        platform_version: some(version),
        mobile: some(mobile),
        model: some(model),
        ..Http::default()
    }
}

const WINDOWS: Client = Client {
    browser: Some("Chrome"),
    browser_version: Some(147),
    os: Some("Windows"),
    os_version: Some(10),
    device: Some("desktop"),
};
const ANDROID: Client =
    Client { os: Some("Android"), os_version: Some(10), device: Some("phone"), ..WINDOWS };

#[test]
fn absent_hints_do_not_change_the_client() {
    assert_eq!(hinted(&http("", "", "", "", ""), WINDOWS), WINDOWS);
    assert_eq!(hinted(&http("\"Not A;Brand\";v=\"9\"", "\"\"", "\"\"", "?0", "\"\""), WINDOWS), WINDOWS);
}

#[test]
fn brands_determine_the_browser() {
    let brands = r#""Not=A?Brand";v="8", "Chromium";v="147", "Vivaldi";v="8""#;
    let client = hinted(&http(brands, "", "", "", ""), WINDOWS);
    assert_eq!((client.browser, client.browser_version), (Some("Vivaldi"), Some(8)));
    let client = hinted(&http(r#""Chromium";v="140""#, "", "", "", ""), Client::default());
    assert_eq!((client.browser, client.browser_version), (Some("Chromium"), Some(140)));
    let brands = r#""Microsoft Edge";v="147", "Chromium";v="147""#;
    assert_eq!(hinted(&http(brands, "", "", "", ""), WINDOWS).browser, Some("Edge"));
}

#[test]
fn platform_version_hint_replaces_the_fixed_version() {
    let version = |client, platform, version| hinted(&http("", platform, version, "", ""), client).os_version;
    assert_eq!(version(WINDOWS, "\"Windows\"", "\"15.0.0\""), Some(11));
    assert_eq!(version(WINDOWS, "", "\"13.0.0\""), Some(11));
    assert_eq!(version(WINDOWS, "\"Windows\"", "\"10.0.0\""), Some(10));
    assert_eq!(version(WINDOWS, "\"Windows\"", "\"0.3.0\""), None);
    assert_eq!(version(WINDOWS, "\"macOS\"", "\"15.6.1\""), Some(15));
    assert_eq!(version(ANDROID, "\"Android\"", "\"16\""), Some(16));
    assert_eq!(version(WINDOWS, "\"Linux\"", "\"6.1.0\""), None);
}

#[test]
fn known_system_that_is_based_on_the_platform_hint_is_kept() {
    let fire = Client { os: Some("Fire OS"), os_version: None, device: Some("tv"), ..ANDROID };
    let hints = http("", "\"Android\"", "\"12\"", "?1", "\"AFTKM\"");
    assert_eq!(hinted(&hints, fire), fire);
    assert_eq!(hinted(&hints, ANDROID), fire);
}

#[test]
fn mobile_hint_separates_phones_from_tablets() {
    let device = |client, mobile| hinted(&http("", "", "", mobile, ""), client).device;
    assert_eq!(device(ANDROID, "?0"), Some("tablet"));
    assert_eq!(device(ANDROID, "?1"), Some("phone"));
    assert_eq!(device(Client::default(), "?1"), Some("phone"));
    assert_eq!(device(Client { device: Some("tv"), ..ANDROID }, "?0"), Some("tv"));
}

/// Browsers send the hints for brands, platform and mobile devices in every request. They are called low-entropy client
/// hints.
#[test]
fn low_entropy_hints_correct_the_client() {
    let low = |brands, platform, mobile| http(brands, platform, "", mobile, "");
    let chrome = r#""Google Chrome";v="147", "Not.A/Brand";v="8", "Chromium";v="147""#;
    assert_eq!(hinted(&low(chrome, "\"Windows\"", "?0"), WINDOWS), WINDOWS);
    assert_eq!(hinted(&low(chrome, "\"Android\"", "?1"), ANDROID), ANDROID);
    let of_hints_alone = hinted(&low(chrome, "\"macOS\"", "?0"), Client::default());
    let mac = Client { os: Some("macOS"), os_version: None, ..WINDOWS };
    assert_eq!(of_hints_alone, mac);
    let edge = r#""Microsoft Edge";v="147", "Not.A/Brand";v="8", "Chromium";v="147""#;
    assert_eq!(hinted(&low(edge, "\"Windows\"", "?0"), WINDOWS), Client { browser: Some("Edge"), ..WINDOWS });
    let brave = r#""Brave";v="147", "Not.A/Brand";v="8", "Chromium";v="147""#;
    assert_eq!(hinted(&low(brave, "\"Linux\"", "?0"), WINDOWS).browser, Some("Brave"));
    // The hints correct the platform, but do not contain its version.
    assert_eq!(hinted(&low(chrome, "\"Chrome OS\"", "?0"), WINDOWS).os_version, None);
    let headless = r#""HeadlessChrome";v="147", "Chromium";v="147""#;
    assert_eq!(hinted(&low(headless, "\"Linux\"", "?0"), WINDOWS).device, Some("bot"));
}

#[test]
fn app_is_classified_as_app_in_every_web_view() {
    let app = Client { browser: Some("app"), browser_version: None, ..ANDROID };
    let brands = r#""Android WebView";v="125", "Chromium";v="125", "Not.A/Brand";v="24""#;
    assert_eq!(hinted(&http(brands, "\"Android\"", "", "?1", ""), app), app);
    assert_eq!(hinted(&http(brands, "\"Android\"", "", "?1", ""), ANDROID).browser, Some("WebView"));
}

#[test]
fn hints_beyond_the_maximum_length_are_cut() {
    let long = format!("\"Google Chrome\";v=\"147\", {}", "\"Brave\";v=\"1\", ".repeat(100));
    let http = http(&long, "", "", "", "");
    let hints = Hints::of(&http).unwrap();
    let mut key = Vec::new();
    hints.write_key(None, &mut key);
    assert!(key.len() < 300, "{}", key.len());
    assert_eq!(hints.correct(Client::default()).browser, Some("Chrome"));
}

#[test]
fn model_hint_determines_the_device_class_if_the_user_agent_has_a_fixed_model() {
    let device = |model, mobile, client| {
        hinted(&http("", "\"Android\"", "\"12\"", mobile, &format!("\"{model}\"")), client).device
    };
    assert_eq!(device("BRAVIA VH21", "?1", ANDROID), Some("tv"));
    assert_eq!(device("MEO TV Box 4K", "?0", ANDROID), Some("stb"));
    assert_eq!(device("Pixel 9", "?1", ANDROID), Some("phone"));
    assert_eq!(device("Quest 3S", "?0", ANDROID), Some(OTHER));
    let headset = Client { device: Some(OTHER), ..ANDROID };
    assert_eq!(device("", "?1", headset), Some(OTHER));
    assert_eq!(device("", "?0", headset), Some(OTHER));
}
