use super::{error_variance, variance};
use crowdfold_model::{BOUNDED_FIELDS, Clamp, Metric, Span, SumMetric, ValueMetric};

#[test]
fn variance_of_each_metric_depends_on_its_own_clamp() {
    let classes = BOUNDED_FIELDS.iter().filter(|field| field.name.starts_with("errors.")).count();
    let shown = || Metric::ALL.into_iter().filter(|metric| metric.outside_detail() != Clamp::Hidden);
    assert_eq!((BOUNDED_FIELDS.len(), classes), (shown().count() + 6, 6));
    for metric in shown() {
        let fields = BOUNDED_FIELDS.iter().filter(|field| field.name == metric.name());
        assert_eq!(fields.count(), 1, "{}", metric.name());
    }
}

#[test]
fn noise_is_a_multiple_of_the_clamp_and_some_clamps_grow_with_the_window() {
    let sigma = |metric: Metric, window| variance(metric, 8, window).sqrt();
    assert_eq!(sigma(SumMetric::Plays.into(), Span::MINUTE), 8.0);
    assert_eq!(sigma(SumMetric::StalledMs.into(), Span::MINUTE), 120_000.0);
    assert_eq!(sigma(ValueMetric::BandwidthKbps.into(), Span::MINUTE), 240_000.0);
    assert_eq!(error_variance(8, Span::MINUTE), 64.0);
    let quarter = Span::MINUTE * 15;
    assert_eq!(
        (sigma(SumMetric::Plays.into(), quarter), sigma(SumMetric::Stalls.into(), quarter)),
        (8.0, 8.0 * 45.0)
    );
    assert_eq!(variance(SumMetric::Plays.into(), 0, Span::MINUTE), 0.0);
}

#[test]
fn window_longer_than_any_policy_allows_has_the_noise_of_a_day() {
    let (endless, day) = (Span::MAX, Span::DAY);
    for measure in Metric::ALL {
        assert_eq!(variance(measure, 100, endless), variance(measure, 100, day));
    }
}
