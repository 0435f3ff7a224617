//! Counts JSON beacons, and collects the fields that they contain.

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

    /// Returns the entries of the configuration whose path occurs in no JSON beacon, such as
    /// `source.fields.startup_ms = "qoe.startup"`.
    #[must_use]
    pub fn absent(&self, settings: &Settings) -> Vec<String> {
        let is_absent = |field: &Field| !self.fields.contains(*field);
        let mapped = settings.fields.iter().filter_map(|(name, path)| {
            Field::named(name).filter(is_absent)?;
            Some(entry(&format!("source.fields.{name}"), path))
        });
        let custom = settings.custom_sources.iter().zip(0..).filter_map(|(source, index)| {
            Some(Field::Text(Text::Custom(index))).filter(is_absent)?;
            let name = settings.custom.name_of_source(index.into())?;
            Some(entry(&format!("dimensions.{name}.from"), source.json.as_ref()?))
        });
        mapped.chain(custom).collect()
    }
}

/// Formats an entry with a path as in the configuration. The path is `"qoe.startup"`, or `["qoe", "first.frame"]` if a
/// key contains a dot.
pub(crate) fn entry(key: &str, path: &[String]) -> String {
    if path.iter().any(|part| part.contains('.')) {
        format!("{key} = {path:?}")
    } else {
        format!("{key} = {:?}", path.join("."))
    }
}

#[cfg(test)]
mod tests;
