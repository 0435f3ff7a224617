//! `[principals]`: who plays which role on a broker with an authorizer.

use std::collections::BTreeMap;

use crowdfold_kafka::acl::Role;

use super::layers::Layers;
use super::problem::Problem;
use super::read::{meant, words};
use super::value::Value;
use super::{Config, Tenants};

const TENANTS: &str = "principals.tenants";

/// `[principals]`. Names as Kafka has them, without their type: all are users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principals {
    /// Of every role but the readers'.
    one: BTreeMap<Role, String>,
    /// Readers of all rollups.
    pub readers: Vec<String>,
    /// Readers of one tenant's rollups, by tenant.
    pub tenants: BTreeMap<String, Vec<String>>,
    /// The brokers' own principals, where they are no super users.
    pub brokers: Vec<String>,
    /// Whether any of them was given: then somebody counts on their rights.
    pub is_given: bool,
}

impl Principals {
    pub(super) fn read(layers: &Layers, prefix: &str, tenants: &Tenants) -> Result<Self, Problem> {
        let mut one = BTreeMap::new();
        let mut is_given = !layers.untouched("principals.readers") || layers.under(TENANTS).next().is_some();
        for role in Role::ALL.into_iter().filter(|role| *role != Role::Reader) {
            let key = format!("principals.{role}");
            let named = layers.optional(&key)?.map(str::to_owned);
            is_given |= !layers.untouched(&key);
            let name = named.unwrap_or_else(|| format!("{prefix}-{role}"));
            if let Some(fault) = fault(&name) {
                return Err(layers.refuse(&key, fault));
            }
            one.insert(role, name);
        }
        let readers = layers.words("principals.readers")?;
        if let Some(fault) = readers.iter().find_map(|name| fault(name)) {
            return Err(layers.refuse("principals.readers", fault));
        }
        let brokers = layers.words("principals.brokers")?;
        if let Some(fault) = brokers.iter().find_map(|name| fault(name)) {
            return Err(layers.refuse("principals.brokers", fault));
        }
        Ok(Self { one, readers, tenants: of_tenants(layers, tenants)?, brokers, is_given })
    }

    /// Who plays a role that one principal has; nobody where it is the readers'.
    #[must_use]
    pub fn of(&self, role: Role) -> Option<&str> {
        self.one.get(&role).map(String::as_str)
    }

    /// Everyone, by role; readers with the tenant whose rollups they read, if it is one alone.
    pub fn all(&self) -> impl Iterator<Item = (Role, &str, Option<&str>)> {
        let readers = self.readers.iter().map(|name| (Role::Reader, name.as_str(), None));
        let of_tenant = self.tenants.iter().flat_map(|(tenant, names)| {
            names.iter().map(|name| (Role::Reader, name.as_str(), Some(tenant.as_str())))
        });
        let one = self.one.iter().map(|(role, name)| (*role, name.as_str(), None));
        one.chain(readers).chain(of_tenant)
    }
}

fn of_tenants(layers: &Layers, tenants: &Tenants) -> Result<BTreeMap<String, Vec<String>>, Problem> {
    let mut readers = BTreeMap::new();
    for (tenant, entry) in layers.under(TENANTS) {
        let refuse = |what: String| Problem::at(&entry.origin, &format!("{TENANTS}.{tenant}"), what);
        if !tenants.names.iter().any(|name| name == tenant) {
            let hint = meant(tenant, tenants.names.iter().map(String::as_str));
            return Err(refuse(format!("is no tenant of tenants.names{hint}")));
        }
        // one topic holds them all: whoever reads it reads every tenant's
        if !tenants.per_tenant_topics {
            let what = "one topic holds the rollups of all tenants, and rights end at topics: set \
                        tenants.per_tenant_topics = true, or name readers of all in principals.readers";
            return Err(refuse(what.into()));
        }
        let names = match &entry.value {
            Value::Text(name) => Some(vec![name.clone()]),
            Value::List(items) => words(items),
            _ => None,
        };
        let names = names.ok_or_else(|| refuse("want a principal, or a list of them".into()))?;
        if let Some(fault) = names.iter().find_map(|name| fault(name)) {
            return Err(refuse(fault));
        }
        readers.insert(tenant.to_owned(), names);
    }
    Ok(readers)
}

/// What keeps a name from being a principal's.
fn fault(name: &str) -> Option<String> {
    let shown = name.escape_debug();
    if name.is_empty() || name.len() > 255 || name.chars().any(char::is_control) {
        return Some(format!("found \"{shown}\", want 1 to 255 characters on one line"));
    }
    if let Some(bare) = name.strip_prefix("User:") {
        return Some(format!("found \"{shown}\", write it without its type: \"{}\"", bare.escape_debug()));
    }
    // a right of everybody's is nobody's role
    matches!(name, "*" | "ANONYMOUS").then(|| format!("{name} is everybody: name one principal"))
}

/// Roles that are apart keep principals apart. A worker that runs both stages is combiner and merger at once, and who
/// makes topics may look at them.
pub(super) fn check(config: &Config) -> Result<(), Problem> {
    let all: Vec<_> = config.principals.all().collect();
    for (index, (role, name, _)) in all.iter().enumerate() {
        let apart = |other: &Role| {
            let pair = [*role.min(other), *role.max(other)];
            role != other && !matches!(pair, [Role::Combiner, Role::Merger] | [Role::Operator, Role::Auditor])
        };
        let clash = all[index + 1..].iter().find(|(other, same, _)| same == name && apart(other));
        if let Some((other, ..)) = clash {
            let what = format!(
                "[principals] {name} is {role} and {other}: whoever is both may do what only one of them should; give \
                 each a principal of its own"
            );
            return Err(config.layers.refuse_as(&key_of(config, *role, *other), &what));
        }
    }
    Ok(())
}

/// The key to be named: the one that was given.
fn key_of(config: &Config, role: Role, other: Role) -> String {
    let key = |role| match role {
        Role::Reader => "principals.readers".to_owned(),
        role => format!("principals.{role}"),
    };
    let keys = [key(other), key(role)];
    keys.iter().find(|key| !config.layers.untouched(key)).unwrap_or(&keys[1]).clone()
}
