//! The section `[tenants]`: the tenants and their attributes.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::{Deserializer, Error};

use crate::fields;
use crate::nearest::did_you_mean;

/// The maximum number of tenants. The index of a tenant has 16 bits.
const MOST_TENANTS: usize = 10_000;

/// The section `[tenants]`: the tenants and their attributes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tenants {
    /// The names of all tenants. A beacon of another tenant is rejected.
    #[serde(deserialize_with = "catalogue")]
    pub names: Vec<String>,
    /// The tenant of beacons that contain no tenant. It must be one of `names`.
    pub default: String,
    /// True if the rollups of each tenant have a topic of their own.
    pub per_tenant_topics: bool,
    /// The tenants whose rows are never added to rows of other tenants.
    #[serde(deserialize_with = "fields::words")]
    pub excluded_from_groupings: Vec<String>,
    /// The section `[tenants.attributes]`: the values of attributes, by tenant and name of the attribute.
    pub attributes: BTreeMap<String, BTreeMap<String, String>>,
}

impl Default for Tenants {
    fn default() -> Self {
        Self {
            names: vec!["default".into()],
            default: "default".into(),
            per_tenant_topics: false,
            excluded_from_groupings: Vec::new(),
            attributes: BTreeMap::new(),
        }
    }
}

impl Tenants {
    /// Returns the index of the default tenant in `names`.
    #[must_use]
    pub fn default_index(&self) -> usize {
        self.names.iter().position(|name| *name == self.default).unwrap_or(0)
    }

    /// Returns the tenants that may be grouped by an attribute, each with its attribute value.
    pub fn grouped_by<'a>(&'a self, attribute: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let with_value = self
            .attributes
            .iter()
            .filter_map(move |(tenant, own)| Some((tenant.as_str(), own.get(attribute)?)));
        with_value
            .filter(|(tenant, _)| self.may_be_grouped(tenant))
            .map(|(tenant, value)| (tenant, value.as_str()))
    }

    /// Returns true if a name is in `names` and is not excluded from groupings.
    #[must_use]
    pub fn may_be_grouped(&self, tenant: &str) -> bool {
        self.contains(tenant) && !self.excluded_from_groupings.iter().any(|name| name == tenant)
    }

    /// Returns true if a name is in `names`.
    pub(crate) fn contains(&self, tenant: &str) -> bool {
        self.names.iter().any(|name| name == tenant)
    }

    /// Returns the fix for a name that is not in `names`, for the end of an error message.
    pub(crate) fn did_you_mean(&self, name: &str) -> String {
        match did_you_mean(name, self.names.iter().map(String::as_str)) {
            hint if hint.is_empty() => "; add it there".into(),
            hint => hint,
        }
    }
}

fn catalogue<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let names = fields::words(deserializer)?;
    let refuse = |message: String| Err(D::Error::custom(message));
    if names.is_empty() || names.len() > MOST_TENANTS {
        return refuse(format!("names {} tenants; name 1 to {MOST_TENANTS}", names.len()));
    }
    if let Some(name) = names.iter().find(|name| !is_tenant(name)) {
        let name = name.escape_debug();
        return refuse(format!("contains \"{name}\"; a tenant is 1 to 40 of a-z, 0-9 and -"));
    }
    let mut seen = std::collections::HashSet::new();
    match names.iter().find(|name| !seen.insert(name.as_str())) {
        Some(name) => refuse(format!("contains {name} twice; remove one")),
        None => Ok(names),
    }
}

fn is_tenant(name: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=40).contains(&name.len()) && name.bytes().all(letter)
}
