//! Counts JSON beacons, and collects the fields that they contain.

use std::fmt::{self, Display, Formatter};

use crowdfold_beacon::{Beacon, Field, FieldSet, Mode, Text};

use crate::Settings;

/// The number of JSON beacons that were read, and the fields that at least one of them contains, also with an unusable
/// value. Packed beacons are not included, because the collector has already read their fields.
#[derive(Clone, Copy, Debug, Default)]
pub struct SentFields {
    beacons: u64,
    fields: FieldSet,
}

impl SentFields {
    /// Adds a beacon, if it is a JSON beacon that is not packed.
    #[inline]
    pub fn add_beacon(&mut self, beacon: &Beacon<'_>) {
        if beacon.mode == Mode::Json && !beacon.is_packed() {
            self.beacons += 1;
            self.fields.add_beacon(beacon);
        }
    }

    /// Adds the beacons and the fields of another instance.
    pub const fn add(&mut self, other: &Self) {
        self.beacons += other.beacons;
        self.fields.add(other.fields);
    }

    /// Returns the number of JSON beacons.
    #[must_use]
    pub const fn beacons(&self) -> u64 {
        self.beacons
    }

    /// Returns the paths in the settings that occur in no JSON beacon.
    #[must_use]
    pub fn absent(&self, settings: &Settings) -> Vec<MappedPath> {
        let is_absent = |field: &Field| !self.fields.contains(*field);
        let mapped = settings.fields.iter().filter_map(|(name, path)| {
            Field::named(name).filter(is_absent)?;
            Some(MappedPath { field: MappedField::Beacon(name.clone()), path: path.clone() })
        });
        let custom = settings.custom_sources.iter().zip(0..).filter_map(|(source, index)| {
            Some(Field::Text(Text::Custom(index))).filter(is_absent)?;
            let name = settings.custom.name_of_source(index.into())?;
            Some(MappedPath { field: MappedField::Custom(name.to_string()), path: source.json.clone()? })
        });
        mapped.chain(custom).collect()
    }
}

/// A field whose path in JSON beacons is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MappedField {
    /// A field of [`Settings::fields`], by its name.
    Beacon(String),
    /// The source of a custom dimension, by the name of the dimension.
    Custom(String),
}

/// The path of a field in JSON beacons, as the settings contain it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappedPath {
    /// The field.
    pub field: MappedField,
    /// The object keys that lead to the value.
    pub path: Vec<String>,
}

/// Formats the path. The result is `"qoe.startup"`, or `["qoe", "first.frame"]` if a key contains a dot.
impl Display for MappedPath {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        if self.path.iter().any(|part| part.contains('.')) {
            write!(out, "{:?}", self.path)
        } else {
            write!(out, "{:?}", self.path.join("."))
        }
    }
}

#[cfg(test)]
mod tests;
