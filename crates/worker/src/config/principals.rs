//! The principals of the roles around a deployment.

use crowdfold_config::{ConfigError, Loaded, Settings};
use crowdfold_kafka::acl::Role;

use super::Config;

/// The principals of a configuration, by role.
pub struct Principals<'a>(&'a Settings);

impl<'a> Principals<'a> {
    /// Returns the principal of a role, or `None` for readers, of which there can be several.
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

    /// Returns all principals with their roles. A reader of one tenant's rollups comes with that tenant.
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
    /// Returns the principals by role.
    #[must_use]
    pub fn roles(&self) -> Principals<'_> {
        Principals(self)
    }

    /// Returns true if principals are configured, so that their ACLs are relied on.
    #[must_use]
    pub fn has_principals(&self) -> bool {
        let roles = Role::ALL.into_iter().filter(|role| *role != Role::Reader);
        let mut keys = roles.map(key).chain([key(Role::Reader), "principals.tenants".into()]);
        keys.any(|key| self.is_given(&key))
    }
}

/// Checks that roles with different duties have different principals. Combiner and merger may be one principal, because
/// one worker can run both stages; so may operator and auditor.
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

/// The key that names the principal of a role.
fn key(role: Role) -> String {
    match role {
        Role::Reader => "principals.readers".into(),
        role => format!("principals.{role}"),
    }
}
