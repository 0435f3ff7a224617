//! The principals that may read, write and configure a topic, by the ACLs of the cluster.

use std::collections::{BTreeMap, BTreeSet};

use rdkafka::admin::ConfigResource;

use super::Admin;
use crate::Error;
use crate::acl::{self, Resource, Right};
use crate::admin_calls::describe_acls::{self, About, Acl, Operation, Pattern};

#[cfg(test)]
mod tests;

/// Who may read a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readers {
    /// The cluster has no authorizer: whoever reaches its brokers.
    Anyone,
    /// Whom its rules let.
    Listed(Vec<Reader>),
}

/// A principal that may do something.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reader {
    /// As Kafka writes it, `User:jane`; `User:*` is whoever the cluster lets in, and `super users` are those that brokers
    /// have and do not name.
    pub principal: String,
    /// The rule or setting that allows it.
    pub by: Grant,
}

/// The rule or setting that allows something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grant {
    /// A rule that names the topic, or one on the cluster.
    Literal,
    /// A rule on topics that begin so.
    Prefixed,
    /// A rule on all topics.
    Wildcard,
    /// The brokers' `super.users`: no rule holds for them.
    SuperUser,
    /// No rule names the topic, and the brokers' `allow.everyone.if.no.acl.found` is true.
    NoRule,
    /// No rule names the topic, and the brokers have an `allow.everyone.if.no.acl.found` which they do not show.
    Perhaps,
}

impl Grant {
    /// In a few words.
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
    /// Who may change its configuration, and so how long its records stay, by its rules.
    pub configurers: Vec<Reader>,
}

/// A permission on the whole cluster with which a principal can read any topic, or take the permission to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ClusterRight {
    /// ClusterAction: fetch like a broker that replicates.
    ClusterAction,
    /// Alter: add rules.
    Alter,
    /// AlterConfigs: change the brokers' settings, such as how long every topic's records stay.
    AlterConfigs,
}

impl ClusterRight {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::ClusterAction, Self::Alter, Self::AlterConfigs];

    /// Kafka's name for it.
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
    /// For each topic that was asked for.
    pub topics: Vec<Access>,
    /// The permissions of principals on the cluster. Empty without an authorizer.
    pub cluster: Vec<(Reader, ClusterRight)>,
}

impl Admin {
    /// Returns who may read, write and configure each of these topics, and who can do so by rights on the cluster. Needs
    /// the right to describe the cluster, and its configuration.
    ///
    /// # Errors
    /// A broker does not answer, or this principal may not ask.
    pub fn permissions(&self, topics: &[String]) -> Result<Permissions, Error> {
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
        let failed = |code| Error::coded(what(), code);
        // without the right the answer is that there are none
        if !describe_acls::may_describe(client).map_err(failed)? {
            let right = Right { resource: Resource::Cluster, operation: acl::Operation::Describe };
            return Err(Error::Forbidden { principal: self.cluster.principal(), right });
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
            // a topic without rules is open or shut as a whole, which its readers show
            let other = |operation| listed(&rules, &always, None, operation);
            Ok(Access {
                readers: Readers::Listed(listed(&rules, &always, open, Operation::Read)),
                writers: other(Operation::Write),
                configurers: other(Operation::AlterConfigs),
            })
        });
        let topics = access.collect::<Result<_, Error>>()?;
        let rules = describe_acls::rules(client, About::Cluster).map_err(failed)?;
        let holders = |right: ClusterRight| {
            let holders = listed(&rules, &always, open, right.operation());
            holders.into_iter().map(move |holder| (holder, right))
        };
        Ok(Permissions { topics, cluster: ClusterRight::ALL.into_iter().flat_map(holders).collect() })
    }
}

/// Super users, where the brokers do not name them.
const SUPER_USERS: &str = "super users";

/// What a broker tells of a setting. What the authorizer alone knows Kafka takes for a secret: that it is there is all
/// that is told.
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

/// Returns whom the rules let do something. A denial for all hosts takes one out, whatever else lets it; a denial for
/// some hosts leaves the others.
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
