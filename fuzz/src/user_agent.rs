//! The target `user_agent`: user agents in the airlock. The airlock caches the results of parsing.

use std::cell::RefCell;
use std::sync::Arc;

use crowdfold_airlock::{Airlock, Record, SessionHasher, Settings, Shared};
use crowdfold_model::Dimension;
use serde_json::json;

use crate::admit::words_of;

thread_local! {
    static AIRLOCK: RefCell<Airlock> = RefCell::new(Airlock::new(
        &Arc::new(Shared::new(Settings::default(), SessionHasher::fixed(1)).unwrap()),
        None,
    ));
}

const DEVICES: [&str; 9] = ["unknown", "other", "phone", "tablet", "desktop", "tv", "console", "stb", "bot"];

/// Asserts that devices come from a closed list, that families are words, that versions are short numbers, that the name
/// of an app is one product, and that a cached result equals the first result.
pub fn check(data: &[u8]) {
    let Ok(user_agent) = std::str::from_utf8(data) else { return };
    let beacon = json!({"ts": 1, "session": "s", "user_agent": user_agent}).to_string();
    AIRLOCK.with_borrow_mut(|airlock| {
        let first = client_of(airlock, &beacon);
        assert_eq!(first, client_of(airlock, &beacon), "the cached result differs");
        airlock.sweep(std::iter::empty());
        assert_eq!(first, client_of(airlock, &beacon), "the result after a sweep differs");
    });
}

fn client_of(airlock: &mut Airlock, beacon: &str) -> Vec<String> {
    let mut words = Vec::new();
    let record = Record { payload: beacon.as_bytes(), content_type: None, timestamp: None };
    words_of(airlock, &record, &mut |dimension, word| {
        let fine = match dimension {
            Dimension::Device => DEVICES.contains(&word),
            Dimension::Os | Dimension::Browser => {
                word.chars().all(|sign| sign.is_ascii_alphabetic() || sign == ' ')
            }
            Dimension::OsVersion | Dimension::BrowserVersion => {
                word == "unknown" || word.len() <= 5 && word.bytes().all(|byte| byte.is_ascii_digit())
            }
            // The firmware of televisions and set-top boxes has its own dimension.
            Dimension::Firmware => {
                let sign = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
                word.len() <= 32 && word.bytes().all(sign)
            }
            // The name of a native app is the first product of the user agent. It follows the rule for free text.
            Dimension::App => {
                word.len() <= 64 && !word.contains(['/', '(', ';', ',']) && !word.contains("  ")
            }
            Dimension::AppVersion => {
                ["unknown", "other"].contains(&word)
                    || word.split('.').count() <= 2
                        && word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
            }
            _ => word == "unknown",
        };
        assert!(fine, "{dimension} has an unexpected value: {word}");
        words.push(word.to_owned());
    });
    assert!(!words.is_empty(), "the beacon was rejected");
    words
}

pub fn seeds() -> Vec<Vec<u8>> {
    // The first user agent compiles the regular expressions. This call does it now, so that it does not count towards
    // the time limit of an input.
    check(b"x");
    let mut seeds = crate::captured("user-agent");
    seeds.extend(
        [
            "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/147.0.0.0 Mobile Safari/537.36",
            "Roku/DVP-14.5 (14.5.0.4215-88)",
            "HbbTV/1.6.1 (+DRM+DL+PVR;Samsung;SmartTV2022;T-KTM2DEUC-1490.3;;)",
            "Mozilla/5.0 (X11; Linux armv7l) WPE Sky_STB_ST412_2018/1.0.0 (Sky, EM150UK, )",
            "Mozilla/5.0 (SMART-TV; Linux; Tizen 6.5) AppleWebKit/537.36 (KHTML, like Gecko) 85.0.4183.93/6.5 TV Safari/537.36",
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            "AppleCoreMedia/1.0.0.21K69 (Apple TV; U; CPU OS 17_0 like Mac OS X; en_us)",
            "Example/3.1 (Linux;Android 11) ExoPlayerLib/2.18.1",
            "My%20App/2.0.1 CFNetwork/1410.0.3 Darwin/22.6.0",
        ]
        .map(str::to_owned),
    );
    seeds.into_iter().map(String::into_bytes).collect()
}
