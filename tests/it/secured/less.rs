//! With any one of its rights less a stage does not run, and says which one it is: no right is granted in vain.
#![expect(clippy::unwrap_used, reason = "a test says where it failed")]

use super::support::{Grant, MOST, add, broker, come_as, printed, set};
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
    let mut way = Deployment::new(broker()).with_topics();
    set(&mut way, &format!("principals.{role}"), role);
    let grants: Vec<_> = printed(&way).into_iter().filter(|grant| grant.principal == role).collect();
    let rights = singles(&grants);
    assert!((5..=MOST).contains(&rights.len()), "{rights:?}");
    let users: Vec<_> = (0..rights.len()).map(|nth| format!("{stage}-{nth}")).collect();
    for (lacked, right) in rights.iter().enumerate() {
        let others: Vec<_> = users.iter().enumerate().filter(|(nth, _)| *nth != lacked).collect();
        add(right, &others.into_iter().map(|(_, user)| user.clone()).collect::<Vec<_>>());
    }
    for (user, right) in users.iter().zip(&rights) {
        come_as(&mut way, "SCRAM-SHA-256", user);
        // each its own id, or they would fence one another
        let mut worker = Worker::start_with(&way, user, &["--stage", stage]);
        let status = worker.wait(60);
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
