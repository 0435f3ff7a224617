use super::{Measure, error_variance};
use crate::row::Window;
use crowdfold_release::BOUNDED_FIELDS;

const MINUTE: Window = Window { start: 120_000, end: 180_000 };

#[test]
fn every_measure_has_its_own_clamp() {
    let classes = BOUNDED_FIELDS.iter().filter(|field| field.name.starts_with("errors.")).count();
    assert_eq!((BOUNDED_FIELDS.len(), classes), (Measure::ALL.len() + 6, 6));
    for measure in Measure::ALL {
        let fields = BOUNDED_FIELDS.iter().filter(|field| field.name == measure.name());
        assert_eq!(fields.count(), 1, "{}", measure.name());
    }
}

#[test]
fn noise_is_a_multiple_of_the_clamp_which_grows_with_the_window() {
    let sigma = |measure: Measure, window| measure.variance(8, window).sqrt();
    assert_eq!(sigma(Measure::Plays, MINUTE), 8.0);
    assert_eq!(sigma(Measure::StalledMs, MINUTE), 120_000.0);
    assert_eq!(sigma(Measure::BandwidthKbps, MINUTE), 240_000.0);
    assert_eq!(error_variance(8, MINUTE), 64.0);
    let quarter = Window { start: 0, end: 900_000 };
    assert_eq!((sigma(Measure::Plays, quarter), sigma(Measure::Stalls, quarter)), (8.0, 8.0 * 45.0));
    assert_eq!(Measure::Plays.variance(0, MINUTE), 0.0);
}

#[test]
fn a_window_longer_than_any_policy_allows_has_the_noise_of_a_day() {
    let endless = Window { start: 0, end: u64::MAX };
    let day = Window { start: 0, end: 86_400_000 };
    for measure in Measure::ALL {
        assert_eq!(measure.variance(100, endless), measure.variance(100, day));
    }
}
