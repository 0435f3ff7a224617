//! Sums over published rows of several tenants.

use std::collections::{BTreeMap, BTreeSet};

use crate::QueryError;

#[cfg(test)]
mod tests;

/// The value of an attribute that a tenant does not have.
const UNKNOWN: &str = "unknown";

/// Information about tenants in addition to their rows: their attributes, and whether they may be grouped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalogue {
    attributes: BTreeSet<String>,
    /// The tenants that may be grouped, with their attributes.
    members: BTreeMap<String, BTreeMap<String, String>>,
}

impl Catalogue {
    /// Creates a catalogue of all tenants, each with its attributes and whether its rows may be added to those of
    /// others. Rows of other tenants are never added up.
    #[must_use]
    pub fn new(tenants: impl IntoIterator<Item = (String, BTreeMap<String, String>, bool)>) -> Self {
        let mut catalogue = Self::default();
        for (tenant, attributes, may_be_grouped) in tenants {
            catalogue.attributes.extend(attributes.keys().cloned());
            if may_be_grouped {
                catalogue.members.insert(tenant, attributes);
            }
        }
        catalogue
    }

    /// Returns the names of all attributes.
    pub fn attributes(&self) -> impl Iterator<Item = &str> {
        self.attributes.iter().map(String::as_str)
    }

    pub(crate) fn is_attribute(&self, name: &str) -> bool {
        self.attributes.contains(name)
    }
}

/// A query over several tenants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Across {
    /// The attributes grouped by.
    pub(crate) by: Vec<String>,
    /// The queried tenants, with their value for each of these attributes.
    members: BTreeMap<String, Vec<String>>,
}

impl Across {
    /// Selects the tenants that meet all conditions. Conditions on the same attribute are alternatives.
    pub(crate) fn new(
        catalogue: &Catalogue,
        by: Vec<String>,
        conditions: &BTreeMap<String, Vec<String>>,
    ) -> Self {
        let value = |attributes: &BTreeMap<String, String>, name: &str| {
            attributes.get(name).map_or(UNKNOWN, String::as_str).to_owned()
        };
        let meets = |attributes: &BTreeMap<String, String>| {
            conditions.iter().all(|(name, wanted)| wanted.contains(&value(attributes, name)))
        };
        let members = catalogue.members.iter().filter(|(_, attributes)| meets(attributes));
        let members = members.map(|(tenant, attributes)| {
            (tenant.clone(), by.iter().map(|name| value(attributes, name)).collect())
        });
        Self { members: members.collect(), by }
    }

    /// Returns a tenant's values for the attributes grouped by; `None` if it is not selected.
    pub(crate) fn group_key(&self, tenant: &str) -> Option<&[String]> {
        self.members.get(tenant).map(Vec::as_slice)
    }

    /// Returns the selected tenants.
    pub(crate) fn tenants(&self) -> impl Iterator<Item = &str> {
        self.members.keys().map(String::as_str)
    }
}

/// Refuses a query for one tenant and for several.
pub(crate) fn check(
    tenant: Option<&str>,
    by: &[String],
    conditions: &BTreeMap<String, Vec<String>>,
) -> Result<(), QueryError> {
    let Some(tenant) = tenant else { return Ok(()) };
    let across = match (by.first(), conditions.keys().next()) {
        (Some(attribute), _) => format!("--by {attribute}"),
        (None, Some(attribute)) => format!("--where {attribute}=…"),
        (None, None) => "--across".into(),
    };
    Err(QueryError::OneAndSeveral { tenant: tenant.to_owned(), across })
}
