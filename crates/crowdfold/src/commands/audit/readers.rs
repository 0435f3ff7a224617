//! Who may read each topic, against who should.
//!
//! A principal that no role lets read is a breach, and so is `User:*`. Super users are told, not blamed: every cluster has
//! them, and no rule holds for them. A cluster without an authorizer has no principals to be compared: that anyone may
//! read is a breach where `[principals]` are given (then somebody counts on them), else told.
//!
//! A topic that no rule names is open or shut by `allow.everyone.if.no.acl.found`, which brokers do not show: that cannot
//! be looked at, and any rule on the topic ends it.

use crowdfold_kafka::acl::{Operation, Resource, Right};
use crowdfold_kafka::topics::{Grant, Reader, Readers};

use super::report::{Line, Report, Unseen};
use crate::config::Config;
use crate::roles;

/// Notes who may read, and what is wrong with it.
pub(super) fn judge(topics: &[String], told: Vec<Readers>, config: &Config, report: &mut Report) {
    let actors = roles::actors(config);
    for (topic, readers) in topics.iter().zip(told) {
        let Some(subject) = report.subjects.iter_mut().find(|subject| subject.spec.topic == *topic) else {
            continue;
        };
        let right = Right { resource: Resource::Topic(topic.clone()), operation: Operation::Read };
        let may = |principal: &str| {
            let name = principal.strip_prefix("User:").unwrap_or(principal);
            actors.iter().any(|actor| actor.principal == name && actor.rights.contains(&right))
        };
        let findings = match &readers {
            Readers::Anyone => vec![Line::on(
                topic,
                "anyone-may-read",
                config.principals.is_given && subject.is_ours,
                ANYONE.into(),
            )],
            Readers::Listed(listed) => {
                let strangers = listed.iter().filter(|reader| !may(&reader.principal));
                strangers.filter_map(|reader| stranger(topic, reader, subject.is_ours)).collect()
            }
        };
        let untold = |readers: &Readers| matches!(readers, Readers::Listed(listed) if listed.iter().any(|reader| reader.by == Grant::Perhaps));
        if subject.is_ours && untold(&readers) {
            report.unseen.push(Unseen { what: format!("who may read topic {topic}"), why: UNTOLD.into() });
        }
        subject.readers = Some(readers);
        report.findings.extend(findings);
    }
}

const ANYONE: &str = "anyone who reaches the brokers may read it: they have no authorizer";

const UNTOLD: &str = "no rule names it, and the brokers do not show allow.everyone.if.no.acl.found: grant what `crowdfold \
                      topics acl` prints";

/// What there is to say of a reader whom no role lets read. Of another program's topic we know no roles: only that
/// everybody is too many for none.
fn stranger(topic: &str, Reader { principal, by }: &Reader, is_ours: bool) -> Option<Line> {
    let by_name = by.name();
    if matches!(by, Grant::SuperUser | Grant::Perhaps) {
        return None;
    }
    if principal == "User:*" {
        let says = format!("everybody may read it, by {by_name}");
        return Some(Line::on(topic, "anyone-may-read", is_ours, says));
    }
    is_ours.then(|| {
        let says = format!(
            "{principal} may read it, by {by_name}, and no role of [principals] lets it: take the rule away"
        );
        Line::on(topic, "stranger-may-read", true, says)
    })
}
