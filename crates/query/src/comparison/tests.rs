use crate::testing::{noisy, query, rows, table};
use crate::{Compared, QueryMetric, Row};
use crowdfold_model::Timestamp;

fn compare(now: &[Vec<serde_json::Value>], before: &[Vec<serde_json::Value>], metric: &str) -> Vec<Compared> {
    let run = |records| query("--by os").unwrap().run(&rows(records)).unwrap();
    run(now).compare(&run(before), &[QueryMetric::named(metric).unwrap()])
}

#[test]
fn comparison_contains_the_values_of_each_group_in_both_periods() {
    let now = [table(90, "os", &[("Windows", 900), ("macOS", 200)])];
    let before = [table(30, "os", &[("Windows", 600), ("iOS", 100)])];
    let compared = compare(&now, &before, "sessions");
    let keys: Vec<_> = compared.iter().map(|one| &*one.key[0]).collect();
    assert_eq!(keys, ["Windows", "macOS", "iOS"]);
    assert_eq!(compared[0].change().unwrap().value, 300.0);
    assert_eq!(compared[0].relative(), Some(0.5));
    for one in &compared[1..] {
        assert_eq!((one.change(), one.relative()), (None, None));
        assert!(one.now.is_some() != one.before.is_some());
    }
}

#[test]
fn error_of_a_difference_includes_the_noise_of_both_periods() {
    let now = [noisy(table(90, "os", &[("Windows", 900)]))];
    let before = [noisy(table(30, "os", &[("Windows", 600)]))];
    let change = compare(&now, &before, "stalls")[0].change().unwrap();
    // The noise of each period has the standard deviation 24: 8 clamps of 3 stalls each.
    assert!((change.error.unwrap() - 24.0 * 2_f64.sqrt()).abs() < 1e-9);
    assert_eq!(change.value, 30.0);
}

/// Returns the tables of the windows that begin at these minutes, with 900 sessions each.
fn tables(minutes: impl IntoIterator<Item = u64>) -> Vec<Vec<serde_json::Value>> {
    minutes.into_iter().map(|minute| table(minute, "os", &[("Windows", 600), ("macOS", 300)])).collect()
}

#[test]
fn sums_are_not_compared_if_a_period_lacks_windows_but_ratios_and_means_are() {
    let (now, before) = (tables(60..70), tables((0..10).filter(|minute| *minute != 4)));
    for (metric, is_compared) in [
        ("sessions", false),
        ("minutes_watched", false),
        ("stalls", false),
        ("rebuffering_ratio", true),
        ("stalls_per_hour", true),
        ("concurrent_mean", true),
    ] {
        let compared = compare(&now, &before, metric);
        assert_eq!(compared.len(), 2);
        for one in compared {
            assert_eq!(one.change().is_some(), is_compared, "{metric}");
            assert_eq!(one.relative().is_some(), is_compared, "{metric}");
            assert_eq!(one.incomparable.is_none(), is_compared, "{metric}");
            assert!(one.now.is_some() && one.before.is_some(), "{metric}: both values are still reported");
        }
    }
    let reason = compare(&now, &before, "sessions")[0].incomparable.unwrap();
    assert_eq!(reason.to_string(), "the later period has 10 windows and the earlier period 9");
    // the lack of windows in the later period has the same effect
    assert!(compare(&before, &now, "sessions")[0].incomparable.is_some());
    assert_eq!(compare(&now, &tables(0..10), "sessions")[0].change().unwrap().value, 0.0);
}

#[test]
fn sums_and_mean_of_windows_are_not_compared_if_a_window_is_incomplete() {
    let (now, mut before) = (tables(60..70), tables(0..10));
    for row in &mut before[3] {
        row["coverage"] = serde_json::json!({"partitions": 3, "of": 4});
    }
    let run = |records: &[Vec<serde_json::Value>]| {
        let parse = |record: &serde_json::Value| Row::parse(record.to_string().as_bytes()).unwrap();
        query("--by os").unwrap().run(&records.iter().flatten().map(parse).collect::<Vec<_>>()).unwrap()
    };
    let compare = |metric| run(&now).compare(&run(&before), &[QueryMetric::named(metric).unwrap()]);
    for (metric, is_compared) in
        [("sessions", false), ("concurrent_mean", false), ("rebuffering_ratio", true)]
    {
        assert_eq!(compare(metric)[0].change().is_some(), is_compared, "{metric}");
    }
    let reason = compare("sessions")[0].incomparable.unwrap();
    assert_eq!(reason.to_string(), "the earlier period contains incomplete windows");
}

#[test]
fn group_without_a_row_in_some_windows_is_compared_if_the_table_was_published_in_all() {
    let (now, mut before) = (tables(60..70), tables(0..10));
    before[3] = table(3, "os", &[("Windows", 600)]);
    let compared = compare(&now, &before, "sessions");
    assert_eq!(compared[1].key, ["macOS"]);
    assert_eq!(compared[1].change().unwrap().value, 300.0);
}

#[test]
fn query_between_two_times_reads_windows_that_start_in_this_period() {
    let rows = rows(&[89, 90, 91, 92].map(|minute| table(minute, "os", &[("Windows", 100)])));
    let minute = |minute: u64| Timestamp::from_millis(minute * 60_000);
    let answer = query("--by os").unwrap().between(minute(90), minute(92)).run(&rows).unwrap();
    assert_eq!((answer.groups[0].windows(), answer.newest_window()), (2, Some(minute(91))));
}
