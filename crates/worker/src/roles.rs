//! The permissions of the principals in `[principals]`, according to the roles of `crowdfold_kafka::acl`.

use crowdfold_kafka::acl::{Names, Right, Role};

use crate::config::Config;
use crate::telemetry::Component;

/// A principal with its permissions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The name of the principal without its type, which is always `User`.
    pub principal: String,
    /// The roles of the principal, such as `combiner`, or `reader of acme`.
    pub roles: Vec<String>,
    /// The permissions of all roles of the principal. Each permission occurs once.
    pub rights: Vec<Right>,
}

/// Returns all configured principals with their permissions. A principal with two roles occurs once, with the
/// permissions of both roles.
pub fn actors(config: &Config) -> Vec<Actor> {
    let names = names(config);
    let mut actors: Vec<Actor> = Vec::new();
    for (role, principal, tenant) in config.roles().all() {
        let of_tenant =
            tenant.map(|tenant| Names { rollups: vec![topic_of(config, tenant)], ..names.clone() });
        let rights = of_tenant.as_ref().unwrap_or(&names).rights(role);
        let title = tenant.map_or_else(|| role.to_string(), |tenant| format!("{role} of {tenant}"));
        let at = actors.iter().position(|actor| actor.principal == principal).unwrap_or_else(|| {
            actors.push(Actor { principal: principal.into(), roles: Vec::new(), rights: Vec::new() });
            actors.len() - 1
        });
        let actor = &mut actors[at];
        actor.roles.push(title);
        let new: Vec<_> = rights.into_iter().filter(|right| !actor.rights.contains(right)).collect();
        actor.rights.extend(new);
    }
    actors
}

/// Returns the permissions that a stage needs.
pub fn of_stage(config: &Config, component: Component) -> Vec<Right> {
    match component {
        Component::Combine => names(config).rights(Role::Combiner),
        Component::Merge => names(config).rights(Role::Merger),
        Component::Erase => names(config).rights(Role::Eraser),
        Component::Collect => names(config).rights(Role::Collector),
        Component::Topics => Vec::new(),
    }
}

/// Returns the consumer group of a stage.
pub fn group(config: &Config, component: Component) -> String {
    format!("{}-{}", config.kafka.prefix, component.name())
}

/// Returns the prefix of the transactional ids of a stage. After the prefix, an id contains the instance name of the
/// worker.
pub fn transactional_ids(config: &Config, component: Component) -> String {
    format!("{}-{}-", config.kafka.prefix, component.name())
}

fn names(config: &Config) -> Names {
    let topics = config.topic_names();
    Names {
        rollups: topics.rollups().to_vec(),
        beacons: topics.beacons,
        partials: topics.partials,
        rejections: topics.rejections,
        combine_group: group(config, Component::Combine),
        combine_transactions: transactional_ids(config, Component::Combine),
        merge_group: group(config, Component::Merge),
        merge_transactions: transactional_ids(config, Component::Merge),
    }
}

fn topic_of(config: &Config, tenant: &str) -> String {
    let at = config.tenants.names.iter().position(|name| name == tenant);
    config.topic_names().rollups_of(at.unwrap_or(0)).to_owned()
}
