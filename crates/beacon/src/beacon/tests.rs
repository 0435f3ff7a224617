use super::*;
use crowdfold_model::ValueMetric;

fn amount(value: f64) -> Amount {
    Amount::fraction(Number::Value(ValueMetric::BandwidthKbps), value).unwrap()
}

#[test]
fn amount_is_rounded_once_half_up() {
    for (value, rounded) in [(0.0, 0), (0.4, 0), (0.5, 1), (0.99, 1), (1.5, 2), (7.0, 7)] {
        assert_eq!(amount(value).rounded(), rounded, "{value}");
    }
    for (value, hundreds) in
        [(49.0, 0), (49.9, 0), (50.0, 100), (149.6, 100), (150.0, 200), (10_049.5, 10_000)]
    {
        assert_eq!(amount(value).to_multiple_of(100), hundreds, "{value}");
    }
    for (value, digits) in [
        (0.0, 0),
        (9.5, 10),
        (99.4, 99),
        (99.5, 100),
        (104.9, 100),
        (105.0, 110),
        (994.9, 990),
        (995.0, 1000),
        (1_049.0, 1_000),
        (1_050.0, 1_100),
        (5_449.9, 5_400),
        (99_500_000.0, 100_000_000),
    ] {
        assert_eq!(amount(value).to_two_digits(), digits, "{value}");
    }
}

#[test]
fn negative_infinite_and_too_large_numbers_are_not_amounts() {
    assert!(Amount::whole(Number::Ts, 1 << 53).is_none());
    assert!(Amount::whole(Number::Ts, (1 << 53) - 1).is_some());
    for value in [-0.1, f64::NAN, f64::INFINITY, 100_000_000.5] {
        assert!(Amount::fraction(Number::Value(ValueMetric::BandwidthKbps), value).is_none(), "{value}");
    }
    assert_eq!(Amount::fraction(Number::Value(ValueMetric::BandwidthKbps), -0.0), Some(Amount::ZERO));
}
