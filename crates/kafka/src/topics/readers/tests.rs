use std::collections::BTreeSet;

use super::{Grant, listed};
use crate::admin_calls::describe_acls::{Acl, Operation, Pattern};

fn acl(principal: &str, pattern: Pattern) -> Acl {
    Acl {
        principal: format!("User:{principal}"),
        host: "*".into(),
        operation: Operation::Read,
        allows: true,
        pattern,
    }
}

fn denied(principal: &str, host: &str) -> Acl {
    Acl { allows: false, host: host.into(), ..acl(principal, Pattern::Literal) }
}

#[track_caller]
fn check(acls: &[Acl], always: &[&str], open: Option<Grant>, expect: &[(&str, Grant)]) {
    let always: BTreeSet<String> = always.iter().map(ToString::to_string).collect();
    let listed = listed(acls, &always, open, Operation::Read);
    let listed: Vec<_> = listed.iter().map(|reader| (reader.principal.as_str(), reader.by)).collect();
    assert_eq!(listed, expect);
}

#[test]
fn principal_with_several_acls_is_listed_once_with_its_most_specific_acl() {
    let acls = [
        acl("b", Pattern::Any),
        acl("b", Pattern::Prefixed),
        acl("a", Pattern::Literal),
        acl("*", Pattern::Any),
    ];
    check(
        &acls,
        &["User:root"],
        None,
        &[
            ("User:*", Grant::Wildcard),
            ("User:a", Grant::Literal),
            ("User:b", Grant::Prefixed),
            ("User:root", Grant::SuperUser),
        ],
    );
}

#[test]
fn denial_removes_a_principal_only_if_it_applies_to_all_hosts() {
    check(&[acl("a", Pattern::Literal), denied("a", "*")], &[], None, &[]);
    check(&[acl("a", Pattern::Literal), denied("a", "10.0.0.1")], &[], None, &[("User:a", Grant::Literal)]);
    check(
        &[acl("a", Pattern::Literal), denied("*", "*")],
        &["User:root"],
        Some(Grant::NoRule),
        &[("User:root", Grant::SuperUser)],
    );
}

#[test]
fn topic_without_acls_is_open_to_all_only_if_the_brokers_allow_it() {
    check(&[], &[], None, &[]);
    check(&[], &[], Some(Grant::NoRule), &[("User:*", Grant::NoRule)]);
    check(&[], &[], Some(Grant::Perhaps), &[("User:*", Grant::Perhaps)]);
    // an ACL for another operation is enough: the topic then has ACLs
    let writes = Acl { operation: Operation::Write, ..acl("a", Pattern::Literal) };
    check(&[writes], &[], Some(Grant::Perhaps), &[]);
}

#[test]
fn acl_allows_or_denies_only_its_own_operation() {
    let with = |principal: &str, operation| Acl { operation, ..acl(principal, Pattern::Literal) };
    let acls = [
        with("reader", Operation::Read),
        with("writer", Operation::Write),
        with("operator", Operation::AlterConfigs),
        with("broker", Operation::ClusterAction),
        with("admin", Operation::Alter),
        with("all", Operation::All),
        with("other", Operation::Other),
        with("not", Operation::All),
        Acl { operation: Operation::Write, ..denied("not", "*") },
        Acl { operation: Operation::All, ..denied("reader", "*") },
    ];
    for (operation, expect) in [
        (Operation::Read, &["User:all", "User:not"][..]),
        (Operation::Write, &["User:all", "User:writer"]),
        (Operation::AlterConfigs, &["User:all", "User:not", "User:operator"]),
        (Operation::ClusterAction, &["User:all", "User:broker", "User:not"]),
        (Operation::Alter, &["User:admin", "User:all", "User:not"]),
    ] {
        let listed = listed(&acls, &BTreeSet::new(), None, operation);
        let names: Vec<_> = listed.iter().map(|reader| reader.principal.as_str()).collect();
        assert_eq!(names, expect, "{operation:?}");
    }
}
