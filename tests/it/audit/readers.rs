//! Who may read, on a broker with an authorizer.
#![expect(clippy::unwrap_used, reason = "a test says where it failed")]

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
fn whoever_may_read_without_a_role_is_named() {
    let kafka = Kafka::start(
        Options::default()
            .with("authorizer.class.name", AUTHORIZER)
            // the tests' own clients are nobody in particular
            .with("super.users", "User:ANONYMOUS"),
    );
    let way = Deployment::new(&kafka).with_topics();
    let (beacons, partials, rollups) = (way.topic("beacons"), way.topic("partials"), way.topic("rollups"));
    let config = way.config("audit");
    let arguments = ["--config", config.to_str().unwrap()];
    let reader = |who: &str, topic: &str| {
        let principal = format!("User:{who}");
        acl(&kafka, &["--allow-principal", &principal, "--operation", "Read", "--topic", topic]);
    };
    reader(&format!("{}-combiner", way.prefix), &beacons);
    reader(&format!("{}-merger", way.prefix), &partials);
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
            &way.prefix,
            "--resource-pattern-type",
            "prefixed",
        ],
    );
    acl(&kafka, &["--allow-principal", "User:*", "--operation", "Read", "--topic", &rollups]);
    // a right to write is none to read, and a denial takes one away
    acl(&kafka, &["--allow-principal", "User:carol", "--operation", "Write", "--topic", &beacons]);
    reader("trent", &partials);
    acl(&kafka, &["--deny-principal", "User:trent", "--operation", "Read", "--topic", &partials]);
    let (code, whole) = report(&kafka, &arguments);
    assert_eq!(code, Some(3));
    let rejections = way.topic("rejections");
    let prefix = |topic: &str| {
        format!(
            "{topic}: User:mallory may read it, by a rule on a prefix, and no role of [principals] lets it: take the rule away"
        )
    };
    let mut expected = vec![
        format!(
            "{beacons}: User:eve may read it, by a rule on the topic, and no role of [principals] lets it: take the rule away"
        ),
        prefix(&beacons),
        prefix(&partials),
        format!("{rollups}: everybody may read it, by a rule on the topic"),
        prefix(&rollups),
        prefix(&rejections),
    ];
    let mut breaches = breaches(&whole);
    breaches.sort();
    expected.sort();
    assert_eq!(breaches, expected);
    let (code, whole) = report(&kafka, &[&arguments[..], &["--no-acls"]].concat());
    assert_eq!(
        (code, &whole["verdict"], &whole["topics"][0]["readers"]),
        (Some(0), &json!("clean"), &Value::Null)
    );
}

#[test]
fn who_may_not_ask_is_told_so_and_not_that_nobody_reads() {
    let kafka = Kafka::start(
        Options::default()
            .with("authorizer.class.name", AUTHORIZER)
            .with("allow.everyone.if.no.acl.found", "true"),
    );
    let way = Deployment::new(&kafka).with_topics();
    let config = way.config("audit");
    // brokers do not show the setting that lets everybody in: it is no clean bill
    let (code, whole) = report(&kafka, &["--config", config.to_str().unwrap()]);
    assert_eq!((code, &whole["verdict"]), (Some(1), &json!("incomplete")), "{whole:#}");
    let unseen = &whole["not_looked_at"][0];
    assert_eq!(unseen["what"], json!(format!("who may read topic {}", way.topic("beacons"))));
    assert!(
        unseen["why"].as_str().unwrap().contains("do not show allow.everyone.if.no.acl.found"),
        "{unseen}"
    );
    assert_eq!(whole["topics"][0]["readers"][0]["principal"], "User:*");
    // settings may be asked for, rules may not
    let cluster = ["--operation", "DescribeConfigs", "--operation", "ClusterAction", "--cluster"];
    acl(&kafka, &[&["--allow-principal", "User:ANONYMOUS"][..], &cluster].concat());
    let (code, whole) = report(&kafka, &["--config", config.to_str().unwrap()]);
    assert_eq!((code, &whole["verdict"]), (Some(1), &json!("incomplete")), "{whole:#}");
    assert_eq!(whole["not_looked_at"][0]["what"], "who may read the topics");
}

#[test]
fn a_broker_without_an_authorizer_is_a_breach_where_principals_are_given() {
    let mut way = Deployment::new(Kafka::shared());
    way.set("principals.combiner", "\"somebody\"");
    let way = way.with_topics();
    let (code, whole) = report(way.kafka, &["--config", way.config("audit").to_str().unwrap()]);
    assert_eq!(code, Some(3));
    assert_eq!(found(&whole), ["anyone-may-read -/- -"; 4]);
}
