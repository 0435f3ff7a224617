//! Rows outside the detail table: bounded contributions of sessions, covered with noise.

use crowdfold_airlock::ErrorClass;
use crowdfold_rollup::{BOUNDED_FIELDS, Cell, CellKey};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::Policy;
use crate::privacy::{CellNoise, NoiseKey, Sigma};

#[cfg(test)]
mod tests;

/// The numbers of [`BOUNDED_FIELDS`] in their order, each with noise; they may be negative.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Covered([i64; BOUNDED_FIELDS.len()]);

impl Covered {
    /// Draws the noise of a row. The same row under the same policy and secret always gets the same noise. `None`
    /// without a secret: then nothing but the session count is published.
    pub(crate) fn draw(
        policy: &Policy,
        noise_key: &NoiseKey<'_>,
        cell_key: &CellKey,
        cell: &Cell,
    ) -> Option<Self> {
        let noise = CellNoise::new(policy.secret()?, noise_key, cell_key, cell).with_bounded(cell);
        let length = noise_key.window.end - noise_key.window.start;
        let mut numbers = [0; BOUNDED_FIELDS.len()];
        for (at, field) in BOUNDED_FIELDS.iter().enumerate() {
            let sigma = Sigma::whole(policy.noise().saturating_mul(field.clamp(length)));
            let covered = i128::from(cell.bounded.0[at]).saturating_add(noise.of(field.name).next(sigma));
            numbers[at] = covered.clamp(i64::MIN.into(), i64::MAX.into()) as i64;
        }
        Some(Self(numbers))
    }

    /// The number of a field, by its name in rollups.
    pub(crate) fn get(&self, name: &str) -> i64 {
        let at = BOUNDED_FIELDS.iter().position(|field| field.name == name);
        at.map_or_else(|| unreachable!("{name} is no field of a row"), |at| self.0[at])
    }

    /// The sum of a distribution, which is all of it that is published.
    pub(crate) fn sum(&self, name: &str) -> Sum {
        Sum { sum: self.get(name) }
    }
}

/// The errors: every class, because a class that is absent would show a count of 0.
impl Serialize for Covered {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(ErrorClass::COUNT))?;
        for (field, number) in BOUNDED_FIELDS.iter().zip(self.0) {
            if let Some(class) = field.name.strip_prefix("errors.") {
                map.serialize_entry(class, &number)?;
            }
        }
        map.end()
    }
}

/// A distribution of which only the sum is published.
#[derive(Debug, Serialize)]
pub(crate) struct Sum {
    sum: i64,
}
