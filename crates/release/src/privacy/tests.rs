use super::*;

const HOUR: Span = Span::HOUR;
const DEFAULT: PrivacySettings =
    PrivacySettings { epsilon: 1.0, delta: 1e-8, window: HOUR, idle: Span::SECOND.times(90) };

fn rounded(sigma: Sigma, digits: i32) -> f64 {
    let unit = 10_f64.powi(digits);
    (sigma.to_f64() * unit).round() / unit
}

/// The expected values are those in docs/internals/privacy-model.md, "Differential privacy".
#[test]
fn sigma_and_tau_equal_the_documented_values() {
    for (window, breakdowns, sigma, digits, tau) in
        [(HOUR, 1, 38.2, 1, 240), (HOUR, 2, 54.0, 1, 345), (HOUR / 4, 4, 153.0, 0, 1020)]
    {
        let privacy = Privacy::new(&PrivacySettings { window, ..DEFAULT }, breakdowns).unwrap();
        assert_eq!((rounded(privacy.sigma(), digits), privacy.tau()), (sigma, tau), "{window} {breakdowns}");
    }
    // These would be σ and τ if the session count alone used the whole budget.
    let privacy = Privacy::new(&DEFAULT, 1).unwrap();
    let alone = Sigma::of(1, 24, privacy.rho());
    assert_eq!(rounded(alone, 1), 27.0);
    assert_eq!(accounting::tau(alone.to_f64(), 5e-9 / 24.0), 171);
}

#[test]
fn whole_budget_is_used_and_not_exceeded() {
    for breakdowns in 1..6 {
        let privacy = Privacy::new(&DEFAULT, breakdowns).unwrap();
        assert_eq!(privacy.releases(), 24 * breakdowns as u64);
        let weights: f64 = privacy.measures().iter().map(|measure| measure.weight).sum();
        assert!((weights - 1.0).abs() < 1e-12, "{weights}");
        // The budget that one session uses in a day: half of the squared ratio of its maximum contribution to σ, summed
        // over all measures of all tables.
        let used: f64 = privacy
            .measures()
            .iter()
            .map(|measure| {
                let (clamp, sigma) = (measure.clamp as f64, measure.sigma.to_f64());
                privacy.releases() as f64 * clamp * clamp / (2.0 * sigma * sigma)
            })
            .sum();
        assert!(used <= privacy.rho() && used > 0.99 * privacy.rho(), "{used} {}", privacy.rho());
    }
}

#[test]
fn every_measure_has_a_clamp_and_the_session_count_has_half_of_the_budget() {
    let privacy = Privacy::new(&DEFAULT, 1).unwrap();
    let clamps: Vec<_> = privacy.measures().iter().map(|measure| (measure.name, measure.clamp)).collect();
    assert_eq!(
        clamps[..10],
        [
            ("sessions", 1),
            ("beacons", 370),
            ("attempts", 10),
            ("plays", 10),
            ("startup_failures", 10),
            ("playback_failures", 10),
            ("playing_ms", 3_690_000),
            ("stalled_ms", 3_690_000),
            ("stalls", 3600),
            ("dropped_frames", 432_000),
        ]
    );
    assert_eq!(clamps.len(), 28);
    assert_eq!((clamps[14], clamps[15]), (("seeking_ms", 3_690_000), ("exits_before_start", 10)));
    assert!(clamps[16..].iter().all(|(_, clamp)| *clamp == 1), "{clamps:?}");
    let names = crowdfold_model::ErrorClass::ALL.map(|class| format!("errors.{}", class.name()));
    assert_eq!(clamps[17..23].iter().map(|(name, _)| *name).collect::<Vec<_>>(), names);
    assert_eq!(privacy.measures()[0].weight, 0.5);
    assert!(privacy.measures()[1..].iter().all(|measure| measure.weight == 0.5 / 27.0));
}

#[test]
fn guarantee_is_weak_for_a_session_id_that_stays_the_same_for_a_year() {
    let privacy = Privacy::new(&DEFAULT, 1).unwrap();
    let (epsilon, delta) = privacy.composed(YEAR);
    assert!((26.4..26.5).contains(&epsilon), "{epsilon}");
    assert!((delta / 1.83e-6 - 1.0).abs() < 1e-9, "{delta}");
    let (day, chance) = privacy.composed(1);
    assert!((day - 1.0).abs() < 1e-9 && (chance - 1e-8).abs() < 1e-20, "{day} {chance}");
}

#[test]
fn invalid_budget_is_refused_with_the_fix() {
    let refused = |settings: PrivacySettings| Privacy::new(&settings, 5).unwrap_err().to_string();
    for epsilon in [0.0, -1.0, 10.1, f64::NAN, f64::INFINITY] {
        let message = refused(PrivacySettings { epsilon, ..DEFAULT });
        assert!(message.starts_with(&format!("epsilon is {epsilon:?}, but")), "{message}");
    }
    for delta in [0.0, -1.0, 1.0, f64::NAN] {
        let message = refused(PrivacySettings { delta, ..DEFAULT });
        assert!(message.starts_with(&format!("delta is {delta:?}, but")), "{message}");
    }
    assert!(
        refused(PrivacySettings { window: Span::SECOND * 7, ..DEFAULT }).contains("does not divide a day")
    );
    for epsilon in [1e-6, 1e-300] {
        let message = refused(PrivacySettings { epsilon, window: Span::SECOND, ..DEFAULT });
        assert!(message.contains("would be released; raise epsilon"), "{message}");
    }
    assert!(Privacy::new(&PrivacySettings { delta: f64::MIN_POSITIVE, ..DEFAULT }, 5).is_ok());
}

#[test]
fn secret_is_never_printed() {
    let mut privacy = Privacy::new(&DEFAULT, 1).unwrap();
    let before = privacy.fingerprint_text();
    privacy.keyed(Secret::new([0xab; 32]));
    let after = privacy.fingerprint_text();
    assert_ne!(before, after);
    for text in [format!("{privacy:?}"), after] {
        assert!(!text.contains("171, 171") && !text.contains("abab"), "{text}");
    }
    assert_eq!(format!("{:?}", Secret::new([1; 32])), "Secret(********)");
}
