use std::sync::Arc;

use crowdfold_model::Timestamp;

use super::ENOUGH;
use crate::{Airlock, SessionHasher, Settings, Shared};

/// Returns the warnings for beacons with these values of the mapped fields `startup`, `played`, `latency` and `ttfb`.
fn warnings(beacons: impl Iterator<Item = [f64; 4]>) -> Vec<String> {
    let fields = [
        ("startup_ms", "startup"),
        ("playing_ms", "played"),
        ("live_latency_ms", "latency"),
        ("ttfb_ms", "ttfb"),
    ];
    let fields = fields.map(|(name, path)| (name.to_owned(), vec!["q".to_owned(), path.to_owned()])).into();
    let settings = Settings { fields, ..Settings::default() };
    let shared = Arc::new(Shared::new(settings, SessionHasher::random()).expect("an airlock"));
    let mut airlock = Airlock::new(&shared, None);
    for [startup, played, latency, ttfb] in beacons {
        let line = format!(
            r#"{{"ts":1795308528421,"session":"s","q":{{"startup":{startup},"played":{played},"latency":{latency},"ttfb":{ttfb}}}}}"#
        );
        let _ = airlock.line_time(line.as_bytes(), &(Timestamp::EPOCH..=Timestamp::MAX));
    }
    let durations = airlock.durations();
    durations.warnings().iter().map(|(path, problem)| format!("{:?}: {path} {problem}", path.field)).collect()
}

#[test]
fn durations_in_seconds_are_reported_by_field_and_without_values() {
    let found = warnings((0..100).map(|nth| [f64::from(nth) * 0.013 + 0.3, 10.7, 12.5, 0.08]));
    assert_eq!(found.len(), 3, "{found:?}");
    for (field, warning) in [
        ("Beacon(\"playing_ms\"): \"q.played\"", &found[0]),
        ("Beacon(\"startup_ms\"): \"q.startup\"", &found[1]),
        ("Beacon(\"live_latency_ms\"): \"q.latency\"", &found[2]),
    ] {
        let expected =
            format!("{field} is read as milliseconds, but all 100 values are below 60, and some of them");
        assert!(warning.starts_with(&expected), "{warning}");
        assert!(!warning.contains("10.7") && !warning.contains("12.5"), "{warning}");
    }
}

#[test]
fn ordinary_milliseconds_are_not_reported() {
    // Whole numbers, even if they are all small.
    assert_eq!(warnings((0..100).map(|nth| [f64::from(nth % 50), 0.0, 40.0, 12.5])), Vec::<String>::new());
    // Fractions with one value that is not short.
    let playing = |nth: u32| if nth == 99 { 10_000.5 } else { 16.7 };
    assert_eq!(warnings((0..100).map(|nth| [850.5, playing(nth), 4_000.0, 12.5])), Vec::<String>::new());
    // Few fractions.
    let few = (0..ENOUGH - 1).map(|_| [12.5, 12.5, 12.5, 12.5]);
    assert_eq!(warnings(few), Vec::<String>::new());
    assert_eq!(warnings(std::iter::repeat_n([12.5; 4], ENOUGH as usize)).len(), 3);
}
