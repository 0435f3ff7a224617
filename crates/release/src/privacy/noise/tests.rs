use super::*;
use crate::testing::{cell, cell_key};
use crowdfold_model::{Span, SumMetric, Timestamp, ValueMetric, Window};

fn secret() -> Secret {
    Secret::new(std::array::from_fn(|at| at as u8))
}

const NOISE_KEY: NoiseKey<'_> = NoiseKey {
    policy: 7,
    tenant: "acme",
    window: Window::at(Timestamp::EPOCH, Span::HOUR),
    breakdown: "os.browser",
};

fn draws(
    secret: &Secret,
    noise_key: &NoiseKey<'_>,
    values: &[&str],
    cell: &Cell,
    measure: &str,
) -> Vec<i128> {
    let mut draws = CellNoise::new(secret, noise_key, &cell_key(values), cell).of(measure);
    (0..12).map(|_| draws.next(SIGMA)).collect()
}

const SIGMA: Sigma = Sigma(38_175_132);

/// The values are fixed, because a worker that repeats an aborted transaction must draw the same noise. If an upgrade
/// changed the noise, the two transactions would contain the same values with different noise. If the draws must
/// change, increment RULES.
#[test]
fn same_cell_always_draws_the_same_noise() {
    let drawn = draws(&secret(), &NOISE_KEY, &["Windows", "Edge"], &cell(300), "sessions");
    assert_eq!(drawn, KNOWN);
}

const KNOWN: [i128; 12] = [13, -8, -1, 23, -7, 49, -30, -9, -9, -31, 15, 62];

#[test]
fn every_input_of_the_noise_changes_every_draw() {
    let of = |noise_key: &NoiseKey<'_>, values: &[&str], cell: &Cell, measure: &str| {
        draws(&secret(), noise_key, values, cell, measure)
    };
    let mut with_sum = cell(300);
    with_sum.sums[SumMetric::Stalls] = 1;
    let mut with_value = cell(300);
    with_value.values[ValueMetric::BitrateKbps].record(3200);
    let values = ["Windows", "Edge"];
    let all = [
        of(&NOISE_KEY, &values, &cell(300), "sessions"),
        of(&NOISE_KEY, &values, &cell(300), "plays"),
        of(&NOISE_KEY, &values, &cell(301), "sessions"),
        of(&NOISE_KEY, &values, &with_sum, "sessions"),
        of(&NOISE_KEY, &values, &with_value, "sessions"),
        of(&NOISE_KEY, &["WindowsE", "dge"], &cell(300), "sessions"),
        of(&NOISE_KEY, &["Windows"], &cell(300), "sessions"),
        of(&NoiseKey { policy: 8, ..NOISE_KEY }, &values, &cell(300), "sessions"),
        of(&NoiseKey { tenant: "acm", ..NOISE_KEY }, &values, &cell(300), "sessions"),
        of(&NoiseKey { breakdown: "os", ..NOISE_KEY }, &values, &cell(300), "sessions"),
        of(
            &NoiseKey { window: Window::at(Timestamp::from_millis(3_600_000), Span::HOUR), ..NOISE_KEY },
            &values,
            &cell(300),
            "sessions",
        ),
        draws(&Secret::new([0; 32]), &NOISE_KEY, &values, &cell(300), "sessions"),
    ];
    for (at, one) in all.iter().enumerate() {
        for other in &all[..at] {
            assert!(one.iter().zip(other).filter(|(a, b)| a == b).count() < 4, "{one:?} {other:?}");
        }
    }
}

/// Returns the chi-squared statistic of draws compared with a discrete Gaussian, and its degrees of freedom. The bins
/// have equal width up to 3σ, and there are two bins for the tails.
fn chi_squared(drawn: &[i128], sigma: f64) -> (f64, usize) {
    let weight = |x: i64| (-((x * x) as f64) / (2.0 * sigma * sigma)).exp();
    let far = (12.0 * sigma) as i64;
    let all: f64 = (-far..=far).map(weight).sum();
    let width = (sigma / 5.0).ceil() as i64;
    let reach = (3.0 * sigma) as i64 / width * width;
    let bin = |x: i64| (x.clamp(-reach - 1, reach) + reach + width) / width;
    let bins = bin(reach) as usize + 1;
    let (mut seen, mut expected) = (vec![0.0; bins], vec![0.0; bins]);
    drawn.iter().for_each(|x| seen[bin(*x as i64) as usize] += 1.0);
    (-far..=far).for_each(|x| expected[bin(x) as usize] += drawn.len() as f64 * weight(x) / all);
    assert!(expected.iter().all(|bin| *bin >= 5.0), "{expected:?}");
    let statistic = seen.iter().zip(&expected).map(|(seen, expected)| (seen - expected).powi(2) / expected);
    (statistic.sum(), bins - 1)
}

/// Returns the critical value of the chi-squared statistic for these degrees of freedom. The statistic exceeds it with
/// a probability of 1 in 100,000 (approximation of Wilson and Hilferty).
fn critical(freedom: usize) -> f64 {
    let ninths = 2.0 / (9.0 * freedom as f64);
    freedom as f64 * (1.0 - ninths + 4.265 * ninths.sqrt()).powi(3)
}

fn sample(sigma: Sigma, count: u64) -> Vec<i128> {
    // Each draw is the noise of a different cell, as in a deployment.
    (0..count)
        .map(|n| {
            CellNoise::new(&secret(), &NOISE_KEY, &cell_key(&["a"]), &cell(n)).of("sessions").next(sigma)
        })
        .collect()
}

#[test]
fn invariant_9_draws_are_a_discrete_gaussian_and_other_distributions_are_detected() {
    for (sigma, count) in [(SIGMA, 20_000), (Sigma(1_300_000), 10_000), (Sigma(612_345_678_000), 10_000)] {
        let drawn = sample(sigma, count);
        let (statistic, freedom) = chi_squared(&drawn, sigma.to_f64());
        assert!(
            statistic < critical(freedom),
            "{sigma:?}: χ² is {statistic} with {freedom} degrees of freedom"
        );
        // Draws with a σ that is too small by a twentieth are detected.
        if count >= 20_000 {
            let (statistic, freedom) = chi_squared(&drawn, sigma.to_f64() * 1.05);
            assert!(
                statistic > critical(freedom),
                "{sigma:?}: χ² is {statistic} with {freedom} degrees of freedom"
            );
        }
        // Draws that are shifted by a tenth of σ are detected.
        let leaning: Vec<_> = drawn.iter().map(|x| x + (sigma.to_f64() / 10.0).ceil() as i128).collect();
        let (statistic, freedom) = chi_squared(&leaning, sigma.to_f64());
        assert!(
            statistic > critical(freedom),
            "{sigma:?}: χ² is {statistic} with {freedom} degrees of freedom"
        );
    }
}

#[test]
fn value_with_noise_is_never_negative_and_does_not_overflow() {
    assert_eq!(not_negative(-1), 0);
    assert_eq!(not_negative(i128::MIN), 0);
    assert_eq!(not_negative(i128::MAX), u64::MAX);
    let mut draws = CellNoise::new(&secret(), &NOISE_KEY, &cell_key(&["a"]), &cell(1)).of("x");
    let covered: Vec<u64> = (0..200).map(|_| draws.cover(0, SIGMA)).collect();
    assert!(covered.iter().filter(|value| **value == 0).count() > 50);
    // With a σ that is too large for the type, a value becomes 0 or the maximum.
    let huge = Sigma(u128::MAX);
    let covered: Vec<u64> = (0..20).map(|_| draws.cover(5, huge)).collect();
    assert!(covered.iter().all(|value| *value == 0 || *value == u64::MAX), "{covered:?}");
}

#[test]
fn sigma_is_rounded_up_to_millionths() {
    let rho = 0.016_468_352_674;
    let sigma = Sigma::of(1, 24, rho / 2.0);
    assert_eq!(sigma, SIGMA);
    assert!(sigma.to_f64() >= (24.0 / rho).sqrt());
    assert_eq!(Sigma::of(1, 456, rho / 2.0).rounded_up(), Sigma(167_000_000));
    assert_eq!(SIGMA.rounded_up(), SIGMA);
}
