//! Draws discrete Gaussian noise from a random stream that can be reproduced.

use crowdfold_model::{Cell, CellKey, Clamp, Distribution, ValueMetric, Window};
use prio::dp::Rational;
use prio::dp::distributions::DiscreteGaussian;
use prio::vdaf::xof::{SeedStreamTurboShake128, Xof, XofTurboShake128};
use rand::distr::Distribution as _;

use super::Secret;

/// The denominator of σ. A σ is a whole number of millionths, so that it is the same on every machine, even if
/// floating-point functions differ slightly.
const PARTS: u128 = 1_000_000;

/// The minimum σ that may be rounded up to a whole number. Drawing noise uses exact rational arithmetic, which is
/// faster if σ is a whole number.
const WHOLE_FROM: u128 = 100 * PARTS;

/// A standard deviation, in millionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sigma(u128);

impl Sigma {
    /// Returns clamp · √(releases / (2ρ)), rounded up.
    pub(super) fn of(clamp: u64, releases: u64, rho: f64) -> Self {
        let sigma = clamp as f64 * (releases as f64 / (2.0 * rho)).sqrt();
        Self((sigma * PARTS as f64).ceil() as u128)
    }

    /// Creates a σ from a whole number.
    pub(crate) const fn whole(sigma: u64) -> Self {
        Self(sigma as u128 * PARTS)
    }

    /// Rounds up to a whole number, if this increases σ by less than a hundredth.
    pub(super) const fn rounded_up(self) -> Self {
        if self.0 < WHOLE_FROM { self } else { Self(self.0.div_ceil(PARTS).saturating_mul(PARTS)) }
    }

    /// Returns σ as a floating-point number.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / PARTS as f64
    }
}

/// The table that contains a cell, as an input of the noise.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NoiseKey<'a> {
    /// The fingerprint of the policy. Two policies must not use the same random stream, because two amounts of noise
    /// from one stream would reveal the exact value.
    pub(crate) policy: u64,
    pub(crate) tenant: &'a str,
    pub(crate) window: Window,
    pub(crate) breakdown: &'a str,
}

/// The noise of one cell.
pub(crate) struct CellNoise(XofTurboShake128);

impl CellNoise {
    /// Creates the noise of a cell. The noise depends on the exact content of the cell, and not only on its key. So if
    /// a window were published twice with different data, the noise of the two rows would be independent, and their
    /// difference would not be the exact difference of the data.
    pub(crate) fn new(secret: &Secret, noise_key: &NoiseKey<'_>, cell_key: &CellKey, cell: &Cell) -> Self {
        let mut noise = Self(secret.stream("noise"));
        noise.number(noise_key.policy);
        noise.text(noise_key.tenant);
        noise.number(noise_key.window.start.as_millis());
        noise.number(noise_key.window.end.as_millis());
        noise.text(noise_key.breakdown);
        noise.number(cell_key.len() as u64);
        cell_key.iter().for_each(|value| noise.text(value));
        noise.number(cell.sessions);
        super::noisy::amounts(&cell.sums).into_iter().for_each(|amount| noise.number(amount));
        for metric in ValueMetric::ALL {
            let values = &cell.values[metric];
            if metric.outside_detail() == Clamp::Hidden {
                // The input contains a metric, with its name, only if the cell has values of this metric. Therefore a
                // new metric does not change the noise of cells that have no values of it.
                if values.values().is_empty() {
                    continue;
                }
                noise.text(metric.name());
            }
            noise.values(values);
        }
        noise
    }

    /// Adds the parts of the cell that affect only rows outside the detail table.
    pub(crate) fn with_bounded(mut self, cell: &Cell) -> Self {
        self.number(cell.sums.beacons);
        cell.bounded.0.into_iter().for_each(|amount| self.number(amount));
        self
    }

    /// Returns the noise of one measure.
    pub(crate) fn of(&self, measure: &str) -> Draws {
        let mut bound = Self(self.0.clone());
        bound.text(measure);
        Draws(bound.0.into_seed_stream())
    }

    fn number(&mut self, number: u64) {
        self.0.update(&number.to_le_bytes());
    }

    /// Adds a string, preceded by its length, so that two different sequences of strings never give the same stream.
    fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.0.update(text.as_bytes());
    }

    fn values(&mut self, values: &Distribution) {
        self.number(values.values().len() as u64);
        for (value, sessions) in values.values() {
            self.number(u64::from(*value));
            self.number(*sessions);
        }
    }
}

/// The noise of one measure, as a sequence of draws.
pub(crate) struct Draws(SeedStreamTurboShake128);

impl Draws {
    /// Returns the next draw of noise with this σ. A draw that does not fit into the type becomes the smallest
    /// number, so that nothing is released.
    pub(crate) fn next(&mut self, Sigma(parts): Sigma) -> i128 {
        let gaussian = Rational::from_unsigned(parts, PARTS).and_then(DiscreteGaussian::new);
        gaussian.ok().and_then(|it| i128::try_from(it.sample(&mut self.0)).ok()).unwrap_or(i128::MIN)
    }

    /// Adds noise to a value. A negative result becomes 0.
    pub(super) fn cover(&mut self, value: u64, sigma: Sigma) -> u64 {
        not_negative(i128::from(value).saturating_add(self.next(sigma)))
    }
}

/// Converts a number to the type of a published number. A negative number becomes 0.
pub(crate) fn not_negative(value: i128) -> u64 {
    u64::try_from(value.max(0)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
