//! Counts unusable values of beacons by field.

use crowdfold_beacon::{Beacon, Field, Text};

use crate::identity::is_known;

/// The number of unusable values, by field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ignored([u64; Field::COUNT]);

impl Default for Ignored {
    fn default() -> Self {
        Self([0; Field::COUNT])
    }
}

impl Ignored {
    /// Returns true if a beacon contains an unusable value or an unknown event.
    #[must_use]
    pub fn is_in(beacon: &Beacon<'_>) -> bool {
        beacon.has_ignored() || !is_known(beacon)
    }

    /// Adds the unusable values of a beacon, including an unknown event.
    pub fn count_beacon(&mut self, beacon: &Beacon<'_>) {
        beacon.ignored().for_each(|field| self.count(field));
        if !is_known(beacon) {
            self.count(Field::Text(Text::Event));
        }
    }

    pub(crate) const fn count(&mut self, field: Field) {
        self.0[field.index()] += 1;
    }

    /// Adds the counts of another instance.
    pub fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine += theirs;
        }
    }

    /// Returns the counts, indexed by [`Field::index`].
    #[must_use]
    pub const fn counts(&self) -> &[u64; Field::COUNT] {
        &self.0
    }

    /// Returns the name of each field with its count. All custom dimensions have one name.
    pub fn by_field(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        let custom = Field::custom().map(|field| self.0[field.index()]).sum();
        let name = Field::custom().next().map_or("", Field::name);
        let others = Field::all().filter(move |field| field.name() != name);
        others.map(|field| (field.name(), self.0[field.index()])).chain([(name, custom)])
    }
}

impl From<[u64; Field::COUNT]> for Ignored {
    fn from(counts: [u64; Field::COUNT]) -> Self {
        Self(counts)
    }
}
