//! Tests that each printed permission is necessary. If a stage lacks one of its permissions, it must exit with an error
//! that names the permission.
#![expect(clippy::unwrap_used, reason = "a panic shows the location of the failure")]

use crowdfold_testkit::eventually;

use super::support::{Grant, MOST, add, broker, connect_as, grant_as_printed, printed, remove, set};
use crate::worker::support::{Deployment, Worker};

/// Divides grants into single permissions, each of which is one operation on one resource.
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

/// Returns the name of a permission in error messages.
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

/// Runs a stage once for each of its permissions, as a user that has all permissions of the stage except that one.
/// Asserts that the error names the missing permission.
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
        connect_as(&mut deployment, "SCRAM-SHA-256", user);
        // Each worker has its own id, because workers with the same id would fence each other.
        let mut worker = Worker::start_with(&deployment, user, &["--stage", stage]);
        let status = worker.wait();
        let expected = format!("crowdfold: principal User:{user} may not {}", named(right));
        let log = worker.log();
        let last = log.lines().last().unwrap();
        assert!(last.starts_with(&expected), "without {}:\n{log}", named(right));
        assert_eq!(status.code(), Some(1), "{log}");
        assert!(log.lines().count() < 20, "the log is too long, so the error was retried too often:\n{log}");
    }
}

#[test]
fn combiner_that_lacks_one_of_its_permissions_exits_and_names_that_permission() {
    check("combine", "combiner");
}

#[test]
fn merger_that_lacks_one_of_its_permissions_exits_and_names_that_permission() {
    check("merge", "merger");
}

/// Returns a permission for one operation on a topic.
fn on_topic(principal: &str, operation: &str, topic: &str) -> Grant {
    Grant {
        principal: principal.into(),
        operations: vec![operation.into()],
        resources: vec!["--topic".into(), topic.into()],
    }
}

/// The user may describe the topic. Without a check at the start, the missing permission to write would be detected
/// only when the first window closes.
#[test]
fn missing_write_permission_is_reported_at_the_start() {
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
        connect_as(&mut deployment, "SCRAM-SHA-256", &user);
        let mut worker = Worker::start_with(&deployment, &user, &["--stage", stage]);
        let status = worker.wait();
        let log = worker.log();
        let expected =
            format!("crowdfold: principal User:{user} may not Write topic {topic}; grant the permission");
        assert!(log.lines().last().unwrap().starts_with(&expected), "{log}");
        assert_eq!(status.code(), Some(1), "{log}");
        assert!(!log.contains("assigned"), "the worker started:\n{log}");
        assert!(log.lines().count() < 20, "the log is too long, so the error was retried too often:\n{log}");
    }
}

/// The permission to write is removed while the worker is running.
#[test]
fn removed_write_permission_is_named_when_the_next_transaction_fails() {
    let mut deployment = Deployment::new(broker()).with_topics();
    let user = "loses";
    set(&mut deployment, "principals.combiner", user);
    grant_as_printed(&deployment, &[user]);
    connect_as(&mut deployment, "SCRAM-SHA-256", user);
    let mut worker = Worker::start_with(&deployment, user, &["--stage", "combine"]);
    worker.await_log("assigned");
    let sent = |deployment: &Deployment<'_>| !deployment.records("partials", "read_committed").is_empty();
    // Windows close, and close markers are written, even without beacons.
    eventually("the worker has written records", || sent(&deployment).then_some(()));
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
