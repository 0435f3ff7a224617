use crate::testing::{noisy, query, rows, table};
use crate::{Compared, QueryMetric};
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

#[test]
fn query_between_two_times_reads_windows_that_start_in_this_period() {
    let rows = rows(&[89, 90, 91, 92].map(|minute| table(minute, "os", &[("Windows", 100)])));
    let minute = |minute: u64| Timestamp::from_millis(minute * 60_000);
    let answer = query("--by os").unwrap().between(minute(90), minute(92)).run(&rows).unwrap();
    assert_eq!((answer.groups[0].windows(), answer.newest_window()), (2, Some(minute(91))));
}
