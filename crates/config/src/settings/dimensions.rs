//! `[dimensions]`: the custom dimensions.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};

use super::source::FieldPath;
use crate::fields;

/// The name of the section of single tenants, which no dimension can have.
const TENANTS: &str = "tenants";

/// `[dimensions]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dimensions {
    /// `[dimensions.NAME]`, by name.
    pub common: BTreeMap<String, CustomDimension>,
    /// `[dimensions.tenants]`: the dimensions of single tenants, by tenant and name.
    pub tenants: BTreeMap<String, BTreeMap<String, CustomDimension>>,
}

/// `[dimensions.NAME]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CustomDimension {
    /// The path of object keys in JSON beacons.
    #[serde(deserialize_with = "path")]
    pub from: Option<Vec<String>>,
    /// The custom CMCD key.
    #[serde(deserialize_with = "fields::optional_text")]
    pub cmcd: Option<String>,
    /// The path of object keys in the lines of a log.
    #[serde(deserialize_with = "path")]
    pub log: Option<Vec<String>>,
    /// The closed list of values.
    #[serde(deserialize_with = "values")]
    pub values: Option<Vec<String>>,
    /// Any text that does not identify a person is a value.
    pub open: bool,
    /// The family, if it is not its own one.
    #[serde(deserialize_with = "fields::optional_text")]
    pub family: Option<String>,
}

fn path<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    FieldPath::deserialize(deserializer).map(|path| Some(path.0))
}

fn values<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    fields::words(deserializer).map(Some)
}

impl<'de> Deserialize<'de> for Dimensions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Sections)
    }
}

struct Sections;

impl<'de> Visitor<'de> for Sections {
    type Value = Dimensions;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a section for each dimension")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut sections: A) -> Result<Dimensions, A::Error> {
        let mut dimensions = Dimensions::default();
        while let Some(name) = sections.next_key::<String>()? {
            if name == TENANTS {
                dimensions.tenants = sections.next_value()?;
            } else {
                dimensions.common.insert(name, sections.next_value()?);
            }
        }
        Ok(dimensions)
    }
}
