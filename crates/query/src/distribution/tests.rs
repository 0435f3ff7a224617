use proptest::collection::vec;
use proptest::{prop_assert, prop_assert_eq, proptest};

use super::{Distribution, Sums};
use crate::row::Range;
use crate::testing::{query, rows, table};
use crowdfold_model::ValueMetric;

fn sum(histograms: &[Vec<Range>]) -> Distribution {
    let mut sums = Sums::default();
    histograms.iter().for_each(|histogram| sums.add(Some(histogram), 1));
    sums.finish()
}

#[test]
fn sum_of_histograms_with_different_ranges_has_bounds() {
    let one = vec![(Some(0), Some(500), 10), (Some(500), Some(1_000), 30), (Some(1_000), None, 20)];
    let other = vec![(Some(0), Some(1_000), 40), (Some(1_000), None, 60)];
    let distribution = sum(&[one, other]);
    let range = |at: usize| {
        let range = &distribution.ranges[at];
        (range.from, range.to, range.at_least, range.at_most, range.estimate)
    };
    assert_eq!(range(0), (Some(0), Some(500), 10, 50, 20.0));
    assert_eq!(range(1), (Some(500), Some(1_000), 30, 70, 60.0));
    assert_eq!(range(2), (Some(1_000), None, 80, 80, 80.0));
    assert_eq!(distribution.sessions, 160);
    let percentile = |percent: u64| {
        let found = distribution.percentiles.iter().find(|one| one.percent == percent).unwrap();
        (found.from, found.to)
    };
    assert_eq!(percentile(25), (Some(0), Some(1_000)));
    assert_eq!(percentile(50), (Some(500), Some(1_000)));
    assert_eq!(percentile(75), (Some(1_000), None));
}

#[test]
fn rows_without_a_histogram_are_counted() {
    let rows = rows(&[table(90, "os", &[("Windows", 900), ("macOS", 300)])]);
    let ask = |metric| {
        let query = query("--breakdown os").unwrap();
        let mut sum = query.distribution(metric);
        rows.iter().for_each(|row| sum.add(row));
        sum.finish()
    };
    let bandwidth = ask(ValueMetric::BandwidthKbps);
    assert_eq!((bandwidth.rows, bandwidth.rows_without, bandwidth.sessions), (2, 0, 1_200));
    let bitrate = ask(ValueMetric::BitrateKbps);
    assert_eq!((bitrate.rows, bitrate.rows_without, bitrate.percentiles.len()), (0, 2, 0));
}

proptest! {
    #[test]
    fn bounds_of_the_summed_distribution_contain_the_true_distribution(
        sessions in vec(vec((0_u64..8, 1_u64..20), 1..30), 1..6), cuts in vec(vec(1_u64..8, 0..5), 6..7),
    ) {
        // Each row has different ranges. The ranges of a row cover the values from 0 to 7.
        let histograms: Vec<Vec<Range>> = sessions.iter().zip(&cuts).map(|(values, cuts)| {
            let mut bounds: Vec<u64> = cuts.iter().copied().chain([0]).collect();
            bounds.sort_unstable();
            bounds.dedup();
            let ends = bounds.iter().skip(1).copied().map(Some).chain([None]);
            bounds.iter().zip(ends).map(|(from, to)| {
                let within = |value: &u64| value >= from && to.is_none_or(|to| *value < to);
                (Some(*from), to, values.iter().filter(|(value, _)| within(value)).map(|(_, n)| n).sum())
            }).collect()
        }).collect();
        let distribution = sum(&histograms);
        let all: Vec<(u64, u64)> = sessions.into_iter().flatten().collect();
        let total: u64 = all.iter().map(|(_, n)| n).sum();
        prop_assert_eq!(distribution.sessions, total);
        let estimated: f64 = distribution.ranges.iter().map(|range| range.estimate).sum();
        prop_assert!((estimated - total as f64).abs() < 1e-6);
        for range in &distribution.ranges {
            let within = |value: u64| range.from.is_none_or(|from| value >= from) && range.to.is_none_or(|to| value < to);
            let truth: u64 = all.iter().filter(|(value, _)| within(*value)).map(|(_, n)| n).sum();
            prop_assert!((range.at_least..=range.at_most).contains(&truth));
        }
        for percentile in &distribution.percentiles {
            let needed = (total * percentile.percent).div_ceil(100);
            let truth = (0..8).find(|value| all.iter().filter(|(one, _)| one <= value).map(|(_, n)| n).sum::<u64>() >= needed);
            let truth = truth.unwrap();
            prop_assert!(percentile.from.is_none_or(|from| truth >= from));
            prop_assert!(percentile.to.is_none_or(|to| truth <= to));
        }
    }
}
