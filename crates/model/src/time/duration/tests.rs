use std::time::Duration;

use super::{UNITS, WEEK};
use crate::{DURATION_UNITS, parse_duration, show_duration, spell_duration};

#[test]
fn text_without_exactly_one_number_and_one_unit_is_not_a_duration() {
    for (text, millis) in [
        ("500ms", Some(500)),
        ("90s", Some(90_000)),
        ("1m", Some(60_000)),
        ("6h", Some(21_600_000)),
        ("30d", Some(2_592_000_000)),
        ("2w", Some(1_209_600_000)),
        ("0s", Some(0)),
        ("60", None),
        ("", None),
        ("s", None),
        ("1 m", None),
        ("-1s", None),
        ("1.5h", None),
        ("1h30m", None),
        ("99999999999999999999d", None),
        ("18446744073709551615d", None),
        ("18446744073709551615w", None),
    ] {
        assert_eq!(parse_duration(text), millis.map(Duration::from_millis), "{text}");
    }
}

#[test]
fn parsing_a_formatted_duration_returns_the_duration() {
    for millis in [0, 1, 500, 90_000, 60_000, 3_600_000, 86_400_000, 90_061_001] {
        let duration = Duration::from_millis(millis);
        assert_eq!(parse_duration(&show_duration(duration)), Some(duration), "{}", show_duration(duration));
    }
    assert_eq!(spell_duration(Duration::from_millis(90_061_001)), "1d 1h 1m 1s 1ms");
    assert_eq!(spell_duration(Duration::ZERO), "0s");
    assert_eq!(parse_duration("2w").map(show_duration).as_deref(), Some("14d"));
}

#[test]
fn units_in_error_messages_are_the_units_that_are_parsed() {
    let units: Vec<_> = DURATION_UNITS.split(", ").collect();
    assert!(units.iter().all(|unit| parse_duration(&format!("1{unit}")).is_some()));
    let parsed = UNITS.into_iter().chain([WEEK]).map(|(unit, _)| unit);
    assert!(parsed.clone().all(|unit| units.contains(&unit)) && parsed.count() == units.len());
}
