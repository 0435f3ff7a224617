//! Tests with rows that have noise, and with rows that contain only session counts.

use serde_json::{Value, json};

use super::ask;
use crate::Answer;
use crate::testing::{assert_is_fixture, counts_only, noisy, table};

/// Returns two windows of a table that is not the detail table. The sum of startup failures over the windows is below
/// 0. The stalled time of one row is below 0.
fn two_windows() -> Vec<Vec<Value>> {
    let window = |minute, failures: [i64; 2]| {
        let mut records = noisy(table(minute, "os", &[("*", 60), ("Windows", 900)]));
        for (row, failures) in records.iter_mut().zip(failures) {
            row["startup_failures"] = failures.into();
            row["attempts"] = 500.into();
            row["plays"] = 460.into();
        }
        records[0]["stalled_ms"] = (-90_000).into();
        records
    };
    vec![window(90, [-12, 4]), window(91, [7, 9])]
}

fn json(answer: &Answer) -> Vec<Value> {
    answer.json().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn number_below_zero_is_marked_in_the_text_table_and_explained_by_a_note() {
    let answer = ask("--breakdown os", &two_windows());
    assert_is_fixture(&answer.table(120), "noisy.txt");
    let note = "some sums are below 0 because their noise is larger than the value (marked ? in a table, listed in \
                below_zero in JSON); read them as close to 0, or query a longer time or larger groups";
    assert!(answer.notes().iter().any(|line| line == note), "{:#?}", answer.notes());
    let lines = json(&answer);
    assert_eq!(lines[0]["below_zero"], json!([]));
    assert_eq!(lines[1]["below_zero"], json!(["startup_failures", "stalled_ms"]));
    assert_eq!((&lines[1]["startup_failures"], &lines[1]["vsf"]), (&json!(-5), &json!(null)));
    let range = "some ratios are left empty because they would be below 0 or above 100 %: their sums carry noise, or \
                 attempts or plays began outside the queried period or group; query a longer time or larger groups";
    assert!(answer.notes().iter().any(|line| line == range), "{:#?}", answer.notes());
    assert!(answer.csv().lines().nth(2).unwrap().contains(",1000,920,-5,2,"), "{}", answer.csv());
}

#[test]
fn text_table_and_csv_contain_standard_errors_only_if_requested() {
    let answer = ask("--breakdown os", &two_windows()).with_errors(true);
    assert_is_fixture(&answer.table(160), "errors.txt");
    let csv = answer.csv();
    let (names, first) = (csv.lines().next().unwrap(), csv.lines().nth(1).unwrap());
    let fields: std::collections::HashMap<&str, &str> = names.split(',').zip(first.split(',')).collect();
    assert_eq!(names.split(',').count(), first.split(',').count());
    // The expected errors are noise · clamp · √2, because two windows are added: 8 · 1 · √2 and 8 · 15,000 · √2.
    assert_eq!((fields["plays_error"], fields["stalled_ms_error"]), ("11.3", "169705.6"));
    assert_eq!((fields["errors_drm_error"], fields["session_windows_error"]), ("11.3", "0.0"));
    assert!(!ask("--breakdown os", &two_windows()).csv().contains("_error,"));
}

#[test]
fn json_always_contains_standard_errors() {
    let line = json(&ask("--breakdown os", &two_windows())).swap_remove(0);
    let root = 2_f64.sqrt();
    let error = |at: &str| line.pointer(&format!("/standard_error{at}")).and_then(Value::as_f64).unwrap();
    let about = |at: &str, expect: f64| assert!((error(at) - expect).abs() <= 0.051, "{at}: {}", error(at));
    about("/sessions", 0.0);
    about("/attempts", 8.0 * root);
    about("/dropped_frames", 8.0 * 60.0 * root);
    about("/playing_ms", 8.0 * 60_000.0 * root);
    about("/minutes_watched", 8.0 * root);
    about("/errors/other", 8.0 * root);
    about("/startup_ms/sum", 8.0 * 10_000.0 * root);
    about("/bandwidth_kbps/mean", 8.0 * 30_000.0 * root / 1_800.0);
    // The expected error of `vsf` is √(σ² + R² σ²) / 1,000, with R = 13 / 1,000.
    let vsf = 8.0 * root * (1.0 + 0.013_f64.powi(2)).sqrt() / 1_000.0;
    assert!((error("/vsf") - vsf).abs() < 1e-6);
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    for name in names(&line["standard_error"]) {
        assert!(line.get(&name).is_some() || name == "sessions", "{name}");
    }
}

#[test]
fn ratio_whose_denominator_is_mostly_noise_is_left_empty() {
    let mut records = two_windows();
    for row in records.iter_mut().flatten() {
        // The denominator 56 is below the minimum, which is 5 · 8 · √2 = 56.6.
        row["attempts"] = 28.into();
        row["plays"] = 29.into();
    }
    let answer = ask("--breakdown os", &records);
    let line = &json(&answer)[0];
    assert!(line["vsf"].is_null() && line["ebvs"].is_null() && line["standard_error"]["vsf"].is_null());
    assert!(line["vpf"].is_number() && line["startup_ms"]["mean"].is_number());
    let note = "some ratios are left empty because their denominator is less than 5 standard deviations of its noise";
    assert!(answer.notes().iter().any(|line| line.starts_with(note)), "{:#?}", answer.notes());
    assert_eq!(line["attempts"], 56, "sums are still contained");
}

#[test]
fn columns_of_rows_with_session_counts_only_are_empty_and_a_note_explains_it() {
    let records = [counts_only(table(90, "os", &[("*", 60), ("Windows", 900)]))];
    let answer = ask("--breakdown os", &records);
    assert_eq!(
        answer.table(120),
        "os       sessions  rebuffering  startup_ms  bandwidth\n\
         Windows       900            -           -          -\n\
         *              60            -           -          -\n"
    );
    assert_eq!(
        answer.notes(),
        [
            "answered from os: only session counts are published there, because the publisher has no secret to draw noise \
          with"
        ]
    );
    let line = &json(&answer)[0];
    assert_eq!((&line["numbers"], &line["sessions"]), (&"counts_only".into(), &900.into()));
    for name in ["beacons", "plays", "playing_ms", "errors", "minutes_watched", "vsf"] {
        assert!(line[name].is_null(), "{name}");
    }
    assert!(line["startup_ms"]["sum"].is_null() && line["standard_error"]["plays"].is_null());
    let csv = answer.csv();
    let (names, first) = (csv.lines().next().unwrap(), csv.lines().nth(1).unwrap());
    assert!(first.ends_with(&",".repeat(names.split(',').count() - 11)), "{first}");
}

#[test]
fn every_answer_names_its_kind_of_numbers() {
    let numbers = |records: Vec<Value>| {
        let line = json(&ask("--breakdown os", &[records])).swap_remove(0);
        (line["numbers"].as_str().unwrap().to_owned(), line["tables"].clone())
    };
    let whole = || table(90, "os", &[("Windows", 900)]);
    let os = json!(["os"]);
    assert_eq!(numbers(whole()), ("exact".into(), os.clone()));
    assert_eq!(numbers(noisy(whole())), ("noisy".into(), os.clone()));
    assert_eq!(numbers(counts_only(whole())), ("counts_only".into(), os));
}

#[test]
fn differential_privacy_declares_only_the_error_of_the_session_count() {
    let mut records = table(90, "os", &[("Windows", 900)]);
    records[0].as_object_mut().unwrap().remove("detail");
    records[0]["policy"] = json!({"name": "differential-privacy", "k": 50, "sigma": 38.2, "tau": 240});
    let answer = ask("--breakdown os", &[records]).with_errors(true);
    let line = &json(&answer)[0];
    assert_eq!((&line["numbers"], &line["standard_error"]["sessions"]), (&"private".into(), &json!(38.2)));
    assert!(line["standard_error"]["plays"].is_null() && line["standard_error"]["vsf"].is_null());
    assert!(line["vsf"].is_number(), "ratios are still computed");
    assert!(
        answer.table(160).lines().nth(1).unwrap().starts_with("Windows  900 ±38.2  "),
        "{}",
        answer.table(160)
    );
    assert_eq!(answer.notes()[0], "answered from os, published under differential privacy");
}
