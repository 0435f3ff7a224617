//! Who may read a topic, by the cluster's own rules.

use std::collections::{BTreeMap, BTreeSet};

use rdkafka::admin::ConfigResource;

use super::Admin;
use crate::Error;
use crate::acl::{Operation, Resource, Right};
use crate::admin_calls::describe_acls::{self, Acl, Pattern};

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

/// One of those who may read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reader {
    /// As Kafka writes it, `User:jane`; `User:*` is whoever the cluster lets in, and `super users` are those that brokers
    /// have and do not name.
    pub principal: String,
    /// What lets it.
    pub by: Grant,
}

/// What lets somebody read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grant {
    /// A rule that names the topic.
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
            Self::Literal => "a rule on the topic",
            Self::Prefixed => "a rule on a prefix",
            Self::Wildcard => "a rule on all topics",
            Self::SuperUser => "super.users",
            Self::NoRule => "no rule on the topic and allow.everyone.if.no.acl.found",
            Self::Perhaps => "no rule on the topic, perhaps",
        }
    }
}

impl Admin {
    /// Who may read each of these topics. Needs the right to describe the cluster, and its configuration.
    ///
    /// # Errors
    /// A broker does not answer, or this principal may not ask.
    pub fn readers(&self, topics: &[String]) -> Result<Vec<Readers>, Error> {
        let what = || "describe the ACLs of the cluster".to_owned();
        let brokers = self.brokers()?;
        let guarded = |broker: &ConfigResource| {
            !matches!(told(broker, "authorizer.class.name"), Told::Not | Told::Is(""))
        };
        if !brokers.iter().any(guarded) {
            return Ok(vec![Readers::Anyone; topics.len()]);
        }
        let client = self.client.inner();
        let failed = |code| Error::coded(what(), code);
        // without the right the answer is that there are none
        if !describe_acls::may_describe(client).map_err(failed)? {
            let right = Right { resource: Resource::Cluster, operation: Operation::Describe };
            return Err(Error::Forbidden { principal: self.cluster.principal(), right });
        }
        let mut always = BTreeSet::new();
        for broker in &brokers {
            match told(broker, "super.users") {
                Told::Not => {}
                Told::Hidden => drop(always.insert(SUPER_USERS.to_owned())),
                Told::Is(names) => always.extend(names.split(';').map(|name| name.trim().to_owned())),
            }
        }
        always.remove("");
        let open = brokers.iter().find_map(|broker| match told(broker, "allow.everyone.if.no.acl.found") {
            Told::Is("true") => Some(Grant::NoRule),
            Told::Hidden => Some(Grant::Perhaps),
            _ => None,
        });
        let listed = topics.iter().map(|topic| {
            let acls = describe_acls::of_topic(client, topic).map_err(failed)?;
            Ok(Readers::Listed(listed(&acls, &always, open)))
        });
        listed.collect()
    }
}

/// Super users, where the brokers do not name them.
const SUPER_USERS: &str = "super users";

/// What a broker tells of a setting. What the authorizer alone knows Kafka takes for a secret: that it is there is all
/// that is told.
enum Told<'a> {
    Not,
    Hidden,
    Is(&'a str),
}

fn told<'a>(broker: &'a ConfigResource, key: &str) -> Told<'a> {
    broker.get(key).map_or(Told::Not, |entry| entry.value.as_deref().map_or(Told::Hidden, Told::Is))
}

/// Whom the rules let read. A denial for all hosts takes one out, whatever else lets it; a denial for some hosts leaves
/// the others.
fn listed(acls: &[Acl], always: &BTreeSet<String>, open: Option<Grant>) -> Vec<Reader> {
    const ALL: &str = "User:*";
    let denied = acls.iter().filter(|acl| acl.reads && !acl.allows && acl.host == "*");
    let denied: BTreeSet<&str> = denied.map(|acl| acl.principal.as_str()).collect();
    let mut readers: BTreeMap<String, Grant> = BTreeMap::new();
    if !denied.contains(ALL) {
        let allow = |acl: &&Acl| acl.reads && acl.allows && !denied.contains(acl.principal.as_str());
        for acl in acls.iter().filter(allow) {
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
