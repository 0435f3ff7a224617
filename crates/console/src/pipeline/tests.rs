use super::Pipeline;

const FIRST: &str = "\
# HELP crowdfold_beacons_total beacons by outcome, floored to a multiple of k
# TYPE crowdfold_beacons_total counter
crowdfold_beacons_total{outcome=\"read\"} 1200
crowdfold_beacons_total{outcome=\"late\"} 50
crowdfold_rejected_total{reason=\"late\"} 7
crowdfold_watermark_lag_seconds{stage=\"combine\",partition=\"0\"} 1.5
crowdfold_watermark_lag_seconds{stage=\"combine\",partition=\"1\"} NaN
crowdfold_ttl_headroom_seconds{topic=\"crowdfold.beacons\"} 3000
crowdfold_ledger_balanced{stage=\"combine\"} 1

damaged
";

const SECOND: &str = "\
crowdfold_beacons_total{outcome=\"read\"} 800
crowdfold_watermark_lag_seconds{stage=\"combine\",partition=\"2\"} 31
crowdfold_ttl_headroom_seconds{topic=\"crowdfold.beacons\"} -5
crowdfold_ledger_balanced{stage=\"combine\"} 0
";

#[test]
fn beacons_are_added_up_and_the_worst_lag_headroom_and_ledger_are_kept() {
    let mut pipeline = Pipeline::default();
    pipeline.add(FIRST);
    assert_eq!(
        (pipeline.lag_ms, pipeline.headroom_ms, pipeline.balanced),
        (Some(1_500), Some(3_000_000), Some(true))
    );
    pipeline.add(SECOND);
    pipeline.add(FIRST);
    assert_eq!(
        (pipeline.lag_ms, pipeline.headroom_ms, pipeline.balanced),
        (Some(31_000), Some(0), Some(false))
    );
    let beacons: Vec<_> = pipeline.beacons.iter().map(|(outcome, sum)| (outcome.as_str(), *sum)).collect();
    assert_eq!(beacons, [("late", 100), ("read", 3_200)]);
    assert_eq!(pipeline.workers, 3);
}

#[test]
fn absent_metrics_are_not_reported_as_zero() {
    let mut pipeline = Pipeline::default();
    pipeline.add("crowdfold_watermark_lag_seconds{partition=\"0\"} NaN\nup 1\n");
    assert_eq!((pipeline.lag_ms, pipeline.headroom_ms, pipeline.balanced), (None, None, None));
    assert!(pipeline.beacons.is_empty());
}
