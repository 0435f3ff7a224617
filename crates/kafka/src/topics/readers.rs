//! The principals that may read, write and configure a topic, according to the ACLs of the cluster.

use std::collections::{BTreeMap, BTreeSet};

use rdkafka::admin::ConfigResource;

use super::Admin;
use crate::KafkaError;
use crate::acl::{self, Resource, Right};
use crate::admin_calls::describe_acls::{self, About, Acl, Operation, Pattern};

#[cfg(test)]
mod tests;

/// The principals that may read a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readers {
    /// Every client that can connect, because the cluster has no authorizer.
    Anyone,
    /// The principals that the ACLs allow.
    Listed(Vec<Reader>),
}

/// A principal that has a permission, and the ACL or setting that grants it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reader {
    /// The principal in Kafka's notation, such as `User:jane`. `User:*` means every principal. `super users` means
    /// super users whose names the brokers do not report.
    pub principal: String,
    /// The ACL or the broker setting that grants the permission.
    pub by: Grant,
}

/// The kind of ACL or broker setting that grants a permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grant {
    /// An ACL on the topic with its full name, or an ACL on the cluster.
    Literal,
    /// An ACL on a prefix of topic names.
    Prefixed,
    /// An ACL on all topics.
    Wildcard,
    /// The brokers' setting `super.users`. ACLs do not restrict these principals.
    SuperUser,
    /// No ACL applies to the topic, and the brokers' setting `allow.everyone.if.no.acl.found` is true.
    NoRule,
    /// No ACL applies to the topic, and the brokers have the setting `allow.everyone.if.no.acl.found`, but they do
    /// not report its value.
    Perhaps,
}

impl Grant {
    /// Returns a short description of the grant for reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Literal => "an ACL on the topic",
            Self::Prefixed => "an ACL on a prefix",
            Self::Wildcard => "an ACL on all topics",
            Self::SuperUser => "super.users",
            Self::NoRule => "allow.everyone.if.no.acl.found and no ACL on the topic",
            Self::Perhaps => "no ACL on the topic, possibly",
        }
    }
}

/// The principals that may read, write or configure one topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// The principals that may read the topic.
    pub readers: Readers,
    /// The principals that may write to the topic, according to its ACLs.
    pub writers: Vec<Reader>,
    /// The principals that may change the topic's settings, including its retention, according to its ACLs.
    pub configurers: Vec<Reader>,
}

/// A critical permission on the whole cluster. With it, a principal can read every topic, grant itself permissions, or
/// change how long records are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ClusterRight {
    /// The permission ClusterAction, with which a principal can fetch records like a broker that replicates them.
    ClusterAction,
    /// The permission Alter, with which a principal can create ACLs.
    Alter,
    /// The permission AlterConfigs, with which a principal can change the brokers' settings, such as the default
    /// retention of all topics.
    AlterConfigs,
}

impl ClusterRight {
    /// All variants.
    pub const ALL: [Self; 3] = [Self::ClusterAction, Self::Alter, Self::AlterConfigs];

    /// Returns Kafka's name of the permission.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ClusterAction => "ClusterAction",
            Self::Alter => "Alter",
            Self::AlterConfigs => "AlterConfigs",
        }
    }

    const fn operation(self) -> Operation {
        match self {
            Self::ClusterAction => Operation::ClusterAction,
            Self::Alter => Operation::Alter,
            Self::AlterConfigs => Operation::AlterConfigs,
        }
    }
}

/// The permissions of principals, according to the ACLs of the cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Permissions {
    /// The permissions on each requested topic, in the order of the request.
    pub topics: Vec<Access>,
    /// The principals with a permission on the cluster. Empty if the cluster has no authorizer.
    pub cluster: Vec<(Reader, ClusterRight)>,
}

impl Admin {
    /// Returns the principals that may read, write and configure each of these topics, and the principals with
    /// critical permissions on the cluster. Needs the permissions Describe and DescribeConfigs on the cluster.
    ///
    /// # Errors
    /// Returns an error if a broker does not respond, or if this principal lacks these permissions.
    pub fn permissions(&self, topics: &[String]) -> Result<Permissions, KafkaError> {
        let what = || "describe the ACLs of the cluster".to_owned();
        let brokers = self.brokers()?;
        let guarded = |broker: &ConfigResource| {
            !matches!(config_value(broker, "authorizer.class.name"), ConfigValue::Not | ConfigValue::Is(""))
        };
        if !brokers.iter().any(guarded) {
            let access = Access { readers: Readers::Anyone, writers: Vec::new(), configurers: Vec::new() };
            return Ok(Permissions { topics: vec![access; topics.len()], cluster: Vec::new() });
        }
        let client = self.client.inner();
        let failed = |code| KafkaError::coded(what(), code);
        // without this permission, the list of ACLs would be empty and not an error
        if !describe_acls::may_describe(client).map_err(failed)? {
            let right = Right { resource: Resource::Cluster, operation: acl::Operation::Describe };
            return Err(KafkaError::Forbidden { principal: self.cluster.principal(), right });
        }
        let mut always = BTreeSet::new();
        for broker in &brokers {
            match config_value(broker, "super.users") {
                ConfigValue::Not => {}
                ConfigValue::Hidden => drop(always.insert(SUPER_USERS.to_owned())),
                ConfigValue::Is(names) => always.extend(names.split(';').map(|name| name.trim().to_owned())),
            }
        }
        always.remove("");
        let open =
            brokers.iter().find_map(|broker| match config_value(broker, "allow.everyone.if.no.acl.found") {
                ConfigValue::Is("true") => Some(Grant::NoRule),
                ConfigValue::Hidden => Some(Grant::Perhaps),
                _ => None,
            });
        let access = topics.iter().map(|topic| {
            let rules = describe_acls::rules(client, About::Topic(topic)).map_err(failed)?;
            // `open` applies to all operations on a topic without ACLs, so it is reported only once, for the readers
            let other = |operation| listed(&rules, &always, None, operation);
            Ok(Access {
                readers: Readers::Listed(listed(&rules, &always, open, Operation::Read)),
                writers: other(Operation::Write),
                configurers: other(Operation::AlterConfigs),
            })
        });
        let topics = access.collect::<Result<_, KafkaError>>()?;
        let rules = describe_acls::rules(client, About::Cluster).map_err(failed)?;
        let holders = |right: ClusterRight| {
            let holders = listed(&rules, &always, open, right.operation());
            holders.into_iter().map(move |holder| (holder, right))
        };
        Ok(Permissions { topics, cluster: ClusterRight::ALL.into_iter().flat_map(holders).collect() })
    }
}

/// The name that stands for super users whose names the brokers do not report.
const SUPER_USERS: &str = "super users";

/// The value of a broker setting, as far as the broker reports it. Some settings are known only to the authorizer, for
/// example `super.users`. For such a setting, Kafka reports that it is set but hides the value, like that of a secret.
enum ConfigValue<'a> {
    /// The broker does not have the setting.
    Not,
    /// The broker has the setting and hides its value.
    Hidden,
    /// The value of the setting.
    Is(&'a str),
}

fn config_value<'a>(broker: &'a ConfigResource, key: &str) -> ConfigValue<'a> {
    broker
        .get(key)
        .map_or(ConfigValue::Not, |entry| entry.value.as_deref().map_or(ConfigValue::Hidden, ConfigValue::Is))
}

/// Returns the principals that may perform an operation: the principals that `acls` allow, and the super users in
/// `always`. If there are no ACLs, `open` is the broker setting that allows every principal. A principal that is denied
/// the operation for all hosts is removed, even if another ACL allows it. A denial for some hosts does not remove a
/// principal, because the principal may use other hosts.
fn listed(acls: &[Acl], always: &BTreeSet<String>, open: Option<Grant>, operation: Operation) -> Vec<Reader> {
    const ALL: &str = "User:*";
    let about = |acl: &&Acl| acl.operation == operation || acl.operation == Operation::All;
    let denied = acls.iter().filter(about).filter(|acl| !acl.allows && acl.host == "*");
    let denied: BTreeSet<&str> = denied.map(|acl| acl.principal.as_str()).collect();
    let mut readers: BTreeMap<String, Grant> = BTreeMap::new();
    if !denied.contains(ALL) {
        let allow = |acl: &&Acl| acl.allows && !denied.contains(acl.principal.as_str());
        for acl in acls.iter().filter(about).filter(allow) {
            let by = match acl.pattern {
                Pattern::Literal => Grant::Literal,
                Pattern::Prefixed => Grant::Prefixed,
                Pattern::Any => Grant::Wildcard,
            };
            let held = readers.entry(acl.principal.clone()).or_insert(by);
            *held = by.min(*held);
        }
        if let Some(by) = open.filter(|_| acls.is_empty()) {
            readers.insert(ALL.into(), by);
        }
    }
    readers.extend(always.iter().map(|user| (user.clone(), Grant::SuperUser)));
    readers.into_iter().map(|(principal, by)| Reader { principal, by }).collect()
}
