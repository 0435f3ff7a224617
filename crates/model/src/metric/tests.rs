use super::*;
use crate::Span;

#[test]
fn number_of_each_metric_is_its_index() {
    assert!(SumMetric::ALL.into_iter().enumerate().all(|(at, sum)| sum as usize == at));
    assert!(ValueMetric::ALL.into_iter().enumerate().all(|(at, value)| value as usize == at));
    assert!(Metric::ALL.into_iter().enumerate().all(|(at, metric)| metric.index() == at));
    assert!(Metric::ALL.into_iter().all(|metric| Metric::named(metric.name()) == Some(metric)));
}

#[test]
fn cmcd_key_gives_its_metric_and_other_keys_give_none() {
    for (key, metric) in [
        ("bsda", Metric::Sum(SumMetric::StalledMs)),
        ("dfa", Metric::Sum(SumMetric::DroppedFrames)),
        ("br", Metric::Value(ValueMetric::BitrateKbps)),
    ] {
        assert_eq!(Metric::of_cmcd(key).map(|(metric, _)| metric), Some(metric), "{key}");
    }
    assert_eq!(Metric::of_cmcd("sid"), None);
    assert_eq!(SumMetric::TOTALS, [SumMetric::StalledMs, SumMetric::Stalls, SumMetric::DroppedFrames]);
}

#[test]
fn limits_per_second_and_per_window_grow_with_the_window() {
    assert_eq!(SumMetric::PlayingMs.most().of(Span::MINUTE, Span::from_millis(90_000)), 150_000);
    assert_eq!(SumMetric::DroppedFrames.most().of(Span::from_millis(1_500), Span::ZERO), 240);
    assert_eq!(SumMetric::Attempts.most().of(Span::DAY, Span::ZERO), 10);
}
