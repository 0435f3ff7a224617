//! Tests that `audit` compares the ACLs of the cluster with the roles of the configuration.
#![expect(clippy::unwrap_used, reason = "a panic shows the location of the failure")]

use crowdfold_testkit::{Kafka, Options};
use serde_json::{Value, json};

use super::{found, report};
use crate::worker::support::Deployment;

const AUTHORIZER: &str = "org.apache.kafka.metadata.authorizer.StandardAuthorizer";

fn acl(kafka: &Kafka, arguments: &[&str]) {
    let mut all = vec!["--bootstrap-server", kafka.bootstrap(), "--add"];
    all.extend(arguments);
    let _ = kafka.tool("org.apache.kafka.tools.AclCommand", &all);
}

fn breaches(report: &Value) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap().iter().filter(|found| found["breach"] == true);
    findings
        .map(|found| format!("{}: {}", found["topic"].as_str().unwrap(), found["what"].as_str().unwrap()))
        .collect()
}

#[test]
#[expect(clippy::too_many_lines, reason = "one scenario, step by step")]
fn read_permission_that_no_role_requires_is_reported() {
    let kafka = Kafka::start(
        Options::default()
            .with("authorizer.class.name", AUTHORIZER)
            // The clients of the tests do not authenticate, so their principal is ANONYMOUS.
            .with("super.users", "User:ANONYMOUS"),
    );
    let deployment = Deployment::new(&kafka).with_topics();
    let (beacons, partials, rollups) =
        (deployment.topic("beacons"), deployment.topic("partials"), deployment.topic("rollups"));
    let config = deployment.config("audit");
    let arguments = ["--config", config.to_str().unwrap()];
    let reader = |name: &str, topic: &str| {
        let principal = format!("User:{name}");
        acl(&kafka, &["--allow-principal", &principal, "--operation", "Read", "--topic", topic]);
    };
    reader(&format!("{}-combiner", deployment.prefix), &beacons);
    reader(&format!("{}-merger", deployment.prefix), &partials);
    let (code, whole) = report(&kafka, &arguments);
    assert_eq!((code, found(&whole)), (Some(0), Vec::new()), "{whole:#}");

    reader("eve", &beacons);
    acl(
        &kafka,
        &[
            "--allow-principal",
            "User:mallory",
            "--operation",
            "All",
            "--topic",
            &deployment.prefix,
            "--resource-pattern-type",
            "prefixed",
        ],
    );
    acl(&kafka, &["--allow-principal", "User:*", "--operation", "Read", "--topic", &rollups]);
    // `trent` may not read, because a deny rule takes precedence over an allow rule.
    reader("trent", &partials);
    acl(&kafka, &["--deny-principal", "User:trent", "--operation", "Read", "--topic", &partials]);
    let (code, whole) = report(&kafka, &arguments);
    assert_eq!(code, Some(3));
    let rejections = deployment.topic("rejections");
    let prefix = |topic: &str| {
        format!(
            "{topic}: User:mallory may read the topic because of an ACL on a prefix, but no role of [principals] \
             requires it; remove the ACL"
        )
    };
    let more = |topic: &str, what: &str| {
        format!(
            "{topic}: User:mallory may {what} because of an ACL on a prefix, but no role of [principals] requires it; \
             remove the ACL"
        )
    };
    let (write, configure) = ("write to the topic", "change the retention of the topic");
    let mut expected = vec![
        format!(
            "{beacons}: User:eve may read the topic because of an ACL on the topic, but no role of [principals] \
             requires it; remove the ACL"
        ),
        prefix(&beacons),
        prefix(&partials),
        format!("{rollups}: every principal may read the topic because of an ACL on the topic"),
        prefix(&rollups),
        prefix(&rejections),
        more(&beacons, write),
        more(&partials, write),
        more(&rollups, write),
        more(&beacons, configure),
        more(&partials, configure),
    ];
    let mut breaches = breaches(&whole);
    breaches.sort();
    expected.sort();
    assert_eq!(breaches, expected);
    let (code, whole) = report(&kafka, &[&arguments[..], &["--no-acls"]].concat());
    assert_eq!(
        (code, &whole["outcome"], &whole["topics"][0]["readers"]),
        (Some(0), &json!("clean"), &Value::Null)
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "one scenario, step by step")]
fn permission_to_write_configure_or_read_indirectly_that_no_role_requires_is_reported() {
    let kafka = Kafka::start(
        Options::default().with("authorizer.class.name", AUTHORIZER).with("super.users", "User:ANONYMOUS"),
    );
    let mut deployment = Deployment::new(&kafka);
    deployment.set("principals.brokers", "[\"broker-1\"]");
    let deployment = deployment.with_topics();
    // A permission that a role requires is not a breach.
    for (role, operation, topic) in [
        ("collector", "Write", "beacons"),
        ("combiner", "Read", "beacons"),
        ("combiner", "Write", "partials"),
        ("merger", "Read", "partials"),
        ("merger", "Write", "rollups"),
        ("operator", "AlterConfigs", "beacons"),
        ("operator", "AlterConfigs", "partials"),
        ("auditor", "Read", "rollups"),
        ("auditor", "Describe", "beacons"),
    ] {
        let (principal, topic) = (format!("User:{}-{role}", deployment.prefix), deployment.topic(topic));
        acl(&kafka, &["--allow-principal", &principal, "--operation", operation, "--topic", &topic]);
    }
    acl(&kafka, &["--allow-principal", "User:broker-1", "--operation", "ClusterAction", "--cluster"]);
    let config = deployment.config("audit");
    let arguments = ["--config", config.to_str().unwrap()];
    let (code, whole) = report(&kafka, &arguments);
    assert_eq!((code, found(&whole)), (Some(0), Vec::new()), "{whole:#}");

    let [beacons, partials, rollups, rejections] =
        ["beacons", "partials", "rollups", "rejections"].map(|name| deployment.topic(name));
    let grant = |name: &str, operation: &str, on: &[&str]| {
        let principal = format!("User:{name}");
        acl(&kafka, &[&["--allow-principal", &principal, "--operation", operation], on].concat());
    };
    grant("replica", "ClusterAction", &["--cluster"]);
    grant("granter", "Alter", &["--cluster"]);
    grant("keeper", "AlterConfigs", &["--cluster"]);
    grant("root", "All", &["--cluster"]);
    grant("describer", "Describe", &["--cluster"]);
    grant("creator", "Create", &["--cluster"]);
    grant("hoarder", "AlterConfigs", &["--topic", &beacons]);
    grant("curator", "AlterConfigs", &["--topic", &partials]);
    grant("poisoner", "Write", &["--topic", &beacons]);
    grant("forger", "Write", &["--topic", &rollups]);
    grant("cell-forger", "Write", &["--topic", &partials]);
    grant("*", "Write", &["--topic", &beacons]);
    // The next three permissions are not breaches. The topic contains no personal data, or the permission does not
    // allow reading.
    grant("tuner", "AlterConfigs", &["--topic", &rollups]);
    grant("noter", "Write", &["--topic", &rejections]);
    grant("looker", "Describe", &["--topic", &beacons]);
    // `denied` does not have the permission, because a deny rule takes precedence over an allow rule.
    grant("denied", "ClusterAction", &["--cluster"]);
    acl(&kafka, &["--deny-principal", "User:denied", "--operation", "ClusterAction", "--cluster"]);

    let (code, whole) = report(&kafka, &arguments);
    assert_eq!(code, Some(3));
    let findings = whole["findings"].as_array().unwrap().iter().filter(|found| found["breach"] == true);
    let mut listed: Vec<(String, String, String)> = findings
        .map(|found| {
            let text = |name: &str| found[name].as_str().unwrap().to_owned();
            let principal = text("what").split(' ').next().unwrap().trim_start_matches("User:").to_owned();
            (text("finding"), text("topic"), principal)
        })
        .collect();
    listed.sort();
    let cluster = "(cluster)";
    let mut expected: Vec<(String, String, String)> = [
        ("stranger-may-read-indirectly", cluster, "replica"),
        ("stranger-may-read-indirectly", cluster, "granter"),
        ("stranger-may-read-indirectly", cluster, "root"),
        ("stranger-may-read-indirectly", cluster, "root"),
        ("stranger-may-configure", cluster, "keeper"),
        ("stranger-may-configure", cluster, "root"),
        ("stranger-may-configure", &beacons, "hoarder"),
        ("stranger-may-configure", &partials, "curator"),
        ("stranger-may-write", &beacons, "poisoner"),
        ("stranger-may-write", &rollups, "forger"),
        ("stranger-may-write", &partials, "cell-forger"),
        ("anyone-may-write", &beacons, "every"),
    ]
    .map(|(finding, topic, principal)| (finding.to_owned(), topic.to_owned(), principal.to_owned()))
    .into();
    expected.sort();
    assert_eq!(listed, expected);
}

#[test]
fn audit_is_incomplete_if_the_acls_or_the_default_of_the_authorizer_are_not_readable() {
    let kafka = Kafka::start(
        Options::default()
            .with("authorizer.class.name", AUTHORIZER)
            .with("allow.everyone.if.no.acl.found", "true"),
    );
    let deployment = Deployment::new(&kafka).with_topics();
    let config = deployment.config("audit");
    // Brokers do not report `allow.everyone.if.no.acl.found`, so the audit is incomplete.
    let (code, whole) = report(&kafka, &["--config", config.to_str().unwrap()]);
    assert_eq!((code, &whole["outcome"]), (Some(1), &json!("incomplete")), "{whole:#}");
    let unseen = &whole["not_checked"][0];
    assert_eq!(unseen["what"], json!(format!("read permissions of topic {}", deployment.topic("beacons"))));
    assert!(
        unseen["why"].as_str().unwrap().contains("do not report allow.everyone.if.no.acl.found"),
        "{unseen}"
    );
    assert_eq!(whole["topics"][0]["readers"][0]["principal"], "User:*");
    // Now the client may describe the broker's settings, but not its ACLs.
    let cluster = ["--operation", "DescribeConfigs", "--operation", "ClusterAction", "--cluster"];
    acl(&kafka, &[&["--allow-principal", "User:ANONYMOUS"][..], &cluster].concat());
    let (code, whole) = report(&kafka, &["--config", config.to_str().unwrap()]);
    assert_eq!((code, &whole["outcome"]), (Some(1), &json!("incomplete")), "{whole:#}");
    assert_eq!(whole["not_checked"][0]["what"], "read permissions of the topics");
}

#[test]
fn broker_without_authorizer_is_a_breach_of_the_rules_if_principals_are_configured() {
    let mut deployment = Deployment::new(Kafka::shared());
    deployment.set("principals.combiner", "\"somebody\"");
    let deployment = deployment.with_topics();
    let (code, whole) = report(deployment.kafka, &["--config", deployment.config("audit").to_str().unwrap()]);
    assert_eq!(code, Some(3));
    assert_eq!(found(&whole), ["anyone-may-read -/- -"; 4]);
}
