//! Who may do what, as the library asks it: in this process, so that `make memcheck` sees the module that asks.

use crowdfold_kafka::topics::{Admin, Readers};
use crowdfold_kafka::{Cluster, Error, Sink, SinkSettings, SinkTopics};
use crowdfold_testkit::unique;

use super::support::{Grant, add, broker, client};
use crate::kafka_support::settings;

fn may(user: &str, operation: &str, topic: &str, pattern: &[&str]) {
    let mut resources: Vec<_> = pattern.iter().map(ToString::to_string).collect();
    resources.extend(["--topic".to_owned(), topic.to_owned()]);
    let grant = Grant { principal: user.into(), operations: vec![operation.into()], resources };
    add(&grant, &[user.to_owned()]);
}

#[test]
fn who_may_read_and_what_may_be_written_is_told_by_the_cluster() {
    let topic = unique("listed");
    broker().create_topic(&topic, 1, &[]);
    may("collector", "Read", &topic, &[]);
    may("reader", "All", &topic[..topic.len() - 1], &["--resource-pattern-type", "prefixed"]);
    may("collector", "Write", &unique("another"), &[]);
    let admin = Admin::open(&settings(broker())).unwrap();
    for _ in 0..3 {
        let listed = admin.readers(std::slice::from_ref(&topic)).unwrap();
        let [Readers::Listed(readers)] = &listed[..] else { panic!("{listed:?}") };
        let told: Vec<_> =
            readers.iter().map(|reader| format!("{} by {}", reader.principal, reader.by.name())).collect();
        for expected in ["User:collector by a rule on the topic", "User:reader by a rule on a prefix"] {
            assert!(told.iter().any(|told| told == expected), "{told:?}");
        }
    }
    // nobody may ask, and is not told that nobody reads
    assert!(matches!(
        Admin::open(&client("nobody")).unwrap().readers(std::slice::from_ref(&topic)),
        Err(Error::Forbidden { .. })
    ));
    assert!(admin.readers(&["a\0b".to_owned()]).is_err());

    // it may be seen and not written; what may not even be seen is said as ever
    let sink = |user: &str, topic: &str| {
        let topics = SinkTopics { partials: Some(topic.to_owned()), ..SinkTopics::default() };
        let opened = Sink::open(&client(user), SinkSettings::new(&unique("sink"), topics));
        opened.map(drop).unwrap_err().to_string()
    };
    assert!(Cluster::open(&client("collector")).unwrap().topic(&topic).is_ok());
    let refused = format!("principal User:collector may not Write topic {topic}");
    assert!(sink("collector", &topic).starts_with(&refused), "{}", sink("collector", &topic));
    // and with the right it is the next one that is missing
    let told = sink("reader", &topic);
    assert!(told.starts_with("principal User:reader may not Write transactional ids "), "{told}");
}
