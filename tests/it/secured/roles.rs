//! Tests that each role has exactly the documented permissions on each topic.
#![expect(clippy::unwrap_used, reason = "a panic shows the location of the failure")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crowdfold_kafka::{ClientSettings, KafkaError};
use crowdfold_testkit::{eventually, unique};
use futures_executor::block_on;
use rdkafka::admin::{AdminClient, AdminOptions, AlterConfig, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::{KafkaError as RdkafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer, ProducerContext};
use rdkafka::{ClientConfig, ClientContext, Offset, TopicPartitionList};

use super::support::{broker, client, connect_as, crowdfold, grant_as_printed, output_text, set};
use crate::kafka_support::{Record, produce};
use crate::worker::support::Deployment;

/// The result that the broker returned for a sent record.
#[derive(Default)]
struct DeliveryReport(std::sync::Mutex<Option<Result<(), RDKafkaErrorCode>>>);

impl ClientContext for DeliveryReport {}

impl ProducerContext for DeliveryReport {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        let code = result.as_ref().map(drop).map_err(|(error, _)| error.rdkafka_error_code().unwrap());
        *self.0.lock().unwrap() = Some(code);
    }
}

/// The topic setting that each user tries to change.
const MARKED: &str = "flush.messages";

/// Returns the value of the setting [`MARKED`] of a topic.
fn mark(topic: &str) -> Option<String> {
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", broker().bootstrap()).create().unwrap();
    let answer = block_on(admin.describe_configs([&ResourceSpecifier::Topic(topic)], &AdminOptions::new()));
    answer.unwrap().remove(0).unwrap().get(MARKED)?.value.clone()
}

/// Waits until the brokers report all earlier changes of settings. The brokers apply changes in the order in which they
/// were accepted. Therefore the function makes a later change, and waits until the brokers report it.
fn await_earlier_settings() {
    let topic = unique("later");
    broker().create_topic(&topic, 1, &[]);
    let (brokers, client_id) = (broker().bootstrap().to_owned(), "superuser".into());
    TestClient(ClientSettings { brokers, client_id, properties: BTreeMap::new() }).alter(&topic, "1");
    eventually("the brokers report a later setting", || (mark(&topic).as_deref() == Some("1")).then_some(()));
}

/// A client that connects as one user.
struct TestClient(ClientSettings);

impl TestClient {
    fn config(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.0.brokers);
        for (key, value) in &self.0.properties {
            config.set(key, value);
        }
        config
    }

    fn may_write(&self, topic: &str) -> bool {
        let mut config = self.config();
        config.set("message.timeout.ms", "30000").set("linger.ms", "0");
        let producer: BaseProducer<DeliveryReport> =
            config.create_with_context(DeliveryReport::default()).unwrap();
        producer.send(BaseRecord::<str, str>::to(topic).partition(0).key("k").payload("v")).unwrap();
        producer.flush(Duration::from_secs(40)).unwrap();
        let output_text = *producer.context().0.lock().unwrap();
        may(output_text.unwrap())
    }

    fn may_read(&self, topic: &str) -> bool {
        match crowdfold_kafka::read(&self.0, &[topic.to_owned()], None, |_| {}) {
            Ok(_) => true,
            Err(KafkaError::Forbidden { .. }) => false,
            Err(error) => panic!("reading {topic}: {error}"),
        }
    }

    fn admin(&self) -> AdminClient<DefaultClientContext> {
        self.config().create().unwrap()
    }

    /// Returns true if the user may delete records. The request names offset 0, so no record is deleted.
    fn may_delete(&self, topic: &str) -> bool {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(topic, 0, Offset::Offset(0)).unwrap();
        match block_on(self.admin().delete_records(&list, &AdminOptions::new())) {
            Ok(answer) => {
                may(answer.elements()[0].error().map_err(|error| error.rdkafka_error_code().unwrap()))
            }
            Err(RdkafkaError::AdminOp(code)) => may(Err(code)),
            Err(error) => panic!("deleting records of {topic}: {error}"),
        }
    }

    /// Tries to change the setting [`MARKED`] of a topic. Whether it was changed is read later with [`mark`], because
    /// rust-rdkafka does not return this.
    fn alter(&self, topic: &str, mark: &str) {
        let alter = AlterConfig::new(ResourceSpecifier::Topic(topic)).set(MARKED, mark);
        let _ = block_on(self.admin().alter_configs([&alter], &AdminOptions::new())).unwrap();
    }
}

#[track_caller]
fn may(output_text: Result<(), RDKafkaErrorCode>) -> bool {
    use RDKafkaErrorCode as C;
    match output_text {
        Ok(()) => true,
        // A client that may not describe a topic receives the error of an unknown topic.
        Err(
            C::TopicAuthorizationFailed
            | C::ClusterAuthorizationFailed
            | C::UnknownTopicOrPartition
            | C::UnknownTopic
            | C::NoEnt,
        ) => false,
        Err(code) => panic!("{code}"),
    }
}

#[test]
fn each_role_has_exactly_the_documented_permissions() {
    let mut deployment = Deployment::new(broker());
    deployment.set("tenants.per_tenant_topics", "true");
    let mut deployment = deployment.with_topics();
    for role in ["collector", "combiner", "merger", "eraser", "operator", "auditor"] {
        set(&mut deployment, &format!("principals.{role}"), role);
    }
    deployment.set("principals.readers", "[\"reader\"]");
    set(&mut deployment, "principals.tenants.acme", "acme");
    grant_as_printed(
        &deployment,
        &["collector", "combiner", "merger", "eraser", "operator", "auditor", "reader", "acme"],
    );
    // This list repeats the permissions in docs/guides/secured-cluster.md. It is written by hand, so it does not depend
    // on the program.
    let work = [
        ("collector", "write", "beacons"),
        ("combiner", "read", "beacons"),
        ("combiner", "write", "partials"),
        ("combiner", "write", "rejections"),
        ("merger", "read", "partials"),
        ("merger", "write", "rollups.acme"),
        ("merger", "write", "rollups.blip"),
        ("eraser", "delete", "beacons"),
        ("reader", "read", "rollups.acme"),
        ("reader", "read", "rollups.blip"),
        ("acme", "read", "rollups.acme"),
        ("operator", "alter", "beacons"),
        ("operator", "alter", "partials"),
        ("operator", "alter", "rejections"),
        ("operator", "alter", "rollups.acme"),
        ("operator", "alter", "rollups.blip"),
        ("auditor", "read", "rejections"),
        ("auditor", "read", "rollups.acme"),
        ("auditor", "read", "rollups.blip"),
    ];
    let topics = ["beacons", "partials", "rejections", "rollups.acme", "rollups.blip"];
    // Each topic contains a record, because reading an empty topic would succeed without permission to read.
    for topic in topics {
        produce(broker(), &deployment.topic(topic), &[Record::new(0, "x")]);
    }
    let mut can = BTreeSet::new();
    // Each user tries to change the setting to its own number. The operator is the first. If the setting still has the
    // operator's number at the end, no other user could change it.
    let users =
        ["operator", "collector", "combiner", "merger", "eraser", "reader", "acme", "auditor", "nobody"];
    for (nth, user) in users.into_iter().enumerate() {
        let client = TestClient(client(user));
        for topic in topics {
            let name = deployment.topic(topic);
            let tried = [
                ("write", client.may_write(&name)),
                ("read", client.may_read(&name)),
                ("delete", client.may_delete(&name)),
            ];
            client.alter(&name, &(nth + 2).to_string());
            can.extend(tried.into_iter().filter(|(_, may)| *may).map(|(what, _)| (user, what, topic)));
        }
        if user == "operator" {
            // Brokers report a changed setting only after some time.
            let marked = |topic: &&str| mark(&deployment.topic(topic)).as_deref() == Some("2");
            eventually("the brokers report the settings of the operator", || {
                topics.iter().all(marked).then_some(())
            });
        }
    }
    await_earlier_settings();
    for topic in topics {
        let mark: usize = mark(&deployment.topic(topic)).unwrap().parse().unwrap();
        can.extend(users.get(mark.wrapping_sub(2)).map(|user| (*user, "alter", topic)));
    }
    assert_eq!(can, BTreeSet::from(work));
}

/// The operator runs `topics apply`, and the collector runs `generate`, which needs the same permission as `collect`.
#[test]
fn operator_creates_topics_and_collector_writes_to_them() {
    let mut deployment = Deployment::new(broker());
    set(&mut deployment, "principals.operator", "operator");
    set(&mut deployment, "principals.collector", "collector");
    set(&mut deployment, "principals.auditor", "auditor");
    grant_as_printed(&deployment, &["operator", "collector", "auditor"]);
    connect_as(&mut deployment, "SCRAM-SHA-512", "operator");
    for _ in 0..2 {
        let output = crowdfold(&deployment, &["topics", "apply"]);
        assert!(output.status.success(), "{}", output_text(&output));
    }
    let output = crowdfold(&deployment, &["topics", "apply"]);
    assert!(output_text(&output).contains("0 of 4 topics changed"), "{}", output_text(&output));
    // The auditor may describe topics, but not alter them.
    connect_as(&mut deployment, "SCRAM-SHA-512", "auditor");
    set(&mut deployment, "ttl.rollups", "20d");
    let output = crowdfold(&deployment, &["topics", "apply"]);
    let refused = format!("crowdfold: topic {} did not apply its new settings", deployment.topic("rollups"));
    assert_eq!(output.status.code(), Some(1), "{}", output_text(&output));
    assert!(output_text(&output).contains(&refused), "{}", output_text(&output));
    connect_as(&mut deployment, "SCRAM-SHA-512", "operator");
    let brokers = broker().security().bootstrap("SASL");
    let generate = ["generate", "--brokers", &brokers, "--sessions", "50", "--beacons", "50", "--rate", "50"];
    let output = crowdfold(&deployment, &generate);
    let refused =
        format!("crowdfold: principal User:operator may not Write topic {}", deployment.topic("beacons"));
    assert_eq!(output.status.code(), Some(1), "{}", output_text(&output));
    assert!(output_text(&output).contains(&refused), "{}", output_text(&output));
    connect_as(&mut deployment, "SCRAM-SHA-512", "collector");
    let output = crowdfold(&deployment, &generate);
    assert!(output.status.success(), "{}", output_text(&output));
    assert_eq!(deployment.records("beacons", "read_uncommitted").len(), 50);
}
