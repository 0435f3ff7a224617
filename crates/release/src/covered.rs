//! Rows outside the detail table. Their numbers are sums of clamped contributions of sessions, with noise.

use crowdfold_model::{BOUNDED_FIELDS, Cell, CellKey, ErrorClass, Metric, Source};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::Policy;
use crate::privacy::{CellNoise, NoiseKey, Sigma};

#[cfg(test)]
mod tests;

/// The numbers of a row outside the detail table, each with noise, in the order of [`BOUNDED_FIELDS`]. A number may
/// be negative.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Covered([i64; BOUNDED_FIELDS.len()]);

impl Covered {
    /// Adds noise to the numbers of a cell. The same cell with the same policy and secret always receives the same
    /// noise. Returns `None` if there is no secret, because then only the session count is published.
    pub(crate) fn draw(
        policy: &Policy,
        noise_key: &NoiseKey<'_>,
        cell_key: &CellKey,
        cell: &Cell,
    ) -> Option<Self> {
        let noise = CellNoise::new(policy.secret()?, noise_key, cell_key, cell).with_bounded(cell);
        let length = noise_key.window.length();
        let mut numbers = [0; BOUNDED_FIELDS.len()];
        for (at, field) in BOUNDED_FIELDS.iter().enumerate() {
            let sigma = Sigma::whole(policy.noise().saturating_mul(field.clamp(length)));
            let covered = i128::from(cell.bounded.0[at]).saturating_add(noise.of(field.name).next(sigma));
            numbers[at] = covered.clamp(i64::MIN.into(), i64::MAX.into()) as i64;
        }
        Some(Self(numbers))
    }

    /// Returns the value of a metric, or `None` if the metric is only in the detail table.
    pub(crate) fn get(&self, metric: Metric) -> Option<i64> {
        metric.bounded_position().map(|at| self.0[at])
    }
}

/// Serializes the counts of all classes of errors, because an absent class would reveal that its count is 0.
impl Serialize for Covered {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(ErrorClass::COUNT))?;
        for (field, number) in BOUNDED_FIELDS.iter().zip(self.0) {
            if let Source::Error(class) = field.source {
                map.serialize_entry(class.name(), &number)?;
            }
        }
        map.end()
    }
}

/// A distribution of which only the sum is published, without percentiles.
#[derive(Debug, Serialize)]
pub(crate) struct Sum {
    pub(crate) sum: i64,
}
