//! Tests of the noise outside the detail table. For each field, the noise is the published number minus the number that
//! the oracle computes with clamps and noise budget. The noise must have mean 0 and the documented standard deviation.

use std::collections::BTreeMap;

use crowdfold_random::Random;
use crowdfold_release::Secret;
use crowdfold_testkit::oracle::{self, BOUNDED, Detail, clamp_of};
use serde_json::Value;

use super::{differences, log, operators_with, settings};

const SCENARIOS: u64 = 1_500;

/// The maximum deviation of a mean or a variance, in its standard deviations. There are 18 means and 18 variances.
const MOST: f64 = 4.5;

/// The noise of one field in all rows, as multiples of the documented standard deviation.
#[derive(Default)]
struct Residuals {
    count: f64,
    sum: f64,
    squares: f64,
}

impl Residuals {
    fn add(&mut self, residual: f64) {
        self.count += 1.0;
        self.sum += residual;
        self.squares += residual * residual;
    }

    /// Returns the mean divided by its standard deviation.
    fn mean(&self) -> f64 {
        self.sum / self.count.sqrt()
    }

    /// Returns the difference between the sum of squares and its expected value, divided by its standard deviation. The
    /// sum has a χ² distribution, and the number of residuals is its degrees of freedom.
    fn variance(&self) -> f64 {
        (self.squares - self.count) / (2.0 * self.count).sqrt()
    }
}

/// Returns the number of a field in a row, by a name such as `plays` or `errors.network`.
fn field<'a>(row: &'a mut Value, name: &str) -> &'a mut Value {
    match name.split_once('.') {
        Some((_, class)) => &mut row["errors"][class],
        None if row[name].is_object() => &mut row[name]["sum"],
        None => &mut row[name],
    }
}

/// Compares the rows of many random logs with those of the oracle. Returns the noise of each field, or an error if a
/// number without noise differs. `wrong` changes the settings of the oracle.
fn compare(
    scenarios: u64,
    wrong: fn(&mut oracle::Settings),
) -> Result<BTreeMap<&'static str, Residuals>, String> {
    let mut residuals = BTreeMap::<&str, Residuals>::new();
    for seed in 0..scenarios {
        let mut dice = Random::new(2_000_000 + seed);
        let mut settings = settings(&mut dice);
        (settings.secret, settings.noise) = (true, 1 + seed % 3);
        let logs: Vec<_> =
            (0..1 + dice.below(3)).map(|partition| log(partition as usize, &mut dice)).collect();
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        let (mut rows, _) = operators_with(&logs, &settings, Some(&Secret::new(key)));
        let window = settings.window;
        let sigma = |name: &str| (settings.noise * clamp_of(name, window)) as f64;
        let sigmas: BTreeMap<_, _> = BOUNDED.iter().map(|(name, ..)| (*name, sigma(name))).collect();
        wrong(&mut settings);
        let mut expected = oracle::evaluate(&logs, &settings).rollups(&settings);
        // The field `policy` is not compared.
        rows.iter_mut().chain(&mut expected).for_each(|row| row["policy"] = Value::Null);
        let key =
            |row: &Value| ["tenant", "window", "breakdown", "dimensions"].map(|name| row[name].to_string());
        let mut by_key: BTreeMap<_, _> = expected.iter().map(|row| (key(row), row.clone())).collect();
        for row in rows.iter_mut().filter(|row| row["detail"] == false) {
            let Some(truth) = by_key.get_mut(&key(row)) else { continue };
            for (name, ..) in BOUNDED {
                let noisy = field(row, name);
                if !noisy.is_i64() {
                    return Err(format!("seed {seed}: {name} is {noisy}"));
                }
                let exact = field(truth, name).take();
                let residual = noisy.as_i64().unwrap_or(0) - exact.as_i64().unwrap_or(0);
                residuals.entry(name).or_default().add(residual as f64 / sigmas[name]);
                *noisy = exact;
            }
        }
        let others = differences(rows, expected);
        if !others.is_empty() {
            return Err(format!("seed {seed}: {}", others.join("\n")));
        }
    }
    Ok(residuals)
}

/// Returns the fields whose noise has a mean or variance other than expected.
fn off(residuals: &BTreeMap<&'static str, Residuals>) -> Vec<String> {
    let is_off = |of: &&Residuals| of.mean().abs() > MOST || of.variance().abs() > MOST;
    let off = residuals.iter().filter(|(_, of)| is_off(of));
    off.map(|(name, of)| format!("{name}: mean {:.1}, variance {:.1}", of.mean(), of.variance())).collect()
}

#[test]
fn residuals_have_mean_0_and_the_documented_standard_deviation() {
    let residuals = compare(SCENARIOS, |_| {}).unwrap();
    assert_eq!(residuals.len(), BOUNDED.len());
    let least = residuals.values().map(|of| of.count as u64).min();
    assert!(least > Some(2_000), "{least:?} rows");
    assert_eq!(off(&residuals), [""; 0]);
}

#[test]
fn comparison_detects_an_oracle_without_budget_margin_secret_or_detail_table() {
    let without_budget = compare(SCENARIOS, |settings| settings.budget = None).unwrap();
    assert_ne!(off(&without_budget), [""; 0]);
    let other_detail = compare(100, |settings| settings.detail = Detail::None);
    assert!(other_detail.is_err(), "a missing detail table is not detected");
    let no_margin = compare(SCENARIOS, |settings| {
        settings.margin = Some(0);
        settings.own.values_mut().for_each(|own| own.margin = Some(0));
    });
    assert!(no_margin.is_err(), "a missing margin is not detected");
    let no_secret = compare(100, |settings| settings.secret = false);
    assert!(no_secret.is_err(), "a missing secret is not detected");
}
