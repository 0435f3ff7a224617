//! Compares the permissions that the cluster grants with the permissions that the roles need.
//!
//! It is a breach if a principal may read a topic and has no role that requires it, or if `User:*` may read it. The
//! same applies to permissions with which a topic can be read indirectly (ClusterAction and Alter on the cluster), to
//! permissions to change the retention of personal data (AlterConfigs), and to permissions to write beacons, partials
//! or rollups. Super users are reported, but are not a breach, because every cluster has them and ACLs do not apply to
//! them. If a cluster has no authorizer, every client may read every topic. That is a breach if `[principals]` is
//! configured, because a configuration of principals implies that access is restricted.
//!
//! Access to a topic without ACLs depends on the broker setting `allow.everyone.if.no.acl.found`, which brokers do not
//! report, so it cannot be checked. If the topic has an ACL, the setting has no effect on it.

use crowdfold_kafka::acl::{Operation, Resource, Right};
use crowdfold_kafka::topics::{Access, ClusterRight, Grant, Permissions, Purpose, Reader, Readers};
use crowdfold_worker::Config;
use crowdfold_worker::roles::{self, Actor};

use super::report::{Line, Report, Unseen};

/// The text that replaces the name of a topic in findings about the whole cluster.
const CLUSTER: &str = "(cluster)";

/// Adds the readers of each topic to the report, and a finding for each permission that no role needs.
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
            report
                .unseen
                .push(Unseen { what: format!("read permissions of topic {topic}"), why: UNKNOWN.into() });
        }
        subject.readers = Some(readers);
        report.findings.extend(findings);
    }
    if report.subjects.iter().any(|subject| subject.is_ours) {
        on_cluster(&permissions.cluster, config, report);
    }
}

/// Returns the principals that may execute an operation on a topic, although none of their roles needs it.
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

/// Reports permissions on the cluster. No role needs such a permission, except ClusterAction of the brokers themselves.
fn on_cluster(listed: &[(Reader, ClusterRight)], config: &Config, report: &mut Report) {
    for (reader, right) in listed {
        let name = reader.principal.strip_prefix("User:").unwrap_or(&reader.principal);
        let is_broker =
            *right == ClusterRight::ClusterAction && config.principals.brokers.iter().any(|b| b == name);
        if is_broker || reader.by == Grant::SuperUser {
            continue;
        }
        if reader.by == Grant::Perhaps {
            let what = format!("holders of {} on the cluster", right.name());
            report.unseen.push(Unseen { what, why: UNKNOWN_CLUSTER.into() });
            continue;
        }
        let (suffix, effect) = match right {
            ClusterRight::ClusterAction => ("read-indirectly", "may fetch every topic as a broker does"),
            ClusterRight::Alter => ("read-indirectly", "may grant itself any permission"),
            ClusterRight::AlterConfigs => ("configure", "may change the retention of every topic"),
        };
        let (finding, holder) = finding_about(suffix, &reader.principal);
        let text = format!(
            "{holder} {effect} because of an ACL for {} on the cluster; remove the ACL",
            right.name()
        );
        report.findings.push(Line::on(CLUSTER, finding, true, text));
    }
}

/// Returns the name of the finding, and the words for the principal in a sentence.
fn finding_about<'a>(suffix: &str, principal: &'a str) -> (&'static str, &'a str) {
    let anyone = principal == "User:*";
    let finding = match (suffix, anyone) {
        ("read-indirectly", true) => "anyone-may-read-indirectly",
        ("read-indirectly", false) => "stranger-may-read-indirectly",
        ("configure", true) => "anyone-may-configure",
        ("configure", false) => "stranger-may-configure",
        (_, true) => "anyone-may-write",
        (_, false) => "stranger-may-write",
    };
    (finding, if anyone { "every principal" } else { principal })
}

fn writes(topic: &str, Reader { principal, by }: &Reader) -> Option<Line> {
    let (finding, holder) = finding_about("write", principal);
    let text = format!(
        "{holder} may write to the topic because of {}, but no role of [principals] requires it; remove the ACL",
        by.name()
    );
    (*by != Grant::SuperUser).then(|| Line::on(topic, finding, true, text))
}

fn configures(topic: &str, Reader { principal, by }: &Reader) -> Option<Line> {
    let (finding, holder) = finding_about("configure", principal);
    let text = format!(
        "{holder} may change the retention of the topic because of {}, but no role of [principals] requires it; remove \
         the ACL",
        by.name()
    );
    (*by != Grant::SuperUser).then(|| Line::on(topic, finding, true, text))
}

const ANYONE: &str = "every client that can connect may read the topic because the brokers have no authorizer; \
                      configure one";

const UNKNOWN: &str = "the topic has no ACL, and the brokers do not report allow.everyone.if.no.acl.found; create the \
                       ACLs that `crowdfold topics acl` prints";

const UNKNOWN_CLUSTER: &str = "the cluster has no ACL, and the brokers do not report allow.everyone.if.no.acl.found; \
                               create the ACLs that `crowdfold topics acl` prints";

/// Returns the finding for a principal that may read a topic, although no role of the principal requires it. The topics
/// of another program have unknown roles. For these topics, a finding is returned only if every principal may read
/// them.
fn stranger(topic: &str, Reader { principal, by }: &Reader, is_ours: bool) -> Option<Line> {
    let by_name = by.name();
    if matches!(by, Grant::SuperUser | Grant::Perhaps) {
        return None;
    }
    if principal == "User:*" {
        let text = format!("every principal may read the topic because of {by_name}");
        return Some(Line::on(topic, "anyone-may-read", is_ours, text));
    }
    is_ours.then(|| {
        let text = format!(
            "{principal} may read the topic because of {by_name}, but no role of [principals] requires it; remove the \
             ACL"
        );
        Line::on(topic, "stranger-may-read", true, text)
    })
}
