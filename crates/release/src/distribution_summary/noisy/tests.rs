use super::*;

fn bins(counts: &[(u32, i128)]) -> [i128; BIN_COUNT] {
    let mut bins = [0; BIN_COUNT];
    counts.iter().for_each(|(value, sessions)| bins[bin_of(*value)] += sessions);
    bins
}

#[test]
fn value_equal_to_a_lower_edge_is_in_the_bin_above_that_edge() {
    assert_eq!([0, 99, 100, 129, 130, 99_999, 100_000, u32::MAX].map(bin_of), [0, 0, 1, 1, 2, 30, 31, 31]);
    assert_eq!((from(0), from(1), from(31)), (0, 100, 100_000));
    assert_eq!((middle(0), middle(1), middle(31)), (50, 115, 100_000));
}

#[test]
fn adjusted_counts_are_not_negative_and_keep_their_total() {
    let without_negatives_of = |first: &[i128]| {
        let mut bins = [0; BIN_COUNT];
        bins[..first.len()].copy_from_slice(first);
        without_negatives(&bins)
    };
    assert_eq!(without_negatives_of(&[-3, 10, -4, 20])[..5], [0, 7, 0, 16, 0]);
    assert_eq!(without_negatives_of(&[50, -60, 5])[..3], [0, 0, 0], "every bin is 0 if the total is 0");
    assert_eq!(without_negatives_of(&[50, -10, 0])[..3], [40, 0, 0], "no bin exceeds the total");
    assert_eq!(without_negatives_of(&[i128::MAX, i128::MAX]).iter().copied().max(), Some(u64::MAX));
    assert_eq!(without_negatives_of(&[i128::MIN, 5]).iter().sum::<u64>(), 0);
}

#[test]
fn percentile_is_published_only_if_enough_sessions_are_above_and_below_it() {
    // With σ = 10, two standard deviations of the total of 32 bins are 2·10·√32 = 113.1. So at least 114 sessions
    // must be above and below a percentile.
    let summary_of = |sessions: i128| {
        DistributionSummary::of_noisy(&bins(&[(1000, sessions / 2), (5000, sessions / 2)]), 10.0, false)
    };
    let large = summary_of(12_000);
    assert_eq!((large.sessions, large.sum), (12_000, 6_000 * 1_150 + 6_000 * 5_650));
    // Half of the values are in [1000, 1300), and half in [5000, 6300). The lowest 90 % of all values are the first
    // half and 80 % of the second half.
    assert_eq!(
        (large.p50, large.p90, large.p95, large.p99),
        (Some(1300), Some(6000), Some(6200), Some(6300))
    );
    let small = summary_of(228);
    assert_eq!((small.p50, small.p90, small.p95, small.p99), (Some(1300), None, None, None));
    assert_eq!(summary_of(226).p50, None);
    let open = DistributionSummary::of_noisy(&bins(&[(200_000, 5_000)]), 10.0, true);
    assert_eq!((open.p50, open.sum), (None, 500_000_000), "no percentile is in the open bin");
}

#[test]
fn range_has_at_least_two_standard_deviations_of_sessions_and_all_sessions_are_in_ranges() {
    let bins = bins(&[(50, 15), (100, 9), (2000, 40), (200_000, 3)]);
    let summary = DistributionSummary::of_noisy(&bins, 10.0, true);
    assert_eq!(summary.histogram, Some(vec![(0, Some(130), 24), (130, None, 43)]));
    assert_eq!(DistributionSummary::of_noisy(&bins, 40.0, true).histogram, None);
    assert_eq!(DistributionSummary::of_noisy(&bins, 10.0, false).histogram, None);
}

#[test]
fn two_digits_rounds_to_two_significant_digits() {
    assert_eq!([7, 99, 100, 1249, 1250, 99_500].map(two_digits), [7, 99, 100, 1200, 1300, 100_000]);
}
