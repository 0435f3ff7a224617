use super::{BOUNDED_FIELDS, Budget, COUNT};
use crate::Span;

fn at(name: &str) -> usize {
    BOUNDED_FIELDS.iter().position(|field| field.name == name).unwrap()
}

/// Returns the bounded contributions of a session with these amounts. Fields with the contribution 0 are left out.
fn bound(window: Span, amounts: &[(&str, u64)]) -> Vec<(&'static str, u64)> {
    let mut all = [0; COUNT];
    amounts.iter().for_each(|(name, amount)| all[at(name)] = *amount);
    let bounded = Budget::new(window).bound(all).0;
    let named = BOUNDED_FIELDS.iter().zip(bounded).map(|(field, amount)| (field.name, amount));
    named.filter(|(_, amount)| *amount > 0).collect()
}

#[test]
fn amount_above_the_clamp_of_its_field_becomes_the_clamp() {
    for field in BOUNDED_FIELDS {
        assert_eq!(bound(Span::MINUTE, &[(field.name, u64::MAX)]), [(field.name, field.clamp(Span::MINUTE))]);
        let less = field.clamp(Span::MINUTE).saturating_sub(1);
        let expected: &[(&str, u64)] = if less > 0 { &[(field.name, less)] } else { &[] };
        assert_eq!(bound(Span::MINUTE, &[(field.name, less)]), expected);
    }
}

#[test]
fn four_amounts_at_their_clamps_use_the_whole_budget() {
    let full = |names: &[&'static str]| -> Vec<(&'static str, u64)> {
        names.iter().map(|name| (*name, BOUNDED_FIELDS[at(name)].clamp(Span::MINUTE))).collect()
    };
    let four = full(&["attempts", "plays", "stalls", "playing_ms"]);
    assert_eq!(bound(Span::MINUTE, &four), four);
    let five = full(&["attempts", "plays", "errors.drm", "stalls", "playing_ms"]);
    assert_eq!(bound(Span::MINUTE, &five), five[..4], "the last amount exceeds the remaining budget");
}

#[test]
fn amount_that_exceeds_the_remaining_budget_leaves_the_budget_to_later_fields() {
    // The first four amounts cost 3 + (30/60)² = 3.25 of the budget of 4. With the startup of 9 s, the sum would be
    // 4.06, so the startup becomes 0. With the playing time of 50 s, the sum is 3.94.
    let session = [
        ("attempts", 1),
        ("plays", 1),
        ("errors.network", 1),
        ("dropped_frames", 30),
        ("startup_ms", 9_000),
        ("playing_ms", 50_000),
    ];
    let expected = [
        ("attempts", 1),
        ("plays", 1),
        ("errors.network", 1),
        ("dropped_frames", 30),
        ("playing_ms", 50_000),
    ];
    assert_eq!(bound(Span::MINUTE, &session), expected);
}

/// With floating-point numbers, the sum of these squares could be slightly more or less than the budget.
#[test]
fn amounts_that_cost_exactly_the_budget_are_accepted() {
    let ninths = [
        ("attempts", 1),
        ("plays", 1),
        ("errors.other", 1),
        ("stalls", 2),
        ("stalled_ms", 10_000),
        ("switches", 1),
    ];
    assert_eq!(bound(Span::MINUTE, &ninths), ninths, "3 + 4/9 + 4/9 + 1/9 = 4");
    let mut beyond = ninths;
    beyond[4].1 = 10_001;
    let expected: Vec<_> = beyond.into_iter().filter(|(name, _)| *name != "stalled_ms").collect();
    assert_eq!(bound(Span::MINUTE, &beyond)[..4], expected[..4]);
}

#[test]
fn clamps_per_minute_grow_with_the_window_and_are_at_least_one() {
    let clamps = |window: Span| {
        ["attempts", "stalls", "stalled_ms", "startup_ms", "playing_ms"]
            .map(|name| BOUNDED_FIELDS[at(name)].clamp(window))
    };
    assert_eq!(clamps(Span::MINUTE), [1, 3, 15_000, 10_000, 60_000]);
    assert_eq!(clamps(Span::HOUR), [1, 180, 900_000, 10_000, 3_600_000]);
    assert_eq!(clamps(Span::SECOND), [1, 1, 250, 10_000, 1_000]);
    assert_eq!(clamps(Span::from_millis(30_000)), [1, 2, 7_500, 10_000, 30_000]);
    assert_eq!(clamps(Span::ZERO), [1, 1, 1, 10_000, 1]);
}

/// The configuration accepts only window lengths that divide a day.
#[test]
fn arithmetic_does_not_overflow_for_any_window_that_divides_a_day() {
    let lengths = (1_000..=Span::DAY.as_millis()).map(Span::from_millis);
    for window in lengths.filter(|window| Span::DAY.is_multiple_of(*window)) {
        let budget = Budget::new(window);
        let full = budget.clamps.iter().zip(budget.weights).map(|(clamp, weight)| {
            u128::from(*clamp).checked_pow(2).and_then(|square| square.checked_mul(weight)).unwrap()
        });
        assert_eq!(full.map(|cost| cost.checked_mul(4).unwrap()).collect::<Vec<_>>(), [budget.most; COUNT]);
    }
}

#[test]
fn fields_use_the_budget_in_the_documented_order() {
    let names = BOUNDED_FIELDS.map(|field| field.name);
    assert_eq!(
        names,
        [
            "attempts",
            "plays",
            "startup_failures",
            "playback_failures",
            "errors.network",
            "errors.manifest",
            "errors.media",
            "errors.drm",
            "errors.timeout",
            "errors.other",
            "stalls",
            "stalled_ms",
            "dropped_frames",
            "switches",
            "startup_ms",
            "bitrate_kbps",
            "bandwidth_kbps",
            "playing_ms",
        ]
    );
}
