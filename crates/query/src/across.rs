//! Queries over several tenants.

use std::collections::{BTreeMap, BTreeSet};

use crate::QueryError;

#[cfg(test)]
mod tests;

/// The value that is used if a tenant does not have an attribute.
const UNKNOWN: &str = "unknown";

/// The attributes of tenants, and the tenants whose rows may be added to rows of other tenants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalogue {
    attributes: BTreeSet<String>,
    /// The tenants that may be grouped with others, each with its attributes.
    members: BTreeMap<String, BTreeMap<String, String>>,
}

impl Catalogue {
    /// Creates a catalogue. Each tenant has a name, its attributes, and a boolean that is true if its rows may be added
    /// to rows of other tenants. If a tenant is not in the catalogue, its rows are never added to rows of other
    /// tenants.
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

    /// Returns the names of the attributes of all tenants.
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
    /// The attributes by which rows are grouped.
    pub(crate) by: Vec<String>,
    /// The selected tenants, each with its values for the attributes in `by`.
    members: BTreeMap<String, Vec<String>>,
}

impl Across {
    /// Selects the tenants that meet all conditions. If several conditions have the same attribute, a tenant must meet
    /// one of them.
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

    /// Returns a tenant's values for the attributes in `by`, or `None` if the tenant is not selected.
    pub(crate) fn group_key(&self, tenant: &str) -> Option<&[String]> {
        self.members.get(tenant).map(Vec::as_slice)
    }

    /// Returns the selected tenants.
    pub(crate) fn tenants(&self) -> impl Iterator<Item = &str> {
        self.members.keys().map(String::as_str)
    }
}

/// Checks that a query over several tenants does not also select a single tenant.
pub(crate) fn check(
    tenant: Option<&str>,
    by: &[String],
    conditions: &BTreeMap<String, Vec<String>>,
) -> Result<(), QueryError> {
    let Some(tenant) = tenant else { return Ok(()) };
    let across = match (by.first(), conditions.keys().next()) {
        (Some(attribute), _) => format!("by {attribute}"),
        (None, Some(attribute)) => format!("where {attribute}=…"),
        (None, None) => "across".into(),
    };
    Err(QueryError::OneAndSeveral { tenant: tenant.to_owned(), across })
}
