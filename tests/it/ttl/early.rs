//! Tests that the worker refuses to start if beacons would be deleted before they are counted.

use crowdfold_testkit::Kafka;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, AlterConfig, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;

use crate::worker::support::{Deployment, Worker};

/// Asserts that the worker exits with code 3, and that its log contains these words.
fn assert_refused(deployment: &Deployment<'_>, words: &[&str]) {
    let mut worker = Worker::start(deployment, "a");
    let status = worker.wait();
    let log_text = worker.log();
    assert_eq!(status.code(), Some(3), "{log_text}");
    for words in words {
        assert!(log_text.contains(words), "{words:?} is not in\n{log_text}");
    }
}

/// Creates the topics of a deployment, and changes one setting of one topic.
fn with(topic: &str, key: &str, value: &str) -> Deployment<'static> {
    let deployment = Deployment::new(Kafka::shared()).with_topics();
    let config: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", deployment.kafka.bootstrap()).create().unwrap();
    let topic = deployment.topic(topic);
    // The request replaces all settings of the topic. Therefore this list repeats the other settings.
    let kept = [("message.timestamp.type", "CreateTime"), ("message.timestamp.after.max.ms", "60000")];
    let bounded = [("retention.ms", "2400000"), ("segment.ms", "600000")];
    let settings = kept.into_iter().chain(bounded).filter(|(set, _)| *set != key).chain([(key, value)]);
    let resource = AlterConfig::new(ResourceSpecifier::Topic(&topic));
    let alter = settings.fold(resource, |alter, (key, value)| alter.set(key, value));
    let altered = futures_executor::block_on(config.alter_configs([&alter], &AdminOptions::new())).unwrap();
    altered.into_iter().for_each(|result| drop(result.unwrap()));
    deployment
}

#[test]
fn worker_refuses_a_topic_whose_retention_is_too_short_for_windows_and_outages() {
    let deployment = with("beacons", "retention.ms", "60000");
    let topic = format!(
        "topic {} deletes records after 1m, but windows and the longest outage to survive need 30m 6s",
        deployment.topic("beacons")
    );
    assert_refused(&deployment, &[&topic, "run `crowdfold topics apply`, or lower ttl.max_outage"]);
}

#[test]
fn worker_refuses_a_topic_with_retention_in_bytes() {
    let deployment = with("beacons", "retention.bytes", "1000000");
    let topic = format!(
        "topic {} deletes records beyond 1000000 bytes even if they were not read",
        deployment.topic("beacons")
    );
    assert_refused(&deployment, &[&topic, "set retention.bytes to -1"]);
}
