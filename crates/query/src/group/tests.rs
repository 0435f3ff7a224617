use crowdfold_model::{SumMetric, ValueMetric};
use serde_json::Value;

use super::{Derived, Group};
use crate::estimate::Ratio;
use crate::row::Numbers;
use crate::testing::{counts_only, noisy, rows, table};

/// The typical sums of one live session in one hour.
const IN_AN_HOUR: [(SumMetric, f64); 5] = [
    (SumMetric::Plays, 8.6),
    (SumMetric::Stalls, 7.2),
    (SumMetric::StalledMs, 10_600.0),
    (SumMetric::PlayingMs, 34.4 * 60_000.0),
    (SumMetric::StartupFailures, 0.131),
];

/// Returns the sum of one hour of rows outside the detail table. They have `live` sessions and a noise of 8.
fn hour(live: u64) -> Group {
    let window = |minute: u64| {
        let mut records = noisy(table(600 + minute, "os", &[("Windows", live)]));
        for (measure, each) in IN_AN_HOUR {
            // Each minute has a rounded number; the rounding errors cancel out over the hour.
            let until = |minutes: u64| (each * live as f64 * minutes as f64 / 60.0).round() as i64;
            records[0][measure.name()] = (until(minute + 1) - until(minute)).into();
        }
        records
    };
    let rows = rows(&(0..60).map(window).collect::<Vec<_>>());
    let mut group = Group::of(&rows[0], Numbers::Noisy, Vec::new());
    rows[1..].iter().for_each(|row| group.add(row, Numbers::Noisy));
    group
}

/// Formats a standard error in percent of the sum, with as many digits as the documentation.
fn percent(error: f64, sum: f64) -> String {
    let percent = error / sum * 100.0;
    match percent {
        0.0..3.0 => format!("{percent:.1}"),
        3.0..200.0 => format!("{percent:.0}"),
        _ => format!("{:.0}", (percent / 10.0).round() * 10.0),
    }
}

#[test]
fn standard_errors_of_an_hour_equal_those_in_the_documentation() {
    let errors = |live| {
        let group = hour(live);
        IN_AN_HOUR.map(|(measure, each)| percent(group.error(measure).unwrap(), each * live as f64))
    };
    assert_eq!(errors(60), ["12", "43", "146", "3", "790"].map(String::from));
    assert_eq!(errors(300), ["2.4", "9", "29", "0.6", "158"].map(String::from));
    assert_eq!(errors(1_000), ["0.7", "2.6", "9", "0.2", "47"].map(String::from));
}

#[test]
fn error_of_a_ratio_over_an_hour_equals_the_formula_of_the_delta_method() {
    let group = hour(1_000);
    let sigma = |clamp: f64| 8.0 * clamp * 60_f64.sqrt();
    let (stalled, playing) = (10_600.0 * 1_000.0, 34.4 * 60_000.0 * 1_000.0);
    let ratio = stalled / (playing + stalled);
    let error = ((1.0 - ratio) * sigma(15_000.0)).hypot(ratio * sigma(60_000.0)) / (playing + stalled);
    let Ratio::Known(value, given) = group.ratio(Derived::RebufferingRatio) else { panic!("a ratio") };
    assert!((value - ratio).abs() < 1e-9 && (given / error - 1.0).abs() < 1e-9, "{given} {error}");
    // There are 131 startup failures in 1,200 attempts.
    assert!(
        matches!(group.ratio(Derived::Vsf), Ratio::Known(value, _) if (value - 131.0 / 1_200.0).abs() < 1e-9)
    );
}

fn one(records: Vec<Value>, numbers: Numbers) -> Group {
    Group::of(&rows(&[records])[0], numbers, Vec::new())
}

#[test]
fn mean_is_over_sessions_with_a_value_only_if_all_rows_contain_the_number_of_such_sessions() {
    let exact = || table(90, "os", &[("Windows", 400)]);
    let group = one(exact(), Numbers::Exact);
    assert_eq!(group.ratio(Derived::Mean(ValueMetric::StartupMs)), Ratio::Known(850.0, 0.0));
    // In a row outside the detail table, the divisor of the mean startup time is the number of plays, and that of the
    // mean bandwidth is the number of sessions.
    let mut records = noisy(exact());
    records[0]["plays"] = 100.into();
    let group = one(records, Numbers::Noisy);
    assert_eq!(group.ratio(Derived::Mean(ValueMetric::StartupMs)).value(), Some(136.0));
    assert_eq!(group.ratio(Derived::Mean(ValueMetric::BandwidthKbps)), Ratio::Known(5_000.0, 600.0));
    // This group contains an exact row and a noisy row.
    let rows = rows(&[exact(), noisy(table(91, "os", &[("Windows", 400)]))]);
    let mut group = Group::of(&rows[0], Numbers::Exact, Vec::new());
    group.add(&rows[1], Numbers::Noisy);
    let Ratio::Known(bandwidth, error) = group.ratio(Derived::Mean(ValueMetric::BandwidthKbps)) else {
        panic!("a mean")
    };
    assert_eq!((bandwidth, error, group.numbers()), (5_000.0, 300.0, Numbers::Noisy));
    assert_eq!((group.beacons, group.distribution(ValueMetric::StartupMs).sessions), (None, None));
}

#[test]
fn rows_with_session_counts_only_increase_only_the_number_of_sessions() {
    let rows = rows(&[counts_only(table(90, "os", &[("*", 60)])), table(91, "os", &[("*", 70)])]);
    let mut group = Group::of(&rows[0], Numbers::Absent, Vec::new());
    assert_eq!((group.sum(SumMetric::Plays), group.errors(), group.minutes_watched()), (None, None, None));
    assert_eq!((group.numbers(), group.error(SumMetric::Plays)), (Numbers::Absent, None));
    group.add(&rows[1], Numbers::Exact);
    assert_eq!((group.sessions(), group.sum(SumMetric::Plays).unwrap().value), (130, 16));
    assert_eq!((group.numbers(), group.rows_without_numbers), (Numbers::Exact, 1));
    // The means are computed from the rows that contain sums, and from their sessions only.
    assert_eq!(group.ratio(Derived::Mean(ValueMetric::BandwidthKbps)), Ratio::Known(5_000.0, 0.0));
    assert_eq!(group.ratio(Derived::Mean(ValueMetric::StartupMs)), Ratio::Known(850.0, 0.0));
}

#[test]
fn shares_below_0_or_above_1_are_out_of_range_whether_exact_or_noisy() {
    let exits = |make: fn(Vec<Value>) -> Vec<Value>, numbers| {
        let mut records = make(table(90, "os", &[("Windows", 900)]));
        records[0]["attempts"] = 1_000.into();
        records[0]["plays"] = 1_010.into();
        one(records, numbers).ratio(Derived::Ebvs)
    };
    assert_eq!(exits(|records| records, Numbers::Exact), Ratio::OutOfRange);
    assert_eq!(exits(noisy, Numbers::Noisy), Ratio::OutOfRange);
}
