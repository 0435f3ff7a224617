//! Tests the functions that list permissions. The test process itself calls them, because `make memcheck` checks the
//! unsafe code of this process only.

use crowdfold_kafka::topics::{Access, Admin, Readers};
use crowdfold_kafka::{Cluster, KafkaError, Sink, SinkSettings, SinkTopics};
use crowdfold_testkit::unique;

use super::support::{Grant, add, broker, client};
use crate::kafka_support::settings;

fn may(user: &str, operation: &str, topic: &str, pattern: &[&str]) {
    let mut resources: Vec<_> = pattern.iter().map(ToString::to_string).collect();
    resources.extend(["--topic".to_owned(), topic.to_owned()]);
    let grant = Grant { principal: user.into(), operations: vec![operation.into()], resources };
    add(&grant, &[user.to_owned()]);
}

/// Repeats a request while its error is transient. Under valgrind, a TLS handshake may take too long.
fn answered<T>(ask: impl Fn() -> Result<T, KafkaError>) -> Result<T, KafkaError> {
    let mut last = ask();
    for _ in 0..20 {
        match &last {
            Err(error) if error.is_transient() => last = ask(),
            _ => break,
        }
    }
    last
}

#[test]
fn permissions_on_a_topic_are_listed_and_missing_ones_are_named() {
    let topic = unique("listed");
    broker().create_topic(&topic, 1, &[]);
    may("collector", "Read", &topic, &[]);
    may("reader", "All", &topic[..topic.len() - 1], &["--resource-pattern-type", "prefixed"]);
    may("collector", "Write", &unique("another"), &[]);
    let admin = Admin::open(&settings(broker())).unwrap();
    for _ in 0..3 {
        let listed = admin.permissions(std::slice::from_ref(&topic)).unwrap().topics;
        let [Access { readers: Readers::Listed(readers), .. }] = &listed[..] else { panic!("{listed:?}") };
        let listed: Vec<_> =
            readers.iter().map(|reader| format!("{} by {}", reader.principal, reader.by.name())).collect();
        for expected in ["User:collector by an ACL on the topic", "User:reader by an ACL on a prefix"] {
            assert!(listed.iter().any(|listed| listed == expected), "{listed:?}");
        }
    }
    // A principal that may not describe the cluster must receive an error instead of an empty list.
    let asked = answered(|| Admin::open(&client("nobody"))?.permissions(std::slice::from_ref(&topic)));
    assert!(matches!(asked, Err(KafkaError::Forbidden { .. })), "{asked:?}");
    assert!(admin.permissions(&["a\0b".to_owned()]).is_err());

    // `collector` may describe the topic, but not write to it.
    let sink = |user: &str, topic: &str| {
        let topics = SinkTopics { partials: Some(topic.to_owned()), ..SinkTopics::default() };
        let settings = SinkSettings::new(&unique("sink"), topics);
        let opened = answered(|| Sink::open(&client(user), settings.clone()).map(drop));
        opened.unwrap_err().to_string()
    };
    assert!(answered(|| Cluster::open(&client("collector"))?.topic(&topic)).is_ok());
    let (listed, refused) =
        (sink("collector", &topic), format!("principal User:collector may not Write topic {topic}"));
    assert!(listed.starts_with(&refused), "{listed}");
    // `reader` may write to the topic, but has no transactional id.
    let listed = sink("reader", &topic);
    assert!(listed.starts_with("principal User:reader may not Write transactional ids "), "{listed}");
}
