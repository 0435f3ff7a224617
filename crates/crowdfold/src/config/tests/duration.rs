use super::*;

#[test]
fn durations_are_a_number_and_a_unit() {
    for (text, millis) in [
        ("500ms", Some(500)),
        ("90s", Some(90_000)),
        ("1m", Some(60_000)),
        ("6h", Some(21_600_000)),
        ("30d", Some(2_592_000_000)),
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
    ] {
        assert_eq!(parse_duration(text), millis, "{text}");
    }
}

#[test]
fn what_is_shown_reads_back() {
    for millis in [0, 1, 500, 90_000, 60_000, 3_600_000, 86_400_000, 90_061_001] {
        assert_eq!(parse_duration(&show_duration(millis)), Some(millis), "{}", show_duration(millis));
    }
    assert_eq!(spell_duration(90_061_001), "1d 1h 1m 1s 1ms");
    assert_eq!(spell_duration(0), "0s");
}
