//! Adding up published rows of several tenants.

use std::collections::{BTreeMap, BTreeSet};

use crate::QueryError;

#[cfg(test)]
mod tests;

/// The value of an attribute that a tenant does not have.
const UNKNOWN: &str = "unknown";

/// What is known of tenants beside their rows: whose may be added to others', and what they are grouped by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalogue {
    attributes: BTreeSet<String>,
    /// Tenants that may be grouped, with their attributes.
    members: BTreeMap<String, BTreeMap<String, String>>,
}

impl Catalogue {
    /// Of all tenants, each with its attributes and whether its rows may be added to others'. Those of tenants that are
    /// not named here are never.
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

    /// The names of all attributes.
    pub fn attributes(&self) -> impl Iterator<Item = &str> {
        self.attributes.iter().map(String::as_str)
    }

    pub(crate) fn is_attribute(&self, name: &str) -> bool {
        self.attributes.contains(name)
    }
}

/// A question to several tenants together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Across {
    /// The attributes grouped by.
    pub(crate) by: Vec<String>,
    /// Tenants that are asked, with their value for each of these.
    members: BTreeMap<String, Vec<String>>,
}

impl Across {
    /// The tenants that meet all conditions, of which those on one attribute are alternatives.
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

    /// A tenant's values for the attributes grouped by; `None` for one that is not asked.
    pub(crate) fn group_key(&self, tenant: &str) -> Option<&[String]> {
        self.members.get(tenant).map(Vec::as_slice)
    }

    /// The tenants that are asked.
    pub(crate) fn tenants(&self) -> impl Iterator<Item = &str> {
        self.members.keys().map(String::as_str)
    }
}

/// Refuses one tenant and several at once.
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
