use crowdfold_model::Distribution;
use proptest::collection::vec;
use proptest::{prop_assert, prop_assert_eq, proptest};

use super::{BINS, DistributionSummary, MIN_IN_RANGE, Range, histogram};

fn distribution(values: &[(u32, u64)]) -> Distribution {
    let mut distribution = Distribution::default();
    values.iter().for_each(|(value, sessions)| distribution.record_many(*value, *sessions));
    distribution
}

fn percentiles(values: &[(u32, u64)]) -> [Option<u32>; 4] {
    let DistributionSummary { p50, p90, p95, p99, .. } =
        DistributionSummary::of(&distribution(values), false);
    [p50, p90, p95, p99]
}

fn ranges(values: &[(u32, u64)]) -> Option<Vec<Range>> {
    histogram(distribution(values).values(), MIN_IN_RANGE)
}

#[test]
fn there_are_at_most_32_logarithmic_bins_with_two_digit_edges() {
    assert!(BINS.len() < 32);
    for (index, edge) in BINS.into_iter().enumerate() {
        let exact = 100.0 * 10_f64.powf(index as f64 / 10.0);
        assert!((f64::from(edge) / exact - 1.0).abs() < 0.05, "the edge {edge} is far from {exact}");
        let decade = 10_u32.pow(edge.ilog10() - 1);
        assert_eq!(edge % decade, 0, "the edge {edge} has more than two significant digits");
    }
    assert!(BINS.is_sorted_by(|one, other| one < other));
}

#[test]
fn percentile_needs_ten_sessions_at_or_above_it() {
    // 1000 sessions have the values 1 to 1000. p99 is the 990th value. 11 sessions are at or above it.
    let each: Vec<_> = (1..=1000).map(|value| (value, 1)).collect();
    assert_eq!(percentiles(&each), [Some(500), Some(900), Some(950), Some(990)]);
    let fewer: Vec<_> = (1..=900).map(|value| (value, 1)).collect();
    // Of 900 values, p99 is the 891st, and ten sessions are at or above it. Of 899 values, p99 is also the 891st
    // (rounded up), but only nine sessions are at or above it.
    assert_eq!(percentiles(&fewer)[3], Some(891));
    assert_eq!(percentiles(&fewer[..899]), [Some(450), Some(810), Some(855), None]);
}

#[test]
fn largest_value_is_a_percentile_if_enough_sessions_have_it() {
    assert_eq!(percentiles(&[(10, 5), (20, 85)]), [Some(20); 4]);
    assert_eq!(percentiles(&[(10, 10)]), [Some(10); 4]);
    assert_eq!(percentiles(&[(10, 9)]), [None; 4]);
    assert_eq!(percentiles(&[(10, 9), (20, 1)]), [None; 4]);
    assert_eq!(percentiles(&[(10, 15), (20, 1)]), [Some(10), Some(10), None, None]);
    assert_eq!(percentiles(&[]), [None; 4]);
}

#[test]
fn percentile_needs_ten_sessions_at_or_below_it() {
    // The median of 18 values is the 9th. Ten sessions are at or above it, but only nine are at or below it.
    let each: Vec<_> = (1..=18).map(|value| (value, 1)).collect();
    assert_eq!(percentiles(&each)[0], None);
    let each: Vec<_> = (1..=19).map(|value| (value, 1)).collect();
    assert_eq!(percentiles(&each)[0], Some(10));
}

#[test]
fn histogram_equals_the_documented_example() {
    let values = [(300, 8), (900, 6), (1000, 4), (3900, 27), (4000, 30), (9000, 5)];
    assert_eq!(ranges(&values), Some(vec![(0, Some(1000), 14), (1000, Some(4000), 31), (4000, None, 35)]));
}

#[test]
fn last_bins_with_too_few_sessions_are_added_to_the_last_range() {
    assert_eq!(ranges(&[(300, 10), (5000, 9)]), Some(vec![(0, None, 19)]));
    assert_eq!(ranges(&[(300, 10), (5000, 10)]), Some(vec![(0, Some(320), 10), (320, None, 10)]));
    assert_eq!(ranges(&[(300, 10)]), Some(vec![(0, None, 10)]));
    assert_eq!(ranges(&[(90, 10), (200_000, 10)]), Some(vec![(0, Some(100), 10), (100, None, 10)]));
}

#[test]
fn distribution_with_too_few_sessions_has_no_histogram() {
    assert_eq!(ranges(&[(300, 4), (500, 5)]), None);
    assert_eq!(ranges(&[]), None);
}

#[test]
fn value_on_an_edge_belongs_to_the_range_above_it() {
    assert_eq!(ranges(&[(990, 10), (1000, 10)]), Some(vec![(0, Some(1000), 10), (1000, None, 10)]));
}

proptest! {
    #[test]
    fn every_session_is_in_one_range_of_at_least_ten_sessions(values in vec((0_u32..400_000, 1_u64..8), 0..60)) {
        let distribution = distribution(&values);
        let Some(ranges) = histogram(distribution.values(), MIN_IN_RANGE) else {
            prop_assert!(distribution.sessions() < MIN_IN_RANGE);
            return Ok(());
        };
        prop_assert!(ranges.len() <= 32);
        prop_assert_eq!(ranges[0].0, 0);
        prop_assert_eq!(ranges[ranges.len() - 1].1, None);
        prop_assert!(ranges.windows(2).all(|pair| pair[0].1 == Some(pair[1].0)));
        for (from, to, sessions) in ranges {
            let within = |value: u32| value >= from && to.is_none_or(|to| value < to);
            let counted: u64 = values.iter().filter(|(value, _)| within(*value)).map(|(_, n)| n).sum();
            prop_assert_eq!(sessions, counted);
            prop_assert!(sessions >= MIN_IN_RANGE);
            prop_assert!(from == 0 || BINS.contains(&from));
        }
    }

    #[test]
    fn percentiles_equal_the_percentiles_of_the_sorted_values(values in vec(0_u32..50, 0..300)) {
        let mut sorted = values.clone();
        sorted.sort_unstable();
        let pairs: Vec<_> = values.iter().map(|value| (*value, 1)).collect();
        let naive = |percent: usize| {
            let rank = (percent * sorted.len()).div_ceil(100);
            let value = *sorted.get(rank.checked_sub(1)?)?;
            let enough = |near: &dyn Fn(u32) -> bool| sorted.iter().filter(|v| near(**v)).count() >= 10;
            (enough(&|v| v <= value) && enough(&|v| v >= value)).then_some(value)
        };
        prop_assert_eq!(percentiles(&pairs), [naive(50), naive(90), naive(95), naive(99)]);
    }
}
