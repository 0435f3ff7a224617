//! `[principals]`: the principals of a broker with an authorizer.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::{Deserializer, Error};

use crate::fields::{self, TextOrList};

/// `[principals]`. Names as Kafka has them, without their type: all are users.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Principals {
    /// Writes beacons.
    #[serde(deserialize_with = "principal")]
    pub collector: String,
    /// Reads beacons, writes partials and rejections.
    #[serde(deserialize_with = "principal")]
    pub combiner: String,
    /// Reads partials, writes rollups.
    #[serde(deserialize_with = "principal")]
    pub merger: String,
    /// Deletes records of beacons that were counted.
    #[serde(deserialize_with = "principal")]
    pub eraser: String,
    /// Creates topics and sets their time-to-live.
    #[serde(deserialize_with = "principal")]
    pub operator: String,
    /// Reads rollups, settings, ages and ACLs.
    #[serde(deserialize_with = "principal")]
    pub auditor: String,
    /// Readers of all rollups.
    #[serde(deserialize_with = "principals")]
    pub readers: Vec<String>,
    /// The brokers' own principals, unless they are super users.
    #[serde(deserialize_with = "principals")]
    pub brokers: Vec<String>,
    /// Readers of one tenant's rollups, by tenant.
    #[serde(deserialize_with = "fields::map::<_, Readers, _>")]
    pub tenants: BTreeMap<String, Vec<String>>,
}

impl Principals {
    /// Names the principals that have no name: `{prefix}-{role}`.
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

/// One reader, or a list of them.
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

/// Reads the name of a principal; the empty one is replaced later.
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

/// Returns the reason why a name is not the name of one principal.
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
