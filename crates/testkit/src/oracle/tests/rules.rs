//! Tests each rule of the oracle with a small log. The expected results were computed by hand.

use super::*;

mod summaries;

/// The start of a window, in milliseconds.
const T: Millis = 1_795_308_480_000;
const S: Millis = 1_000;

/// Returns a beacon that is sent `after` seconds after `T`, with these additional fields.
fn beacon(after: u64, more: &str) -> String {
    let comma = if more.is_empty() { "" } else { "," };
    format!(r#"{{"ts":{},"session":"a"{comma}{more}}}"#, T + after * S)
}

/// Evaluates a log in which every record contains one beacon. The timestamp of each record is the time of its beacon.
fn on_time(beacons: &[(u64, &str)]) -> Outcome {
    let payloads: Vec<_> =
        beacons.iter().map(|(after, more)| (T + after * S, beacon(*after, more))).collect();
    evaluated(&payloads.iter().map(|(at, payload)| (*at, payload.as_str())).collect::<Vec<_>>())
}

#[test]
fn beacon_with_several_errors_is_rejected_for_the_first_documented_reason() {
    let long = format!(r#"{{"session":"{}"}}"#, "x".repeat(129));
    let unknown_tenant = format!(r#"{{"session":"a","ts":{T},"tenant":"nobody"}}"#);
    for (payload, reason) in [
        ("{", "malformed"),
        ("7", "malformed"),
        (r#"{"session":"","playing_ms":long}"#, "malformed"),
        (r#"{"session":"","playing_ms":"long"}"#, "no_session"),
        (r#"{"session":"a","ts":"soon"}"#, "no_time"),
        (r#"{"ts":1}"#, "no_session"),
        (r#"{"session":null}"#, "no_session"),
        (r#"{"session":"undefined"}"#, "no_session"),
        (long.as_str(), "too_large"),
        (r#"{"session":"a","tenant":"nobody"}"#, "no_time"),
        (unknown_tenant.as_str(), "unknown_tenant"),
    ] {
        let counts = evaluated(&[(T, payload)]).ledger.beacons;
        assert_eq!(counts.rejected, BTreeMap::from([(reason, 1)]), "{payload}");
        assert_eq!(counts.read, 1);
    }
}

#[test]
fn time_far_ahead_of_its_record_is_replaced_by_the_record_time() {
    for (ahead, counted) in [(60 * S, 0), (60 * S + 1, 1), (7_200 * S, 1)] {
        let beacon = format!(r#"{{"session":"a","ts":{},"tenant":""}}"#, T + ahead);
        let outcome = evaluated(&[(T, &beacon)]);
        assert_eq!((outcome.ledger.beacons.released, outcome.ledger.beacons.clock_ahead), (1, counted));
        assert_eq!(total(&outcome, T).sessions, 1);
    }
}

#[test]
fn opt_out_takes_effect_despite_other_errors() {
    for (wrong, reason) in [
        (r#""session":"a","opt_out":1"#.to_owned(), "no_time"),
        (r#""session":"a","opt_out":"yes","ts":"never""#.to_owned(), "no_time"),
    ] {
        let wrong = format!("{{{wrong}}}");
        let beacons =
            evaluated(&[(T, &beacon(0, "")), (T + S, &wrong), (T + 2 * S, &beacon(2, ""))]).ledger.beacons;
        assert_eq!(beacons.rejected, BTreeMap::from([(reason, 1)]), "{wrong}");
        assert_eq!((beacons.opted_out, beacons.released), (2, 0), "{wrong}");
    }
}

#[test]
fn beacon_time_ten_years_from_the_record_is_replaced_by_the_record_time() {
    for far in [1, T + 4_000 * 86_400_000] {
        let far = format!(r#"{{"session":"a","event":"play","ts":{far}}}"#);
        let outcome = evaluated(&[(T, &far), (T + S, &far)]);
        assert_eq!(outcome.ledger.beacons.released, 2, "neither late nor a duplicate: {far}");
        assert_eq!(total(&outcome, T).sessions, 1);
    }
}

#[test]
fn beacons_are_read_from_consecutive_objects_and_from_fields_of_an_object() {
    let (one, two) = (beacon(1, ""), beacon(2, ""));
    let rest = format!(r#"{{"records":[{{"key":"k","value":{one}}},{{"value":{{"data":{two}}}}}]}}"#);
    for payload in [format!("{one}{two}"), format!(r#"{{"key":"k","batch":[{one},{two}]}}"#), rest] {
        let beacons = evaluated(&[(T + 2 * S, &payload)]).ledger.beacons;
        assert_eq!((beacons.read, beacons.released), (2, 2), "{payload}");
    }
}

#[test]
fn last_value_of_a_repeated_field_replaces_the_earlier_values_even_if_it_is_invalid() {
    for (last, plays) in [("700", 1), ("null", 0), ("\"x\"", 0), ("{}", 0)] {
        let fields = format!(r#""startup_ms":900,"startup_ms":{last}"#);
        let started = format!(r#"{{"session":"a","event":"attempt","ts":{T},{fields}}}"#);
        assert_eq!(total(&evaluated(&[(T, &started)]), T).sums.plays, plays, "{fields}");
    }
}

#[test]
fn several_beacons_are_read_from_an_array_or_from_lines() {
    let (one, two) = (beacon(1, ""), beacon(2, ""));
    let array = format!("[{one},{two},7]");
    let lines = format!("{one}\n\n{two}\r\nnot json\n");
    for nothing in ["", " \n ", "[]"] {
        assert_eq!(evaluated(&[(T, nothing)]).ledger.beacons.rejected, BTreeMap::from([("malformed", 1)]));
    }
    for payload in [array, lines] {
        let beacons = evaluated(&[(T + 2 * S, &payload)]).ledger.beacons;
        assert_eq!((beacons.read, beacons.released), (3, 2), "{payload}");
        assert_eq!(beacons.rejected, BTreeMap::from([("malformed", 1)]));
    }
}

#[test]
fn event_time_is_the_earlier_of_beacon_time_and_record_timestamp() {
    let outcome = evaluated(&[(T, &beacon(60, ""))]);
    assert_eq!(
        total(&outcome, T).sessions,
        1,
        "the record is in the first window, regardless of the player's clock"
    );
    let outcome = evaluated(&[(T + 70 * S, &beacon(59, ""))]);
    assert_eq!(total(&outcome, T).sessions, 1);
}

#[test]
fn window_closes_when_the_watermark_reaches_its_end() {
    let counts = |last| on_time_then_straggler(last).ledger.beacons;
    assert_eq!((counts(89).late, counts(89).released), (0, 2));
    assert_eq!((counts(90).late, counts(90).released), (1, 1));
}

/// Evaluates two records with a timestamp of `last` seconds after `T`. The second record contains a beacon of the first
/// window.
fn on_time_then_straggler(last: u64) -> Outcome {
    evaluated(&[(T + last * S, &beacon(last, "")), (T + last * S, &beacon(1, ""))])
}

#[test]
fn beacons_of_a_batch_do_not_make_each_other_late() {
    let batch = format!("[{},{}]", beacon(300, ""), beacon(1, ""));
    assert_eq!(evaluated(&[(T + 300 * S, &batch)]).ledger.beacons.late, 0);
}

#[test]
fn timestamp_of_a_rejected_record_moves_the_watermark() {
    let straggler = beacon(1, "");
    let moved = evaluated(&[(T + 90 * S, "garbage"), (T + 90 * S, &straggler)]);
    assert_eq!(moved.ledger.beacons.late, 1);
}

#[test]
fn time_of_a_beacon_in_a_file_moves_the_watermark_unless_it_is_ahead_of_the_clock() {
    let line = |payload: &str| Record { timestamp: None, payload: payload.into() };
    let settings = Settings { now: Some(T), ..settings() };
    let lines = [beacon(61, ""), beacon(60, ""), beacon(1, r#""event":"x""#)];
    let outcome = evaluate(&[lines.iter().map(|payload| line(payload)).collect()], &settings);
    assert_eq!(outcome.ledger.beacons.rejected, BTreeMap::from([("future", 1)]));
    assert_eq!((outcome.ledger.beacons.late, outcome.ledger.beacons.released), (0, 2));
}

#[test]
fn time_ahead_of_the_clock_does_not_move_the_watermark() {
    let settings = Settings { now: Some(T), ..settings() };
    let reasons = |records: &[Record]| evaluate(&[records.to_vec()], &settings).ledger.beacons;
    let far = T + 600 * S;
    let without_fields = Record { timestamp: None, payload: format!(r#"{{"ts":{far}}}"#).into() };
    let batch =
        Record { timestamp: Some(far), payload: format!("[{},{}]", beacon(0, ""), beacon(1, "")).into() };
    let straggler = Record { timestamp: None, payload: beacon(1, "").into() };
    let counts = reasons(&[without_fields, batch, straggler]);
    assert_eq!(
        counts.rejected,
        BTreeMap::from([("no_session", 1), ("future", 1)]),
        "a record ahead of the clock counts as one rejection"
    );
    assert_eq!((counts.late, counts.released), (0, 1));
}

#[test]
fn assertion_expires_once_closed_windows_end_more_than_the_idle_timeout_after_it() {
    let late_after = |last: u64| {
        let out = beacon(100, r#""opt_out":true"#);
        let straggler = beacon(110, "");
        let line = |payload: &str| Record { timestamp: None, payload: payload.into() };
        let other = format!(r#"{{"ts":{},"session":"b"}}"#, T + last * S);
        evaluate(&[vec![line(&out), line(&other), line(&straggler)]], &settings()).ledger.beacons
    };
    // While the windows up to second 180 are closed, assertions from second 90 on are live. When the windows up to
    // second 240 are closed, only assertions from second 150 on are live.
    assert_eq!((late_after(269).opted_out, late_after(269).late), (2, 0));
    assert_eq!((late_after(270).opted_out, late_after(270).late), (1, 1));
}

#[test]
fn watermark_of_one_partition_does_not_close_windows_of_another() {
    let (far, near) = (beacon(300, ""), beacon(1, ""));
    let log = [partition(&[(T + 300 * S, &far)]), partition(&[(T + S, &near)])];
    assert_eq!(evaluate(&log, &settings()).ledger.beacons.late, 0);
}

#[test]
fn repeated_beacon_is_a_duplicate_until_the_idle_timeout() {
    let again = |after: u64| {
        let one = beacon(0, r#""event":"end""#);
        let settings = Settings { lateness: 600 * S, ..settings() };
        evaluate(&[partition(&[(T, &one), (T + after * S, &one)])], &settings).ledger.beacons.duplicate
    };
    assert_eq!((again(90), again(91)), (1, 0));
    let other_event = on_time(&[(1, r#""event":"end""#), (1, r#""event":"error""#)]);
    assert_eq!(other_event.ledger.beacons.duplicate, 0);
}

#[test]
fn opted_out_has_precedence_over_late_and_late_has_precedence_over_duplicate() {
    let counts = on_time_then_straggler(90).ledger.beacons;
    assert_eq!((counts.late, counts.duplicate), (1, 0));
    let twice = beacon(1, "");
    let counts = evaluated(&[(T, &twice), (T + 90 * S, &twice), (T + 90 * S, &twice)]).ledger.beacons;
    assert_eq!(
        (counts.released, counts.duplicate, counts.late),
        (1, 1, 1),
        "the duplicate itself has moved the watermark"
    );
    let out = beacon(1, r#""opt_out":true"#);
    let counts = evaluated(&[(T + 90 * S, "x"), (T + 90 * S, &out)]).ledger.beacons;
    assert_eq!((counts.opted_out, counts.late), (1, 0));
}

#[test]
fn opt_out_removes_open_summaries_and_expires_after_the_idle_timeout() {
    let beacons = [(0, ""), (70, ""), (95, ""), (100, r#""opt_out":true"#), (190, ""), (191, "")];
    let outcome = on_time(&beacons);
    assert_eq!(
        outcome.ledger.beacons.opted_out, 4,
        "the beacons at 70 and 95 in an open window, the opt-out at 100, and the beacon at 190 before that expires"
    );
    assert_eq!(
        outcome.ledger.beacons.released, 2,
        "the beacon at 0 in a closed window, and the beacon at 191 after the opt-out has expired"
    );
}

#[test]
fn repeated_play_or_attempt_counts_once_until_the_idle_timeout() {
    let outcome = on_time(&[
        (0, r#""event":"attempt""#),
        (1, r#""event":"play","startup_ms":850"#),
        (2, r#""event":"play""#),
        (3, r#""startup_ms":7777"#),
    ]);
    let cell = total(&outcome, T);
    assert_eq!((cell.sums.attempts, cell.sums.plays, cell.startup_ms), (1, 1, vec![850]));
    // Each report renews the assertion, even if the report does not count. Therefore the reports at 0, 90 and 180 are
    // one play, and the report at 271 is another play.
    let outcome = on_time(&[0, 90, 180, 271].map(|after| (after, r#""event":"play""#)));
    let plays: u64 = [0, 60, 120, 180, 240].map(|w| total(&outcome, T + w * S).sums.plays).iter().sum();
    let attempts: u64 = [0, 60, 120, 180, 240].map(|w| total(&outcome, T + w * S).sums.attempts).iter().sum();
    assert_eq!((plays, attempts), (2, 2));
}

#[test]
fn fatal_error_after_a_play_in_a_late_beacon_is_a_playback_failure() {
    let play = beacon(1, r#""event":"play""#);
    let error = beacon(91, r#""error":"media","fatal":true"#);
    let outcome = evaluated(&[(T + 90 * S, "x"), (T + 90 * S, &play), (T + 91 * S, &error)]);
    assert_eq!(outcome.ledger.beacons.late, 1);
    assert_eq!(total(&outcome, T + 60 * S).sums.playback_failures, 1);
}

#[test]
fn fatal_error_is_a_startup_failure_before_playing_time_and_a_playback_failure_after_it() {
    let fatal = r#""error":"network","fatal":true"#;
    let sums = |beacons: &[(u64, &str)]| total(&on_time(beacons), T).sums;
    let before = sums(&[(0, r#""event":"attempt""#), (1, fatal)]);
    assert_eq!((before.startup_failures, before.playback_failures), (1, 0));
    assert_eq!(sums(&[(0, r#""event":"error""#)]).errors, BTreeMap::from([("other", 1)]));
    let after = sums(&[(0, r#""playing_ms":10000"#), (1, fatal), (2, r#""error":"odd""#)]);
    assert_eq!((after.startup_failures, after.playback_failures), (0, 1));
    assert_eq!(after.errors, BTreeMap::from([("network", 1), ("other", 1)]));
    let with = sums(&[(0, r#""error":"media","fatal":true,"playing_ms":50"#)]);
    assert_eq!((with.startup_failures, with.playback_failures), (0, 1), "50 ms are rounded up to 100 ms");
    let short = sums(&[(0, r#""error":"media","fatal":true,"playing_ms":49"#)]);
    assert_eq!(
        (short.startup_failures, short.playback_failures, short.playing_ms),
        (0, 1, 0),
        "49 ms of playing time count as a first frame"
    );
    let without = sums(&[(0, r#""error":"media","fatal":true,"playing_ms":0"#)]);
    assert_eq!((without.startup_failures, without.playback_failures), (1, 0));
}

#[test]
fn beacons_of_child_directed_tenants_and_content_are_excluded() {
    let settings = Settings {
        child_directed_tenants: vec!["blip".into()],
        child_directed_content: vec!["cartoon".into()],
        ..settings()
    };
    let tenant = beacon(0, r#""tenant":"blip""#);
    let content = beacon(1, r#""content":"cartoon","event":"play""#);
    let error = beacon(2, r#""error":"drm","fatal":true"#);
    let outcome = evaluate(&[partition(&[(T, &tenant), (T, &content), (T, &error)])], &settings);
    assert_eq!((outcome.ledger.beacons.excluded, outcome.ledger.beacons.released), (2, 1));
    assert_eq!(total(&outcome, T).sums.startup_failures, 1, "the play in the excluded beacon has no effect");
}

#[test]
fn opt_out_in_an_excluded_beacon_takes_effect() {
    let settings = Settings { child_directed_content: vec!["cartoon".into()], ..settings() };
    let before = beacon(0, "");
    let out = beacon(1, r#""content":"cartoon","event":"play","opt_out":true"#);
    let after = beacon(2, r#""event":"end""#);
    let outcome = evaluate(&[partition(&[(T, &before), (T, &out), (T, &after)])], &settings);
    let beacons = &outcome.ledger.beacons;
    assert_eq!((beacons.excluded, beacons.opted_out, beacons.released + beacons.withheld), (1, 2, 0));
}

#[test]
fn table_with_fewer_than_k_sessions_is_withheld_completely() {
    let crowd = |sessions: u64| {
        let beacons: Vec<_> = (0..sessions).map(|n| format!(r#"{{"ts":{T},"session":"s{n}"}}"#)).collect();
        let records: Vec<_> = beacons.iter().map(|payload| (T, payload.as_str())).collect();
        evaluate(&[partition(&records)], &Settings { k: 3, ..settings() })
    };
    let (small, enough) = (crowd(2), crowd(3));
    assert!(small.tables.is_empty() && !small.cells.is_empty());
    assert_eq!((small.ledger.beacons.withheld, small.ledger.windows.withheld), (2, 1));
    assert_eq!(enough.tables.values().next().unwrap()[0].cell_key, ["unknown"]);
    assert_eq!((enough.ledger.session_windows.released, enough.ledger.windows.released), (3, 1));
}
