//! Tests of numbers that are inconsistent, or that are not allowed in their table.

use crowdfold_model::Span;

use super::*;
use crowdfold_testkit::rows::counts_only;

/// Audits a row outside the detail table after a change. Returns the name and the field of each finding.
fn one_covered(change: impl FnOnce(&mut Value)) -> Vec<(&'static str, String)> {
    let mut row = with_noise(covered(vec![record(3, "os/browser Windows/Chrome", 1, 1, 900)])).remove(0);
    change(&mut row);
    findings(&audit(&[row])).into_iter().map(|(name, _, field)| (name, field.to_owned())).collect()
}

#[track_caller]
fn finds_covered(change: impl FnOnce(&mut Value), name: &str, field: &str) {
    assert_eq!(one_covered(change), [(name, field.to_owned())]);
}

#[test]
fn rows_outside_the_detail_table_give_no_findings_if_a_worker_wrote_them() {
    assert_eq!(one_covered(|_| {}), []);
    let hidden = counts_only(vec![record(3, "os/browser Windows/Chrome", 1, 1, 900)]);
    assert_eq!(findings(&audit(&hidden)), []);
    // With noise, a count may be negative or exceed the session count.
    assert_eq!(one_covered(|row| row["plays"] = json!(-60)), []);
    assert_eq!(one_covered(|row| row["plays"] = json!(960)), []);
}

#[test]
fn field_that_is_not_allowed_in_its_table_is_reported() {
    finds_covered(|row| row["beacons"] = json!(5_400), "field-not-for-table", "/beacons");
    let sessions = |row: &mut Value| row["startup_ms"]["sessions"] = json!(16);
    finds_covered(sessions, "field-not-for-table", "/startup_ms/sessions");
    let percentiles = |row: &mut Value| row["bandwidth_kbps"]["p50"] = json!(4_800);
    finds_covered(percentiles, "field-not-for-table", "/bandwidth_kbps/p50");
    // Null is not allowed either, because it reveals that few sessions had a value.
    let null = |row: &mut Value| row["bandwidth_kbps"]["p99"] = Value::Null;
    finds_covered(null, "field-not-for-table", "/bandwidth_kbps/p50");
    let ranges = |row: &mut Value| row["bandwidth_kbps"]["histogram"] = json!([[0, null, 900]]);
    finds_covered(ranges, "field-not-for-table", "/bandwidth_kbps/histogram");
    let ladder = |row: &mut Value| {
        row["bitrate_kbps"]["sessions"] = json!(900);
        row["bitrate_kbps"]["histogram"] = json!([[0, null, 900]]);
    };
    finds(ladder, "field-not-for-table", "/bitrate_kbps/histogram");
    finds_covered(|row| row["good_sessions"] = json!(800), "field-not-for-table", "/good_sessions");
    finds_covered(|row| row["viewers"] = json!(800), "unknown-field", "/viewers");
}

#[test]
fn row_with_only_some_of_its_numbers_is_reported() {
    finds_covered(|row| row["plays"] = Value::Null, "missing-field", "/plays");
    finds_covered(
        |row| drop(row["errors"].as_object_mut().unwrap().remove("media")),
        "missing-field",
        "/errors/media",
    );
    finds_covered(|row| row["startup_ms"] = Value::Null, "missing-field", "/startup_ms/sum");
    finds(|row| row["plays"] = Value::Null, "wrong-type", "/plays");
    finds(|row| row["beacons"] = json!(-1), "not-an-integer", "/beacons");
    finds(|row| row["seeks"] = Value::Null, "wrong-type", "/seeks");
    finds(|row| row["seeking_ms"] = json!(-1), "not-an-integer", "/seeking_ms");
    finds(|row| row["stalls"] = json!(-1), "not-an-integer", "/stalls");
    finds(|row| row["errors"]["drm"] = json!(-1), "not-an-integer", "/errors/drm");
    finds(
        |row| drop(row["startup_ms"].as_object_mut().unwrap().remove("sessions")),
        "missing-field",
        "/startup_ms/sessions",
    );
    // A row outside the detail table has either all numbers or, if there is no secret, none of them.
    let mut row = counts_only(vec![record(3, "os Windows", 1, 1, 900)]).remove(0);
    row["plays"] = json!(880);
    let audit_ = audit(&[row]);
    assert!(
        findings(&audit_).iter().all(|(name, ..)| *name == "missing-field") && findings(&audit_).len() == 17
    );
}

#[test]
fn rows_of_one_table_with_different_fields_are_reported() {
    let rows = || with_noise(covered(table(3, "os", &[("*", 60), ("Windows", 900)])));
    assert_eq!(findings(&audit(&rows())), []);
    let mut mixed = rows();
    mixed[1] = counts_only(table(3, "os", &[("*", 60), ("Windows", 900)])).remove(1);
    assert_eq!(findings(&audit(&mixed)), [("two-policies", 1, "/detail")]);
    let mut mixed = rows();
    mixed[1] = table(3, "os", &[("*", 60), ("Windows", 900)]).remove(1);
    assert_eq!(findings(&audit(&mixed)), [("two-policies", 1, "/detail")]);
    // The tables of one window must also have the same fields.
    let other = counts_only(table(3, "cdn", &[("a", 960)]));
    assert_eq!(findings(&audit(&[rows(), other].concat())), [("two-policies", 2, "")]);
}

#[test]
fn percentile_below_a_lower_percentile_is_reported() {
    finds(|row| row["startup_ms"]["p90"] = json!(799), "percentile-falls", "/startup_ms/p90");
    finds(|row| row["bandwidth_kbps"]["p95"] = json!(8_000), "percentile-falls", "/bandwidth_kbps/p95");
    assert_eq!(one(|row| row["startup_ms"]["p90"] = json!(800)), []);
    let mut noisy = record(60, "os Windows", 1, 1, 900);
    noisy["policy"] = json!({"name": "differential-privacy", "k": 1, "epsilon": 1.0, "delta": 1e-8, "sigma": 38.2, "tau": 240});
    noisy.as_object_mut().unwrap().remove("detail");
    assert_eq!(findings(&audit(std::slice::from_ref(&noisy))), []);
    noisy["startup_ms"]["p90"] = json!(799);
    assert_eq!(findings(&audit(&[noisy])), [("percentile-falls", 0, "/startup_ms/p90")]);
}

#[test]
fn histogram_with_gaps_or_a_wrong_total_is_reported() {
    let ranges = |ranges: Value| move |row: &mut Value| row["bandwidth_kbps"]["histogram"] = ranges;
    for wrong in [
        json!([[0, 4000, 20], [4000, null, 881]]),
        json!([[0, 4000, 20], [4000, null, 879]]),
        json!([[0, 4000, 20], [5000, null, 880]]),
        json!([[0, 5000, 20], [4000, null, 880]]),
        json!([[100, 4000, 20], [4000, null, 880]]),
        json!([[0, 4000, 20], [4000, 5000, 880]]),
        json!([[0, 4000, 20], [4000, 4000, 20], [4000, null, 860]]),
        json!([]),
    ] {
        finds(ranges(wrong), "histogram-does-not-fit", "/bandwidth_kbps/histogram");
    }
    assert_eq!(one(ranges(json!([[0, 4000, 20], [4000, 5000, 600], [5000, null, 280]]))), []);
}

#[test]
fn percentile_outside_its_range_of_the_histogram_is_reported() {
    let median = |value: u64| move |row: &mut Value| row["bandwidth_kbps"]["p50"] = json!(value);
    finds(median(3_900), "histogram-does-not-fit", "/bandwidth_kbps/p50");
    assert_eq!(one(median(4_000)), []);
    // If half of the sessions are in the first range, the median must be in that range.
    let halves =
        |row: &mut Value| row["bandwidth_kbps"]["histogram"] = json!([[0, 4000, 450], [4000, null, 450]]);
    finds(halves, "histogram-does-not-fit", "/bandwidth_kbps/p50");
}

#[test]
fn sum_beyond_the_clamps_or_beyond_the_contribution_budget_is_reported() {
    // The row has 900 sessions. The noise has a standard deviation of 8 clamps, and 8 standard deviations are accepted,
    // so up to 900 + 8 * 8 clamps are possible.
    finds_covered(|row| row["plays"] = json!(965), "beyond-clamp", "/plays");
    finds_covered(|row| row["plays"] = json!(-65), "beyond-clamp", "/plays");
    finds_covered(|row| row["errors"]["drm"] = json!(5_000), "beyond-clamp", "/errors/drm");
    finds_covered(|row| row["stalled_ms"] = json!(964 * 15_000 + 1), "beyond-clamp", "/stalled_ms");
    assert_eq!(one_covered(|row| row["stalled_ms"] = json!(964 * 15_000)), []);
    finds_covered(|row| row["startup_ms"]["sum"] = json!(10_000_000), "beyond-clamp", "/startup_ms/sum");
    // Each number is within its clamps, but together the numbers exceed the budget.
    let all = |row: &mut Value| {
        for name in ["attempts", "plays", "startup_failures", "playback_failures", "stalls"] {
            row[name] = json!(900);
        }
        for class in ["network", "manifest", "media", "drm", "timeout", "other"] {
            row["errors"][class] = json!(900);
        }
    };
    finds_covered(all, "beyond-budget", "");
    // The clamps of durations are larger in longer windows.
    let hour = |row: &mut Value| row["window"] = json!({"start": 0, "end": 3_600_000});
    let mut row = with_noise(covered(vec![record(0, "os Windows", 1, 1, 900)])).remove(0);
    hour(&mut row);
    row["stalled_ms"] = json!(900 * 900_000_u64);
    assert_eq!(findings(&audit(&[row])), []);
}

#[test]
fn sum_in_the_detail_table_beyond_the_limits_of_its_sessions_is_reported() {
    // The row has 900 sessions and a window of one minute.
    finds(|row| row["exits_before_start"] = json!(9_001), "beyond-clamp", "/exits_before_start");
    assert_eq!(one(|row| row["exits_before_start"] = json!(9_000)), []);
    finds(|row| row["good_sessions"] = json!(901), "part-exceeds-row", "/good_sessions");
    finds(|row| row["seeks"] = json!(54_001), "beyond-clamp", "/seeks");
    finds(|row| row["stalls"] = json!(54_001), "beyond-clamp", "/stalls");
    finds(|row| row["switches_up"] = json!(4), "part-exceeds-row", "/switches_up");
    finds(|row| row["switches_down"] = json!(3), "part-exceeds-row", "/switches_up");
    let sum = |name: &'static str, sum: i64| {
        move |row: &mut Value| {
            row[name] =
                json!({"sessions": 900, "sum": sum, "p50": null, "p90": null, "p95": null, "p99": null})
        }
    };
    assert_eq!(one(sum("ttfb_ms", 900 * 60_000)), []);
    finds(sum("ttfb_ms", 900 * 66_001), "beyond-clamp", "/ttfb_ms/sum");
    finds(sum("live_latency_ms", -1), "not-an-integer", "/live_latency_ms/sum");
    let without = |row: &mut Value| drop(row["ttfb_ms"].as_object_mut().unwrap().remove("sum"));
    finds(without, "missing-field", "/ttfb_ms/sum");
    // The maximum of durations depends on a setting, which is unknown for the rows of another program.
    let seeking = |seeking_ms: u64, idle_timeout| {
        let mut row = record(3, "os/browser Windows/Chrome", 1, 1, 900);
        row["seeking_ms"] = json!(seeking_ms);
        let audit = audit_with(Rules { idle_timeout, ..rules() }, &[row]);
        findings(&audit).into_iter().map(|(name, _, field)| (name, field.to_owned())).collect::<Vec<_>>()
    };
    let found = vec![("beyond-clamp", "/seeking_ms".to_owned())];
    assert_eq!(seeking(900 * 150_000 + 1, Some(Span::SECOND.times(90))), found);
    assert_eq!(seeking(900 * 150_000, Some(Span::SECOND.times(90))), []);
    assert_eq!(seeking(900 * 150_000 + 1, None), []);
}

#[test]
fn totals_that_differ_by_more_than_their_noise_are_reported() {
    let noisy = |breakdown: &str, sum: i64| {
        let mut rows = with_noise(covered(table(3, breakdown, &[("x", 450), ("y", 450)])));
        rows[0]["stalled_ms"] = json!(sum);
        rows
    };
    let tables = |sum| audit(&[noisy("os", 270_000), noisy("cdn", sum)].concat());
    assert_eq!(findings(&tables(1_500_000)), []);
    assert_eq!(findings(&tables(3_000_000)), [("totals-disagree", 3, "/stalled_ms")]);
    // Because of clamps, a sum outside the detail table may be far below the exact sum. Only noise can make it larger
    // than the exact sum.
    let detail = |sum: i64| [table(3, "asn", &[("AS1", 900)]), noisy("os", sum)].concat();
    assert_eq!(findings(&audit(&detail(1_500_000))), []);
    assert_eq!(findings(&audit(&detail(-270_000))), []);
    assert_eq!(findings(&audit(&detail(2_000_000))), [("totals-disagree", 2, "/stalled_ms")]);
    let mut detail = detail(270_000);
    detail[0]["stalled_ms"] = json!(900_000_000_u64);
    assert_eq!(findings(&audit(&detail)), []);
}

#[test]
fn table_that_declares_noise_but_has_none_is_reported() {
    let few_errors = |rows: &[(&str, u64)]| {
        let mut rows = covered(table(3, "os", rows));
        rows.iter_mut().for_each(|row| row["errors"]["network"] = json!(1));
        rows
    };
    let two = few_errors(&[("*", 60), ("Windows", 900)]);
    assert_eq!(findings(&audit(&two)), [("no-noise", 0, "/errors")]);
    // With noise, it is possible that the counts of six classes in one row are all 0 or 1.
    assert_eq!(findings(&audit(&few_errors(&[("Windows", 900)]))), []);
    assert_eq!(findings(&audit(&with_noise(two))), []);
}

#[test]
fn margin_or_noise_below_the_minimum_of_the_tenant_is_reported() {
    let key = |name: &'static str, value: u64| move |row: &mut Value| row["policy"][name] = json!(value);
    finds(key("margin", 9), "weaker-policy", "/policy/margin");
    finds(key("noise", 7), "weaker-policy", "/policy/noise");
    assert_eq!(one(key("margin", 25)), []);
    assert_eq!(one(key("noise", 100)), []);
    finds(key("margin", 26), "unknown-policy", "/policy/margin");
    finds(key("noise", 0), "unknown-policy", "/policy/noise");
    finds(key("noise", 101), "unknown-policy", "/policy/noise");
    finds(
        |row| drop(row["policy"].as_object_mut().unwrap().remove("margin")),
        "unknown-policy",
        "/policy/margin",
    );
    finds(|row| drop(row.as_object_mut().unwrap().remove("detail")), "missing-field", "/detail");
}

#[test]
fn detail_table_that_differs_from_the_configuration_of_the_tenant_is_reported() {
    let bounds = |detail: Option<&str>| Bounds {
        sessions: 50,
        margin: 10,
        noise: 8,
        knows_detail: true,
        detail: detail.map(str::to_owned),
    };
    let own = BTreeMap::from([("large".into(), bounds(Some("os.browser"))), ("none".into(), bounds(None))]);
    let least = Least { policy: "threshold", common: bounds(Some("cdn")), own };
    let findings = |tenant: &str, breakdown: &str| {
        let label = breakdown.replace(|letter: char| letter != '/', "").replace('/', "x/") + "x";
        let mut row = record(3, &format!("{breakdown} {label}"), 1, 1, 900);
        row["tenant"] = tenant.into();
        findings(&audit_with(Rules { least: Some(least.clone()), ..Rules::default() }, &[row])).len()
    };
    assert_eq!([findings("acme", "cdn"), findings("large", "os/browser")], [0, 0]);
    assert_eq!(
        [
            findings("acme", "os"),
            findings("large", "cdn"),
            findings("large", "browser/os"),
            findings("none", "cdn")
        ],
        [1; 4]
    );
}
