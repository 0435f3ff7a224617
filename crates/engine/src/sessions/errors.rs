//! Sets of error classes.

use crowdfold_model::ErrorClass;

/// A set of error classes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ErrorClasses(u8);

impl ErrorClasses {
    pub(crate) const NONE: Self = Self(0);

    #[cfg(test)]
    pub(crate) const ALL: Self = Self(0xff);

    /// Adds a class. Does nothing for `None`.
    pub(crate) const fn add(&mut self, class: Option<ErrorClass>) {
        if let Some(class) = class {
            self.0 |= 1 << class as u8;
        }
    }

    /// Adds all classes of another set.
    pub(crate) const fn add_all(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Returns 1 for each class in the set and 0 for the others, in the order of [`ErrorClass::ALL`].
    pub(crate) fn counts(self) -> [u64; ErrorClass::COUNT] {
        ErrorClass::ALL.map(|class| u64::from(self.0 >> class as u8 & 1))
    }
}
