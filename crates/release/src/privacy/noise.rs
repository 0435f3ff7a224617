//! Noise: a discrete Gaussian, drawn exactly, from a stream that replays.

use crowdfold_model::{Cell, CellKey, Clamp, Distribution, ValueMetric, Window};
use prio::dp::Rational;
use prio::dp::distributions::DiscreteGaussian;
use prio::vdaf::xof::{SeedStreamTurboShake128, Xof, XofTurboShake128};
use rand::distr::Distribution as _;

use super::Secret;

/// Parts of one that σ is kept in: as a whole number of them it is the same on every machine, whatever its logarithms.
const PARTS: u128 = 1_000_000;

/// From here on σ may be rounded up to a whole number: drawing is exact arithmetic on rationals, and short ones are
/// fast.
const WHOLE_FROM: u128 = 100 * PARTS;

/// A standard deviation, in millionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sigma(u128);

impl Sigma {
    /// clamp · √(N / (2ρ)), rounded up.
    pub(super) fn of(clamp: u64, releases: u64, rho: f64) -> Self {
        let sigma = clamp as f64 * (releases as f64 / (2.0 * rho)).sqrt();
        Self((sigma * PARTS as f64).ceil() as u128)
    }

    /// A whole number.
    pub(crate) const fn whole(sigma: u64) -> Self {
        Self(sigma as u128 * PARTS)
    }

    /// A little more, where that costs less than a hundredth.
    pub(super) const fn rounded_up(self) -> Self {
        if self.0 < WHOLE_FROM { self } else { Self(self.0.div_ceil(PARTS).saturating_mul(PARTS)) }
    }

    /// As a number.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / PARTS as f64
    }
}

/// What a cell is one of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NoiseKey<'a> {
    /// The policy's fingerprint: under another, another stream, else noise of two sizes could be told from the value.
    pub(crate) policy: u64,
    pub(crate) tenant: &'a str,
    pub(crate) window: Window,
    pub(crate) breakdown: &'a str,
}

/// The noise of one cell.
pub(crate) struct CellNoise(XofTurboShake128);

impl CellNoise {
    /// Bound to the exact cell, not only to its key: were a window ever published twice on other data, the noises are
    /// independent, and their difference is not that of the data.
    pub(crate) fn new(secret: &Secret, noise_key: &NoiseKey<'_>, cell_key: &CellKey, cell: &Cell) -> Self {
        let mut noise = Self(secret.stream("noise"));
        noise.number(noise_key.policy);
        noise.text(noise_key.tenant);
        noise.number(noise_key.window.start);
        noise.number(noise_key.window.end);
        noise.text(noise_key.breakdown);
        noise.number(cell_key.len() as u64);
        cell_key.iter().for_each(|value| noise.text(value));
        noise.number(cell.sessions);
        super::noisy::amounts(&cell.sums).into_iter().for_each(|amount| noise.number(amount));
        for metric in ValueMetric::ALL {
            let values = &cell.values[metric];
            if metric.outside_detail() == Clamp::Hidden {
                // by name and only with values, so that a new metric changes no noise of cells without it
                if values.values().is_empty() {
                    continue;
                }
                noise.text(metric.name());
            }
            noise.values(values);
        }
        noise
    }

    /// Bound to the parts of the cell that only rows outside the detail table depend on, too.
    pub(crate) fn with_bounded(mut self, cell: &Cell) -> Self {
        self.number(cell.sums.beacons);
        cell.bounded.0.into_iter().for_each(|amount| self.number(amount));
        self
    }

    /// The stream of one measure.
    pub(crate) fn of(&self, measure: &str) -> Draws {
        let mut bound = Self(self.0.clone());
        bound.text(measure);
        Draws(bound.0.into_seed_stream())
    }

    fn number(&mut self, number: u64) {
        self.0.update(&number.to_le_bytes());
    }

    /// With its length before it, so that no two sequences read the same.
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

/// One measure's noise, draw by draw.
pub(crate) struct Draws(SeedStreamTurboShake128);

impl Draws {
    /// The next draw of that σ. One that no number here can hold stands for less than any: it releases nothing.
    pub(crate) fn next(&mut self, Sigma(parts): Sigma) -> i128 {
        let gaussian = Rational::from_unsigned(parts, PARTS).and_then(DiscreteGaussian::new);
        gaussian.ok().and_then(|it| i128::try_from(it.sample(&mut self.0)).ok()).unwrap_or(i128::MIN)
    }

    /// A value with noise, never negative.
    pub(super) fn cover(&mut self, value: u64, sigma: Sigma) -> u64 {
        not_negative(i128::from(value).saturating_add(self.next(sigma)))
    }
}

/// Nothing below 0, nothing beyond what a row can hold.
pub(crate) fn not_negative(value: i128) -> u64 {
    u64::try_from(value.max(0)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
