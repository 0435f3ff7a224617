//! The section `[principals]`: the principals of the roles, on a cluster with an authorizer.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::{Deserializer, Error};

use crate::fields::{self, TextOrList};

/// The section `[principals]`. The names are those of Kafka principals without the type, which is always `User`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Principals {
    /// The principal of the collector, which writes beacons.
    #[serde(deserialize_with = "principal")]
    pub collector: String,
    /// The principal of the combiner, which reads beacons and writes partials and rejections.
    #[serde(deserialize_with = "principal")]
    pub combiner: String,
    /// The principal of the merger, which reads partials and writes rollups.
    #[serde(deserialize_with = "principal")]
    pub merger: String,
    /// The principal of the eraser, which deletes beacons that were counted.
    #[serde(deserialize_with = "principal")]
    pub eraser: String,
    /// The principal of the operator, which creates topics and sets their time-to-live.
    #[serde(deserialize_with = "principal")]
    pub operator: String,
    /// The principal of the auditor, which reads rollups, the settings of topics, the age of their records, and ACLs.
    #[serde(deserialize_with = "principal")]
    pub auditor: String,
    /// The principals that may read the rollups of all tenants.
    #[serde(deserialize_with = "principals")]
    pub readers: Vec<String>,
    /// The principals of the brokers themselves, if they are not super users.
    #[serde(deserialize_with = "principals")]
    pub brokers: Vec<String>,
    /// The principals that may read the rollups of one tenant, by tenant.
    #[serde(deserialize_with = "fields::map::<_, Readers, _>")]
    pub tenants: BTreeMap<String, Vec<String>>,
}

impl Principals {
    /// Sets the names of principals that are not configured. Such a name is `{prefix}-{role}`.
    pub(crate) fn name_after(&mut self, prefix: &str) {
        for (role, name) in [
            ("collector", &mut self.collector),
            ("combiner", &mut self.combiner),
            ("merger", &mut self.merger),
            ("eraser", &mut self.eraser),
            ("operator", &mut self.operator),
            ("auditor", &mut self.auditor),
        ] {
            if name.is_empty() {
                *name = format!("{prefix}-{role}");
            }
        }
    }
}

/// One reader, or a list of readers.
struct Readers(Vec<String>);

impl From<Readers> for Vec<String> {
    fn from(readers: Readers) -> Self {
        readers.0
    }
}

impl<'de> Deserialize<'de> for Readers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let readers = match fields::text_or_list(deserializer, "a principal, or a list of them")? {
            TextOrList::Text(name) => vec![name],
            TextOrList::List(names) => names,
        };
        checked(readers).map(Self)
    }
}

/// Reads the name of a principal. An empty name is replaced later.
fn principal<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let name = String::deserialize(deserializer)?;
    match fault(&name) {
        Some(fault) if !name.is_empty() => Err(D::Error::custom(fault)),
        _ => Ok(name),
    }
}

fn principals<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    checked(fields::words(deserializer)?)
}

fn checked<E: Error>(names: Vec<String>) -> Result<Vec<String>, E> {
    names.iter().find_map(|name| fault(name)).map_or(Ok(names), |fault| Err(E::custom(fault)))
}

/// Returns the reason why a name is not a valid name of one principal, or `None` if it is valid.
fn fault(name: &str) -> Option<String> {
    let shown = name.escape_debug();
    if name.is_empty() || name.len() > 255 || name.chars().any(char::is_control) {
        return Some(format!("names \"{shown}\"; a principal has 1 to 255 characters on one line"));
    }
    if let Some(bare) = name.strip_prefix("User:") {
        return Some(format!("names \"{shown}\"; write it without its type: \"{}\"", bare.escape_debug()));
    }
    matches!(name, "*" | "ANONYMOUS")
        .then(|| format!("names {name}, which stands for every principal; name one principal"))
}
