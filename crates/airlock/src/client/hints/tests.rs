use super::*;

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
fn nothing_said_changes_nothing() {
    assert_eq!(hinted(&http("", "", "", "", ""), WINDOWS), WINDOWS);
    assert_eq!(hinted(&http("\"Not A;Brand\";v=\"9\"", "\"\"", "\"\"", "?0", "\"\""), WINDOWS), WINDOWS);
}

#[test]
fn brands_name_the_browser() {
    let brands = r#""Not=A?Brand";v="8", "Chromium";v="147", "Vivaldi";v="8""#;
    let client = hinted(&http(brands, "", "", "", ""), WINDOWS);
    assert_eq!((client.browser, client.browser_version), (Some("Vivaldi"), Some(8)));
    let client = hinted(&http(r#""Chromium";v="140""#, "", "", "", ""), Client::default());
    assert_eq!((client.browser, client.browser_version), (Some("Chromium"), Some(140)));
    let brands = r#""Microsoft Edge";v="147", "Chromium";v="147""#;
    assert_eq!(hinted(&http(brands, "", "", "", ""), WINDOWS).browser, Some("Edge"));
}

#[test]
fn platform_versions_correct_frozen_ones() {
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
fn special_systems_stay() {
    let fire = Client { os: Some("Fire OS"), os_version: None, device: Some("tv"), ..ANDROID };
    let hints = http("", "\"Android\"", "\"12\"", "?1", "\"AFTKM\"");
    assert_eq!(hinted(&hints, fire), fire);
    assert_eq!(hinted(&hints, ANDROID), fire);
}

#[test]
fn mobile_tells_phones_from_tablets() {
    let device = |client, mobile| hinted(&http("", "", "", mobile, ""), client).device;
    assert_eq!(device(ANDROID, "?0"), Some("tablet"));
    assert_eq!(device(ANDROID, "?1"), Some("phone"));
    assert_eq!(device(Client::default(), "?1"), Some("phone"));
    assert_eq!(device(Client { device: Some("tv"), ..ANDROID }, "?0"), Some("tv"));
}
