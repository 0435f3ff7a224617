//! The principals that may read, write and configure a topic, by the ACLs of the cluster.

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
    /// The cluster has no authorizer, so every client that can connect.
    Anyone,
    /// The principals that the ACLs allow.
    Listed(Vec<Reader>),
}

/// A principal with a permission.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reader {
    /// The principal as Kafka writes it, `User:jane`. `User:*` is every authenticated principal, and `super users`
    /// stands for those that the brokers have but do not name.
    pub principal: String,
    /// The ACL or setting that grants it.
    pub by: Grant,
}

/// The ACL or setting that grants a permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grant {
    /// An ACL that names the topic, or one on the cluster.
    Literal,
    /// An ACL on a prefix of topic names.
    Prefixed,
    /// An ACL on all topics.
    Wildcard,
    /// The brokers' `super.users`, to whom ACLs do not apply.
    SuperUser,
    /// No ACL names the topic, and the brokers' `allow.everyone.if.no.acl.found` is true.
    NoRule,
    /// No ACL names the topic, and the brokers have an `allow.everyone.if.no.acl.found` that they do not report.
    Perhaps,
}

impl Grant {
    /// Returns a short description.
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

/// The principals with permissions on a topic that matter for privacy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// The principals that may read it.
    pub readers: Readers,
    /// The principals that may write to it, by its ACLs.
    pub writers: Vec<Reader>,
    /// The principals that may change its configuration, including its retention, by its ACLs.
    pub configurers: Vec<Reader>,
}

/// A permission on the whole cluster with which a principal can read any topic, or grant itself the permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ClusterRight {
    /// ClusterAction: fetch like a replicating broker.
    ClusterAction,
    /// Alter: create ACLs.
    Alter,
    /// AlterConfigs: change the brokers' settings, such as the retention of every topic.
    AlterConfigs,
}

impl ClusterRight {
    /// All permissions of this kind.
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

/// The permissions of principals, by the ACLs of the cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Permissions {
    /// The permissions on each requested topic.
    pub topics: Vec<Access>,
    /// The permissions of principals on the cluster. Empty without an authorizer.
    pub cluster: Vec<(Reader, ClusterRight)>,
}

impl Admin {
    /// Returns the principals that may read, write and configure each of these topics, including those that can do so
    /// by permissions on the cluster. Needs the permissions to describe the cluster and its configuration.
    ///
    /// # Errors
    /// A broker does not respond, or this principal lacks the permissions.
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
        // without the permission the response is an empty list
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
            // a topic without ACLs is open or closed as a whole, which its readers show
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

/// The name for super users if the brokers do not report them.
const SUPER_USERS: &str = "super users";

/// A broker setting as far as it is reported. Kafka treats settings that only the authorizer knows as secret and
/// reports only their presence.
enum ConfigValue<'a> {
    Not,
    Hidden,
    Is(&'a str),
}

fn config_value<'a>(broker: &'a ConfigResource, key: &str) -> ConfigValue<'a> {
    broker
        .get(key)
        .map_or(ConfigValue::Not, |entry| entry.value.as_deref().map_or(ConfigValue::Hidden, ConfigValue::Is))
}

/// Returns the principals whom the ACLs allow an operation. A denial for all hosts removes a principal, whatever else
/// allows it; a denial for some hosts does not, because the other hosts remain.
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
