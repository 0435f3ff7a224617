//! The permissions that the cluster grants, compared with those that the roles need.
//!
//! A principal that may read a topic although no role lets it is a breach, and so is `User:*`. The same holds for rights
//! with which a topic can be read indirectly (ClusterAction and Alter on the cluster), for rights to change how long
//! personal data stays (AlterConfigs), and for rights to write beacons, partials or rollups. Super users are reported and
//! are no breach, because every cluster has them and no rule holds for them. A cluster without an authorizer has no
//! principals to compare: that anyone may read is a breach where `[principals]` are given, because somebody relies on
//! them.
//!
//! A topic without rules is open or shut by `allow.everyone.if.no.acl.found`, which brokers do not show. It cannot be
//! checked, and any rule on the topic makes the setting irrelevant.

use crowdfold_kafka::acl::{Operation, Resource, Right};
use crowdfold_kafka::topics::{Access, ClusterRight, Grant, Permissions, Purpose, Reader, Readers};

use super::report::{Line, Report, Unseen};
use crate::config::Config;
use crate::roles::{self, Actor};

/// Stands in a report for a topic where a right is on the whole cluster.
const CLUSTER: &str = "(cluster)";

/// Notes who may do what, and which of it no role needs.
pub(super) fn check(topics: &[String], permissions: Permissions, config: &Config, report: &mut Report) {
    let actors = roles::actors(config);
    for (topic, access) in topics.iter().zip(permissions.topics) {
        let Some(subject) = report.subjects.iter_mut().find(|subject| subject.spec.topic == *topic) else {
            continue;
        };
        let Access { readers, writers, configurers } = access;
        let mut findings = match &readers {
            Readers::Anyone => vec![Line::on(
                topic,
                "anyone-may-read",
                config.has_principals() && subject.is_ours,
                ANYONE.into(),
            )],
            Readers::Listed(listed) => {
                let strangers = strangers(&actors, topic, Operation::Read, listed);
                strangers.filter_map(|reader| stranger(topic, reader, subject.is_ours)).collect()
            }
        };
        let purpose = subject.spec.purpose;
        if subject.is_ours && matches!(purpose, Purpose::Beacons | Purpose::Partials | Purpose::Rollups) {
            let strangers = strangers(&actors, topic, Operation::Write, &writers);
            findings.extend(strangers.filter_map(|writer| writes(topic, writer)));
        }
        if subject.is_ours && matches!(purpose, Purpose::Beacons | Purpose::Partials) {
            let strangers = strangers(&actors, topic, Operation::AlterConfigs, &configurers);
            findings.extend(strangers.filter_map(|operator| configures(topic, operator)));
        }
        let unknown = |readers: &Readers| matches!(readers, Readers::Listed(listed) if listed.iter().any(|reader| reader.by == Grant::Perhaps));
        if subject.is_ours && unknown(&readers) {
            report.unseen.push(Unseen { what: format!("who may read topic {topic}"), why: UNKNOWN.into() });
        }
        subject.readers = Some(readers);
        report.findings.extend(findings);
    }
    if report.subjects.iter().any(|subject| subject.is_ours) {
        on_cluster(&permissions.cluster, config, report);
    }
}

/// Those that may do something on a topic and have no role that needs it.
fn strangers<'a>(
    actors: &[Actor],
    topic: &str,
    operation: Operation,
    listed: &'a [Reader],
) -> impl Iterator<Item = &'a Reader> {
    let right = Right { resource: Resource::Topic(topic.into()), operation };
    listed.iter().filter(move |reader| {
        let name = reader.principal.strip_prefix("User:").unwrap_or(&reader.principal);
        !actors.iter().any(|actor| actor.principal == name && actor.rights.contains(&right))
    })
}

/// Rights on the cluster: no role needs any of these.
fn on_cluster(listed: &[(Reader, ClusterRight)], config: &Config, report: &mut Report) {
    for (reader, right) in listed {
        let name = reader.principal.strip_prefix("User:").unwrap_or(&reader.principal);
        let is_broker =
            *right == ClusterRight::ClusterAction && config.principals.brokers.iter().any(|b| b == name);
        if is_broker || reader.by == Grant::SuperUser {
            continue;
        }
        if reader.by == Grant::Perhaps {
            let what = format!("who has {} on the cluster", right.name());
            report.unseen.push(Unseen { what, why: UNKNOWN_CLUSTER.into() });
            continue;
        }
        let (suffix, effect) = match right {
            ClusterRight::ClusterAction => ("read-indirectly", "may fetch every topic as a broker does"),
            ClusterRight::Alter => ("read-indirectly", "may grant itself any right"),
            ClusterRight::AlterConfigs => ("configure", "may change how long every topic keeps its records"),
        };
        let (finding, who) = who(suffix, &reader.principal);
        let text = format!("{who} {effect}, by {} on the cluster: take the rule away", right.name());
        report.findings.push(Line::on(CLUSTER, finding, true, text));
    }
}

/// The finding's name, and the principal in words.
fn who<'a>(suffix: &str, principal: &'a str) -> (&'static str, &'a str) {
    let anyone = principal == "User:*";
    let finding = match (suffix, anyone) {
        ("read-indirectly", true) => "anyone-may-read-indirectly",
        ("read-indirectly", false) => "stranger-may-read-indirectly",
        ("configure", true) => "anyone-may-configure",
        ("configure", false) => "stranger-may-configure",
        (_, true) => "anyone-may-write",
        (_, false) => "stranger-may-write",
    };
    (finding, if anyone { "everybody" } else { principal })
}

fn writes(topic: &str, Reader { principal, by }: &Reader) -> Option<Line> {
    let (finding, who) = who("write", principal);
    let text = format!(
        "{who} may write to it, by {}, and no role of [principals] needs it: take the rule away",
        by.name()
    );
    (*by != Grant::SuperUser).then(|| Line::on(topic, finding, true, text))
}

fn configures(topic: &str, Reader { principal, by }: &Reader) -> Option<Line> {
    let (finding, who) = who("configure", principal);
    let text = format!(
        "{who} may change how long it keeps its records, by {}, and no role of [principals] needs it: take the rule away",
        by.name()
    );
    (*by != Grant::SuperUser).then(|| Line::on(topic, finding, true, text))
}

const ANYONE: &str = "anyone who reaches the brokers may read it: they have no authorizer";

const UNKNOWN: &str = "no rule names it, and the brokers do not show allow.everyone.if.no.acl.found: grant what `crowdfold \
                      topics acl` prints";

const UNKNOWN_CLUSTER: &str = "no rule names the cluster, and the brokers do not show allow.everyone.if.no.acl.found: grant \
                              what `crowdfold topics acl` prints";

/// What there is to say of a reader whom no role lets read. Of another program's topic we know no roles: only that
/// everybody is too many for none.
fn stranger(topic: &str, Reader { principal, by }: &Reader, is_ours: bool) -> Option<Line> {
    let by_name = by.name();
    if matches!(by, Grant::SuperUser | Grant::Perhaps) {
        return None;
    }
    if principal == "User:*" {
        let text = format!("everybody may read it, by {by_name}");
        return Some(Line::on(topic, "anyone-may-read", is_ours, text));
    }
    is_ours.then(|| {
        let text = format!(
            "{principal} may read it, by {by_name}, and no role of [principals] lets it: take the rule away"
        );
        Line::on(topic, "stranger-may-read", true, text)
    })
}
