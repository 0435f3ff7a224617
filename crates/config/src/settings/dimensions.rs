//! The section `[dimensions]`: the custom dimensions.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};

use super::source::FieldPath;
use crate::fields;

/// The name of the section for single tenants. A dimension cannot have this name.
const TENANTS: &str = "tenants";

/// The section `[dimensions]`: the custom dimensions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dimensions {
    /// The sections `[dimensions.NAME]`: the dimensions of all tenants, by name.
    pub common: BTreeMap<String, CustomDimension>,
    /// The section `[dimensions.tenants]`: the dimensions of single tenants, by tenant and name.
    pub tenants: BTreeMap<String, BTreeMap<String, CustomDimension>>,
}

/// The section `[dimensions.NAME]`: one custom dimension.
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
    /// True to accept any text that does not identify a person.
    pub open: bool,
    /// The family of the dimension. `None` if the dimension has its own family.
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
