//! Sets of fields.

use crate::{Beacon, Field};

/// A set of fields. It contains no values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FieldSet(u64);

impl FieldSet {
    /// Adds the fields of a JSON beacon, including the fields with an unusable value.
    #[inline]
    pub fn add_beacon(&mut self, beacon: &Beacon<'_>) {
        self.0 |= beacon.sent_bits();
    }

    /// Adds the fields of another set.
    pub const fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Returns true if the set contains a field.
    #[must_use]
    pub const fn contains(self, field: Field) -> bool {
        self.0 & field.bit() != 0
    }
}
