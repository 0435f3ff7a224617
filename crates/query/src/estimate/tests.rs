use super::{Ratio, Sum};

fn noisy(value: i64, sigma: f64) -> Sum {
    Sum { value, variance: sigma * sigma }
}

/// Returns the ratio of two sums.
fn ratio(over: Sum, under: Sum) -> Ratio {
    Ratio::of(&[(over, 1.0, 0.0), (under, 0.0, 1.0)])
}

#[test]
fn variances_of_independent_noise_add_up() {
    let mut sum = Sum::default();
    (0..60).for_each(|_| sum.add(3, 64.0));
    assert_eq!((sum.value, sum.error()), (180, 8.0 * 60_f64.sqrt()));
}

#[test]
fn exact_ratio_has_no_error() {
    assert_eq!(ratio(Sum::exact(1), Sum::exact(8)), Ratio::Known(0.125, 0.0));
    assert_eq!(ratio(Sum::exact(1), Sum::exact(0)), Ratio::Undefined);
}

#[test]
fn ratio_is_too_noisy_if_the_denominator_is_below_five_deviations() {
    assert_eq!(ratio(noisy(3, 8.0), noisy(39, 8.0)), Ratio::TooNoisy);
    assert!(matches!(ratio(noisy(3, 8.0), noisy(40, 8.0)), Ratio::Known(..)));
    assert_eq!(ratio(noisy(3, 8.0), noisy(-400, 8.0)), Ratio::TooNoisy);
    // For this rule, noise in the numerator does not matter.
    assert!(matches!(ratio(noisy(3, 8_000.0), Sum::exact(1)), Ratio::Known(..)));
}

#[test]
fn error_of_a_ratio_includes_numerator_and_denominator() {
    // The expected error is √(σ_X² + R² σ_Y²) / Y.
    let Ratio::Known(value, error) = ratio(noisy(50, 3.0), noisy(100, 8.0)) else { panic!("a ratio") };
    assert_eq!((value, error), (0.5, (9.0 + 0.25 * 64.0_f64).sqrt() / 100.0));
}

/// A generator of standard normal deviates, which gives the same numbers in every run. It applies the Box-Muller
/// transform to a linear congruential generator.
struct Normal(u64);

impl Normal {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    fn draw(&mut self, sigma: f64) -> f64 {
        let (radius, angle) = (self.uniform(), self.uniform());
        sigma * (-2.0 * radius.ln()).sqrt() * (2.0 * std::f64::consts::PI * angle).cos()
    }
}

/// Adds noise to the sums of a ratio 40,000 times. Returns the standard deviation of these ratios from the true ratio,
/// and the mean of the reported standard errors.
fn drawn(terms: &[(Sum, f64, f64)]) -> (f64, f64) {
    const DRAWS: u32 = 40_000;
    let Ratio::Known(truth, _) = Ratio::of(terms) else { panic!("a ratio") };
    let mut normal = Normal(7);
    let (mut squares, mut errors) = (0.0, 0.0);
    for _ in 0..DRAWS {
        let noisy: Vec<_> = terms
            .iter()
            .map(|(sum, over, under)| {
                let value = sum.value + normal.draw(sum.error()).round() as i64;
                (Sum { value, ..*sum }, *over, *under)
            })
            .collect();
        let Ratio::Known(value, error) = Ratio::of(&noisy) else { continue };
        squares += (value - truth).powi(2);
        errors += error;
    }
    ((squares / f64::from(DRAWS)).sqrt(), errors / f64::from(DRAWS))
}

#[test]
fn reported_errors_of_ratios_equal_the_deviations_of_simulated_ratios() {
    let stalled = noisy(900_000, 400_000.0);
    let playing = noisy(30_000_000, 1_500_000.0);
    let (plays, failures, attempts) = (noisy(700, 31.0), noisy(40, 31.0), noisy(800, 31.0));
    for terms in [
        vec![(stalled, 1.0, 1.0), (playing, 0.0, 1.0)],
        vec![(failures, 1.0, 0.0), (attempts, 0.0, 1.0)],
        vec![(attempts, 1.0, 1.0), (plays, -1.0, 0.0), (failures, -1.0, 0.0)],
        vec![(playing, 1.0, 0.0), (plays, 0.0, 1.0)],
        vec![(playing, 1.0, 0.0), (Sum::exact(900), 0.0, 1.0)],
    ] {
        let (deviation, error) = drawn(&terms);
        assert!((error / deviation - 1.0).abs() < 0.03, "{error} for {deviation}: {terms:?}");
    }
}
