//! Tests the rules for session summaries, rounding and percentiles.

use super::*;

#[test]
fn dimension_is_the_first_value_in_the_window_or_else_the_last_value_of_earlier_windows() {
    let cell_key = |beacons: &[(u64, &str)], window: u64| {
        let outcome = on_time(beacons);
        let key = TableKey { start: T + window * S, tenant: "acme".into(), breakdown: 0 };
        outcome.cells[&key].keys().next().unwrap()[0].clone()
    };
    let (one, two) = (r#""cdn":"one""#, r#""cdn":"two""#);
    assert_eq!(cell_key(&[(0, ""), (1, one), (2, two)], 0), "one");
    assert_eq!(cell_key(&[(0, one), (1, two), (61, "")], 60), "two");
    assert_eq!(
        cell_key(&[(0, one), (61, ""), (62, two)], 60),
        "two",
        "a value of the window takes precedence"
    );
    assert_eq!(cell_key(&[(0, one), (90, "")], 60), "one");
    assert_eq!(cell_key(&[(0, one), (91, "")], 60), "unknown");
}

#[test]
fn amounts_of_a_session_summary_are_clamped() {
    let many = r#""playing_ms":100000,"stalled_ms":100000,"stalls":40,"switches":70,"dropped_frames":5000"#;
    let sums = total(&on_time(&[(0, many), (1, many)]), T).sums;
    assert_eq!(
        (sums.playing_ms, sums.stalled_ms),
        (150_000, 0),
        "the limit is the sum of the window and the idle timeout, and stalled time is reduced first"
    );
    assert_eq!((sums.stalls, sums.switches, sums.dropped_frames, sums.beacons), (60, 60, 7200, 2));
    let sums = total(&on_time(&[(0, r#""playing_ms":100000,"stalled_ms":100000"#)]), T).sums;
    assert_eq!((sums.playing_ms, sums.stalled_ms), (100_000, 50_000));
    let tries = [r#""event":"attempt""#, r#""event":"play""#, r#""error":"drm","fatal":true"#];
    let all: Vec<_> = (0..60).map(|after| (after, tries[after as usize % 3])).collect();
    let sums = total(&on_time(&all), T).sums;
    assert_eq!((sums.attempts, sums.plays, sums.playback_failures, sums.errors["drm"]), (10, 10, 10, 1));
}

#[test]
fn rate_of_a_session_is_its_mean_weighted_by_playing_time() {
    let rate = |beacons: &[(u64, &str)]| total(&on_time(beacons), T).bitrate_kbps;
    let weighted = [
        (0, r#""bitrate_kbps":1000,"playing_ms":1000"#),
        (1, r#""bitrate_kbps":4000,"playing_ms":9000"#),
        (2, r#""playing_ms":60000"#),
    ];
    assert_eq!(rate(&weighted), [3700]);
    assert_eq!(
        rate(&[(0, r#""bitrate_kbps":1000"#), (1, r#""bitrate_kbps":1100"#)]),
        [1100],
        "1050 is rounded up"
    );
    assert_eq!(rate(&[(0, r#""bitrate_kbps":3249"#)]), [3200]);
    assert_eq!(rate(&[(0, "")]), [0; 0]);
}

#[test]
fn numbers_are_rounded_once_to_two_digits() {
    for (value, expected) in [
        (0, 0),
        (7, 7),
        (99, 99),
        (104, 100),
        (105, 110),
        (994, 990),
        (995, 1000),
        (9949, 9900),
        (12_500, 13_000),
    ] {
        assert_eq!(two_digits(value), expected, "{value}");
    }
    assert_eq!(super::numbers::two_digits_of(15, 2), 8, "the fraction is rounded once, not twice");
    assert_eq!(super::numbers::two_digits_of(2089, 20), 100, "104.45 is not rounded to 104.5 first");
    assert_eq!(super::numbers::two_digits_of(2099, 20), 100, "104.95 is not rounded to 105 first");
    assert_eq!([49, 50, 149, 150].map(super::numbers::to_100_ms), [0, 100, 100, 200]);
}

#[test]
fn percentile_requires_ten_values_at_or_below_it_and_ten_at_or_above_it() {
    let values: Vec<u64> = (1..=100).collect();
    assert_eq!(percentile(&values, 50, 10), Some(50));
    assert_eq!(percentile(&values, 90, 10), Some(90));
    assert_eq!(percentile(&values, 95, 10), None, "only six values are at or above it");
    assert_eq!(percentile(&[5; 10], 99, 10), Some(5));
    assert_eq!(percentile(&[5; 9], 50, 10), None);
    assert_eq!(percentile(&[], 50, 10), None);
}
