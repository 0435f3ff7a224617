use super::*;

fn names() -> Names {
    Names {
        beacons: "p.beacons".into(),
        partials: "p.partials".into(),
        rejections: "p.rejections".into(),
        rollups: vec!["p.rollups.a".into(), "p.rollups.b".into()],
        combine_group: "p-combine".into(),
        combine_transactions: "p-combine-".into(),
        merge_group: "p-merge".into(),
        merge_transactions: "p-merge-".into(),
    }
}

/// Returns the roles that have the permission for an operation on a topic.
fn roles_with(topic: &str, operation: Operation) -> Vec<Role> {
    let right = Right { resource: Resource::Topic(topic.into()), operation };
    Role::ALL.into_iter().filter(|role| names().rights(*role).contains(&right)).collect()
}

#[test]
fn each_topic_has_one_writing_role_and_each_topic_with_personal_data_one_reading_role() {
    use Operation as O;
    assert_eq!(roles_with("p.beacons", O::Write), [Role::Collector]);
    assert_eq!(roles_with("p.beacons", O::Read), [Role::Combiner]);
    assert_eq!(roles_with("p.partials", O::Write), [Role::Combiner]);
    assert_eq!(roles_with("p.partials", O::Read), [Role::Merger]);
    assert_eq!(roles_with("p.rejections", O::Write), [Role::Combiner]);
    assert_eq!(roles_with("p.rejections", O::Read), [Role::Auditor]);
    assert_eq!(roles_with("p.rollups.a", O::Write), [Role::Merger]);
    assert_eq!(roles_with("p.rollups.a", O::Read), [Role::Reader, Role::Auditor]);
}

#[test]
fn only_the_eraser_may_delete_records_and_only_those_of_the_beacons_topic() {
    for topic in ["p.beacons", "p.partials", "p.rejections", "p.rollups.a"] {
        let expected: &[Role] = if topic == "p.beacons" { &[Role::Eraser] } else { &[] };
        assert_eq!(roles_with(topic, Operation::Delete), expected, "{topic}");
    }
}

#[test]
fn no_role_lists_the_same_permission_twice() {
    for role in Role::ALL {
        let rights = names().rights(role);
        let distinct: std::collections::BTreeSet<_> = rights.iter().collect();
        assert_eq!(distinct.len(), rights.len(), "{role}");
    }
}

#[test]
fn permission_is_formatted_as_operation_and_resource() {
    let shown: Vec<_> = names().rights(Role::Combiner).iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "Read topic p.beacons",
            "DescribeConfigs topic p.beacons",
            "Read group p-combine",
            "Write topic p.partials",
            "DescribeConfigs topic p.partials",
            "Write topic p.rejections",
            "DescribeConfigs topic p.rejections",
            "Write transactional ids p-combine-*",
            "DescribeConfigs the cluster",
        ]
    );
}

#[test]
fn missing_permission_is_reported_as_the_permission_of_the_role_that_includes_it() {
    let rights = names().rights(Role::Combiner);
    let granted = |right: Right| {
        let missing = crate::KafkaError::Forbidden { principal: crate::Principal::default(), right };
        match missing.among(&rights) {
            crate::KafkaError::Forbidden { right, .. } => right.to_string(),
            other => panic!("{other}"),
        }
    };
    let describe = |topic| Right::of_topic(Operation::Describe, topic);
    assert_eq!(granted(describe("p.beacons")), "Read topic p.beacons");
    assert_eq!(granted(describe("p.partials")), "Write topic p.partials");
    assert_eq!(granted(describe("another")), "Describe topic another");
    let id =
        Right { resource: Resource::TransactionalIds("p-combine-host".into()), operation: Operation::Write };
    assert_eq!(granted(id), "Write transactional ids p-combine-*");
}
