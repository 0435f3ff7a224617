//! The principals of the roles of a deployment.

use crowdfold_config::{ConfigError, Loaded, Settings};
use crowdfold_kafka::acl::Role;

use super::Config;

/// The principals of a configuration, by role.
pub struct Principals<'a>(&'a Settings);

impl<'a> Principals<'a> {
    /// Returns the principal of a role. Returns `None` for the role of readers, which may have several principals.
    #[must_use]
    pub fn of(&self, role: Role) -> Option<&'a str> {
        let principals = &self.0.principals;
        Some(match role {
            Role::Collector => &principals.collector,
            Role::Combiner => &principals.combiner,
            Role::Merger => &principals.merger,
            Role::Eraser => &principals.eraser,
            Role::Operator => &principals.operator,
            Role::Auditor => &principals.auditor,
            Role::Reader => return None,
        })
    }

    /// Returns all principals, as (role, principal, tenant). The tenant is set only for a reader of the rollups of one
    /// tenant.
    pub fn all(&self) -> impl Iterator<Item = (Role, &'a str, Option<&'a str>)> + use<'a> {
        let principals = &self.0.principals;
        let single = Role::ALL.map(|role| (role, self.of(role)));
        let single = single.into_iter().filter_map(|(role, name)| Some((role, name?, None)));
        let readers = principals.readers.iter().map(|name| (Role::Reader, name.as_str(), None));
        let of_tenants = principals.tenants.iter().flat_map(|(tenant, names)| {
            names.iter().map(|name| (Role::Reader, name.as_str(), Some(tenant.as_str())))
        });
        single.chain(readers).chain(of_tenants)
    }
}

impl Config {
    /// Returns the principals of all roles.
    #[must_use]
    pub fn roles(&self) -> Principals<'_> {
        Principals(self)
    }

    /// Returns true if the configuration names the principal of at least one role. `audit` then reports every other
    /// principal that has permissions.
    #[must_use]
    pub fn has_principals(&self) -> bool {
        let roles = Role::ALL.into_iter().filter(|role| *role != Role::Reader);
        let mut keys = roles.map(key).chain([key(Role::Reader), "principals.tenants".into()]);
        keys.any(|key| self.is_given(&key))
    }
}

/// Checks that roles with separate duties have different principals. Combiner and merger may have the same principal,
/// because one worker can run both stages. Operator and auditor may have the same principal too.
pub(super) fn check(loaded: &Loaded) -> Result<(), ConfigError> {
    let all: Vec<_> = Principals(&loaded.settings).all().collect();
    for (index, (role, name, _)) in all.iter().enumerate() {
        let apart = |other: &Role| {
            let pair = [*role.min(other), *role.max(other)];
            role != other && !matches!(pair, [Role::Combiner, Role::Merger] | [Role::Operator, Role::Auditor])
        };
        let clash = all[index + 1..].iter().find(|(other, same, _)| same == name && apart(other));
        if let Some((other, ..)) = clash {
            let keys = [key(*other), key(*role)];
            let given = keys.iter().find(|key| loaded.is_given(key)).unwrap_or(&keys[1]);
            let message = format!(
                "gives {name} the roles {role} and {other}, whose duties must be separate; give each role a principal of \
                 its own"
            );
            return Err(loaded.error(given, message));
        }
    }
    Ok(())
}

/// Returns the configuration key of a role's principal.
fn key(role: Role) -> String {
    match role {
        Role::Reader => "principals.readers".into(),
        role => format!("principals.{role}"),
    }
}
