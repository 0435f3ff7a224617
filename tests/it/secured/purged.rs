//! Tests that records dated in the future can be found with the permission Describe, and deleted only with Delete.

use super::support::{broker, connect_as, crowdfold, grant_as_printed, output_text, set};
use crate::kafka_support::{Record, produce};
use crate::worker::support::Deployment;

#[test]
fn purge_without_permission_to_delete_names_the_permission_and_deletes_nothing() {
    let mut deployment = Deployment::new(broker());
    deployment.set("source.trust_timestamps", "false");
    let beacons = deployment.topic("beacons");
    let any_time = ("message.timestamp.after.max.ms", "9223372036854775807");
    broker().create_topic(&beacons, deployment.partitions, &[any_time]);
    let ahead = Record { timestamp: Some(2_082_758_400_000), ..Record::new(3, "ahead") };
    produce(broker(), &beacons, &[ahead]);
    set(&mut deployment, "principals.operator", "operator");
    set(&mut deployment, "principals.auditor", "auditor");
    grant_as_printed(&deployment, &["operator", "auditor"]);

    connect_as(&mut deployment, "SCRAM-SHA-512", "operator");
    let planned = crowdfold(&deployment, &["topics", "apply", "--purge-ahead"]);
    assert_eq!(planned.status.code(), Some(3), "{}", output_text(&planned));
    for words in [
        "--purge-ahead deletes 1 record, all records of partition 3",
        "  there may be other groups; listing all of them",
    ] {
        assert!(output_text(&planned).contains(words), "{words:?} is not in\n{}", output_text(&planned));
    }
    let purged = crowdfold(&deployment, &["topics", "apply", "--purge-ahead", "--yes"]);
    assert_eq!(purged.status.code(), Some(1), "{}", output_text(&purged));
    let refused =
        format!("crowdfold: principal User:operator may not Delete topic {beacons}; grant the permission");
    assert!(output_text(&purged).contains(&refused), "{}", output_text(&purged));
    let applied = crowdfold(&deployment, &["topics", "apply"]);
    assert!(output_text(&applied).contains("0 of 4 topics changed"), "{}", output_text(&applied));
    assert_eq!(deployment.records("beacons", "read_uncommitted").len(), 1);

    // The auditor may not read the topic, but finds the record.
    connect_as(&mut deployment, "SCRAM-SHA-512", "auditor");
    let checked = crowdfold(&deployment, &["topics", "check"]);
    assert_eq!(checked.status.code(), Some(3), "{}", output_text(&checked));
    let named =
        "partition 3 contains a record dated 2036-01-01T00:00:00Z, whose segment cannot expire before";
    assert!(output_text(&checked).contains(named), "{}", output_text(&checked));
}
