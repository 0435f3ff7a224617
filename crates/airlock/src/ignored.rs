//! Values of known fields that could not be used, counted by field.

use crowdfold_beacon::Field;

/// The number of values that could not be used, by field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ignored([u64; Field::COUNT]);

impl Default for Ignored {
    fn default() -> Self {
        Self([0; Field::COUNT])
    }
}

impl Ignored {
    pub(crate) const fn count(&mut self, field: Field) {
        self.0[field.index()] += 1;
    }

    /// Adds another's.
    pub fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine += theirs;
        }
    }

    /// The names of all fields, each with its count.
    pub fn by_field(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        Field::all().map(|field| (field.name(), self.0[field.index()]))
    }
}
