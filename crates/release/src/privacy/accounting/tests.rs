use super::{epsilon, rho, tail, tau};

fn assert_near(one: f64, other: f64, relative: f64) {
    assert!((one / other - 1.0).abs() < relative, "{one} differs from {other}");
}

/// The expected values were computed with mpmath, from the same formula.
#[test]
fn conversion_equals_the_published_formula() {
    assert_near(rho(1.0, 5e-9), 0.016_468_352_674, 1e-8);
    assert_near(epsilon(365.0 * 0.016_468_352_674, 5e-9), 26.421_532, 1e-6);
    assert_near(epsilon(rho(0.3, 1e-7), 1e-7), 0.3, 1e-9);
    assert_near(epsilon(rho(10.0, 1e-30), 1e-30), 10.0, 1e-9);
}

#[test]
fn conversion_is_never_worse_than_the_simple_conversion() {
    for (budget, delta) in [(0.01, 1e-12), (1.0, 5e-9), (3.0, 1e-4), (10.0, 1e-6)] {
        let rho: f64 = rho(budget, delta);
        let simple = rho + 2.0 * (rho * -f64::ln(delta)).sqrt();
        assert!(simple > budget, "ε {budget}, δ {delta}: ρ {rho} is below the ρ of the simple conversion");
        // ε is the upper bound of the search for ρ.
        assert!(rho < budget, "ρ is {rho} for ε {budget} and δ {delta}");
    }
}

#[test]
fn tail_equals_the_sum_of_its_probabilities_or_is_a_close_upper_bound() {
    for (sigma, from) in [(0.3_f64, 1_u64), (2.0, 1), (2.0, 9), (38.2, 240), (999.0, 3_000)] {
        let weight = |x: i64| (-(x * x) as f64 / (2.0 * sigma * sigma)).exp();
        let far = (40.0 * sigma) as i64 + 40;
        let exact = (from as i64..far).map(weight).sum::<f64>() / (-far..far).map(weight).sum::<f64>();
        let computed = tail(sigma, from);
        // For a σ below 1, the normalising sum is only bounded, so the tolerance is larger.
        assert_near(computed, exact, if sigma < 1.0 { 0.01 } else { 1e-7 });
        assert!(computed >= exact * (1.0 - 1e-9));
    }
    // For a large σ, the sum in blocks is an upper bound that is close to the exact value.
    let sigma = 50_000.0_f64;
    let exact = (150_000..1_000_000_i64).map(|x| (-(x as f64 / sigma).powi(2) / 2.0).exp()).sum::<f64>()
        / (sigma * std::f64::consts::TAU.sqrt());
    assert!((exact..1.01 * exact).contains(&tail(sigma, 150_000)));
}

#[test]
fn tau_is_the_smallest_threshold_within_the_allowed_probability() {
    for (sigma, chance) in [(38.175_132, 5e-9 / 24.0), (1.0, 0.01), (153.0, 1e-12), (0.2, 0.05)] {
        let tau = tau(sigma, chance);
        assert!(tail(sigma, tau - 1) <= chance, "τ is {tau} for σ {sigma} and probability {chance}");
        assert!(
            tau == 2 || tail(sigma, tau - 2) > chance,
            "τ is {tau} for σ {sigma} and probability {chance}"
        );
    }
}
