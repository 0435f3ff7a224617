use std::collections::BTreeSet;

use super::{Grant, listed};
use crate::admin_calls::describe_acls::{Acl, Pattern};

fn acl(principal: &str, pattern: Pattern) -> Acl {
    Acl { principal: format!("User:{principal}"), host: "*".into(), reads: true, allows: true, pattern }
}

fn denied(principal: &str, host: &str) -> Acl {
    Acl { allows: false, host: host.into(), ..acl(principal, Pattern::Literal) }
}

#[track_caller]
fn check(acls: &[Acl], always: &[&str], open: Option<Grant>, expect: &[(&str, Grant)]) {
    let always: BTreeSet<String> = always.iter().map(ToString::to_string).collect();
    let listed = listed(acls, &always, open);
    let listed: Vec<_> = listed.iter().map(|reader| (reader.principal.as_str(), reader.by)).collect();
    assert_eq!(listed, expect);
}

#[test]
fn whoever_a_rule_lets_read_is_listed_once_with_the_nearest_rule() {
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
fn a_denial_for_all_hosts_counts_and_one_for_some_does_not() {
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
fn without_any_rule_the_brokers_setting_decides() {
    check(&[], &[], None, &[]);
    check(&[], &[], Some(Grant::NoRule), &[("User:*", Grant::NoRule)]);
    check(&[], &[], Some(Grant::Perhaps), &[("User:*", Grant::Perhaps)]);
    // a rule on something else than reading is a rule
    let writes = Acl { reads: false, ..acl("a", Pattern::Literal) };
    check(&[writes], &[], Some(Grant::Perhaps), &[]);
}
