//! With any one of its rights less a stage does not run, and says which one it is: no right is granted in vain. Nor does
//! it where another right lets it see what it may not write.
#![expect(clippy::unwrap_used, reason = "a test says where it failed")]

use crowdfold_testkit::eventually;

use super::support::{Grant, MOST, add, broker, come_as, grant_as_printed, printed, remove, set};
use crate::worker::support::{Deployment, Worker};

/// A single right: one operation on one resource.
fn singles(grants: &[Grant]) -> Vec<Grant> {
    let mut singles = Vec::new();
    for Grant { principal, operations, resources } in grants {
        let named =
            resources.iter().position(|word| word == "--resource-pattern-type").map_or(0, |at| at + 2);
        let (pattern, named) = resources.split_at(named);
        for operation in operations {
            for resource in named.chunks(2) {
                let resources = [pattern, resource].concat();
                let (principal, operations) = (principal.clone(), vec![operation.clone()]);
                singles.push(Grant { principal, operations, resources });
            }
        }
    }
    singles
}

/// As an error names it.
fn named(right: &Grant) -> String {
    let operation = &right.operations[0];
    match right.resources.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--topic", topic] => format!("{operation} topic {topic}"),
        ["--group", group] => format!("{operation} group {group}"),
        ["--cluster"] => format!("{operation} the cluster"),
        [.., "--transactional-id", prefix] => format!("{operation} transactional ids {prefix}"),
        _ => panic!("{right:?}"),
    }
}

/// Users who lack one right each, and what becomes of them.
fn check(stage: &str, role: &str) {
    let mut deployment = Deployment::new(broker()).with_topics();
    set(&mut deployment, &format!("principals.{role}"), role);
    let grants: Vec<_> = printed(&deployment).into_iter().filter(|grant| grant.principal == role).collect();
    let rights = singles(&grants);
    assert!((5..=MOST).contains(&rights.len()), "{rights:?}");
    let users: Vec<_> = (0..rights.len()).map(|nth| format!("{stage}-{nth}")).collect();
    for (lacked, right) in rights.iter().enumerate() {
        let others: Vec<_> = users.iter().enumerate().filter(|(nth, _)| *nth != lacked).collect();
        add(right, &others.into_iter().map(|(_, user)| user.clone()).collect::<Vec<_>>());
    }
    for (user, right) in users.iter().zip(&rights) {
        come_as(&mut deployment, "SCRAM-SHA-256", user);
        // each its own id, or they would fence one another
        let mut worker = Worker::start_with(&deployment, user, &["--stage", stage]);
        let status = worker.wait();
        let expected = format!("crowdfold: principal User:{user} may not {}", named(right));
        let log = worker.log();
        let last = log.lines().last().unwrap();
        assert!(last.starts_with(&expected), "without {}:\n{log}", named(right));
        assert_eq!(status.code(), Some(1), "{log}");
        assert!(log.lines().count() < 20, "a storm of retries:\n{log}");
    }
}

#[test]
fn a_combiner_needs_each_of_its_rights() {
    check("combine", "combiner");
}

#[test]
fn a_merger_needs_each_of_its_rights() {
    check("merge", "merger");
}

/// A right on a topic, and nothing else.
fn on_topic(principal: &str, operation: &str, topic: &str) -> Grant {
    Grant {
        principal: principal.into(),
        operations: vec![operation.into()],
        resources: vec!["--topic".into(), topic.into()],
    }
}

/// Seen by another right, a topic that may not be written would show that only when the first window closes.
#[test]
fn a_right_to_write_is_missed_at_the_start_where_another_right_lets_the_topic_be_seen() {
    let mut deployment = Deployment::new(broker()).with_topics();
    for (stage, role, topic) in [
        ("combine", "combiner", "partials"),
        ("combine", "combiner", "rejections"),
        ("merge", "merger", "rollups"),
    ] {
        let (user, topic) = (format!("sees-{topic}"), deployment.topic(topic));
        set(&mut deployment, &format!("principals.{role}"), &user);
        grant_as_printed(&deployment, &[&user]);
        remove(&on_topic(&user, "Write", &topic));
        add(&on_topic(&user, "Describe", &topic), std::slice::from_ref(&user));
        come_as(&mut deployment, "SCRAM-SHA-256", &user);
        let mut worker = Worker::start_with(&deployment, &user, &["--stage", stage]);
        let status = worker.wait();
        let log = worker.log();
        let expected =
            format!("crowdfold: principal User:{user} may not Write topic {topic}; grant the permission");
        assert!(log.lines().last().unwrap().starts_with(&expected), "{log}");
        assert_eq!(status.code(), Some(1), "{log}");
        assert!(!log.contains("assigned"), "it began to work:\n{log}");
        assert!(log.lines().count() < 20, "a storm of retries:\n{log}");
    }
}

/// And a right that is taken away while it works is named as well.
#[test]
fn a_right_to_write_that_is_taken_away_is_named_by_the_next_transaction() {
    let mut deployment = Deployment::new(broker()).with_topics();
    let user = "loses";
    set(&mut deployment, "principals.combiner", user);
    grant_as_printed(&deployment, &[user]);
    come_as(&mut deployment, "SCRAM-SHA-256", user);
    let mut worker = Worker::start_with(&deployment, user, &["--stage", "combine"]);
    worker.await_log("assigned");
    let sent = |deployment: &Deployment<'_>| !deployment.records("partials", "read_committed").is_empty();
    // windows close without a beacon, too
    eventually("it writes", || sent(&deployment).then_some(()));
    let topic = deployment.topic("partials");
    add(&on_topic(user, "Describe", &topic), &[user.to_owned()]);
    remove(&on_topic(user, "Write", &topic));
    let status = worker.wait();
    let log = worker.log();
    let expected =
        format!("crowdfold: principal User:{user} may not Write topic {topic}; grant the permission");
    assert!(log.lines().last().unwrap().starts_with(&expected), "{log}");
    assert_eq!(status.code(), Some(1), "{log}");
}
