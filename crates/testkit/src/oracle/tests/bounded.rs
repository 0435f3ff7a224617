//! Tests clamps, the noise budget and the fields of rows. The expected results were computed by hand.

use serde_json::{Value, json};

use super::*;

const T: Millis = 1_795_308_480_000;

/// Returns the amounts that a session adds to tables other than the detail table. The session has one beacon with these
/// fields. An amount of 0 is omitted.
fn adds(window: Millis, fields: &str) -> BTreeMap<&'static str, u64> {
    let payload = format!(r#"{{"ts":{T},"session":"a",{fields}}}"#);
    let settings = Settings { window, ..settings() };
    let outcome = evaluate(&[partition(&[(T, &payload)])], &settings);
    let mut adds = total(&outcome, T / window * window).bounded;
    assert_eq!(adds.len(), 18, "every field is present");
    adds.retain(|_, value| *value > 0);
    adds
}

#[test]
fn value_above_its_clamp_is_reduced_to_the_clamp() {
    let playing = adds(60_000, r#""playing_ms":90000,"event":"play","startup_ms":99000"#);
    assert_eq!(
        playing,
        BTreeMap::from([("attempts", 1), ("plays", 1), ("startup_ms", 10_000), ("playing_ms", 60_000)]),
        "four fields at their clamps use the whole budget"
    );
    assert_eq!(
        adds(60_000, r#""stalls":9,"stalled_ms":60000"#),
        [("stalls", 3), ("stalled_ms", 15_000)].into()
    );
    assert_eq!(adds(60_000, r#""bandwidth_kbps":99000"#), [("bandwidth_kbps", 30_000)].into());
}

#[test]
fn field_that_exceeds_the_rest_of_the_budget_adds_nothing_but_a_later_field_may_fit() {
    // Attempt, play and error use 1 each of the budget of 4, and dropped frames use (40/60)². Switches would need
    // (3/3)², which exceeds the rest.
    let fields = r#""event":"play","error":"drm","dropped_frames":40,"switches":3,"playing_ms":30000"#;
    let expected =
        [("attempts", 1), ("plays", 1), ("errors.drm", 1), ("dropped_frames", 40), ("playing_ms", 30_000)];
    assert_eq!(adds(60_000, fields), expected.into());
}

#[test]
fn values_that_use_exactly_the_noise_budget_are_all_added() {
    // The sum is exactly the budget: 1 + 1 + 1 + (36/60)² + (8000/10000)² = 4.
    let fields = r#""event":"play","error":"drm","dropped_frames":36,"bitrate_kbps":8000"#;
    assert_eq!(adds(60_000, fields)["bitrate_kbps"], 8_000);
    let fields = r#""event":"play","error":"drm","dropped_frames":36,"bitrate_kbps":8100"#;
    assert!(!adds(60_000, fields).contains_key("bitrate_kbps"));
}

#[test]
fn clamps_of_amounts_that_grow_with_time_are_proportional_to_the_window() {
    assert_eq!((clamp_of("stalls", 10_000), clamp_of("stalls", 61_000)), (1, 4));
    assert_eq!((clamp_of("switches", 300_000), clamp_of("switches", 1)), (15, 1));
    assert_eq!((clamp_of("stalled_ms", 10_000), clamp_of("dropped_frames", 10_001)), (2_500, 11));
    assert_eq!((clamp_of("playing_ms", 300_000), clamp_of("startup_ms", 300_000)), (300_000, 10_000));
    assert_eq!(
        adds(10_000, r#""playing_ms":30000,"stalls":9"#),
        [("attempts", 1), ("plays", 1), ("stalls", 1), ("playing_ms", 10_000)].into()
    );
}

#[test]
fn possible_sizes_of_a_small_group_follow_from_its_star_row() {
    // A row with `*` has 61 sessions. It consists of the small group and one row of 50 to 60 sessions. So the group had
    // 1 to 11 sessions.
    assert_eq!(possible_rests(61, 1, 60, 50), 11);
    // The two rows have 100 to 120 of the 149 sessions, so the group had 29 to 49 sessions.
    assert_eq!(possible_rests(149, 2, 60, 50), 21);
    assert_eq!(possible_rests(51, 1, 50, 50), 1);
    // The group has at most k − 1 sessions, even if the difference is larger.
    assert_eq!(possible_rests(300, 1, 400, 50), 49);
}

/// Returns the rows of three sessions in two tables. One session has a DRM error.
fn rows(settings: Settings) -> Vec<Value> {
    let beacon = |session: &str, more: &str| {
        format!(r#"{{"ts":{T},"session":"{session}","cdn":"x","os":"y","playing_ms":5000{more}}}"#)
    };
    let payloads = [beacon("a", ""), beacon("b", r#","error":"drm""#), beacon("c", r#","bitrate_kbps":700"#)];
    let records: Vec<_> = payloads.iter().map(|payload| (T, payload.as_str())).collect();
    evaluate(&[partition(&records)], &settings).rollups(&settings)
}

fn two_tables() -> Settings {
    Settings { k: 3, breakdowns: vec![vec!["os".into()], vec!["cdn".into()]], ..settings() }
}

#[test]
fn without_a_secret_tables_other_than_the_detail_table_contain_only_session_counts() {
    let rows = rows(two_tables());
    let policy = json!({"name": "threshold", "k": 3, "margin": 1, "noise": 8});
    assert_eq!(rows.iter().map(|row| &row["policy"]).collect::<Vec<_>>(), [&policy, &policy]);
    let [counts, detail] = &rows[..] else { panic!("{rows:?}") };
    assert_eq!((&counts["detail"], &counts["sessions"]), (&json!(false), &json!(3)));
    for field in ["beacons", "plays", "playing_ms", "errors", "startup_ms", "bitrate_kbps"] {
        assert_eq!(counts.get(field), Some(&Value::Null), "{field}");
    }
    assert_eq!((&detail["detail"], &detail["playing_ms"]), (&json!(true), &json!(15_000)));
    assert_eq!(detail["errors"], json!({"drm": 1}));
}

#[test]
fn with_a_secret_tables_other_than_the_detail_table_contain_every_field_as_a_clamped_sum() {
    let rows = rows(Settings { secret: true, ..two_tables() });
    let noisy = &rows[0];
    assert_eq!((&noisy["beacons"], &noisy["playing_ms"]), (&Value::Null, &json!(15_000)));
    let errors = json!({"network": 0, "manifest": 0, "media": 0, "drm": 1, "timeout": 0, "other": 0});
    assert_eq!(noisy["errors"], errors);
    assert_eq!((&noisy["bitrate_kbps"], &noisy["startup_ms"]), (&json!({"sum": 700}), &json!({"sum": 0})));
}

#[test]
fn each_tenant_may_configure_its_own_detail_table() {
    let details =
        |settings| -> Vec<bool> { rows(settings).iter().map(|row| row["detail"] == true).collect() };
    assert_eq!(details(Settings { detail: Detail::Index(0), ..two_tables() }), [true, false]);
    assert_eq!(details(Settings { detail: Detail::None, ..two_tables() }), [false, false]);
    let own =
        TenantRules { k: 2, breakdowns: vec![vec!["os".into()]], detail: Detail::Last, margin: Some(0) };
    let settings = Settings { own: [("acme".into(), own)].into(), detail: Detail::None, ..two_tables() };
    let rows = rows(settings);
    assert_eq!((rows.len(), &rows[0]["detail"]), (1, &json!(true)));
    assert_eq!(rows[0]["policy"], json!({"name": "threshold", "k": 2, "margin": 0, "noise": 8}));
}
