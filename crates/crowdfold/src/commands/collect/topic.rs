//! Describes the beacons topic for the collector: the number of partitions, and the clock that sets timestamps.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use crowdfold_kafka::acl::Operation;
use crowdfold_kafka::topics::Admin;
use crowdfold_kafka::{ClientSettings, Cluster, KafkaError};
use crowdfold_worker::{Backoff, Stop};

/// The interval of checks. It is long, because partitions are rarely added.
const AGAIN: Duration = Duration::from_secs(60);

/// The result of a check of the topic.
pub(super) enum Found {
    /// The topic exists.
    Topic(Topic),
    /// The topic could not be described. The error may be temporary.
    Nothing(KafkaError),
}

/// The properties of an existing topic.
pub(super) struct Topic {
    /// The number of partitions.
    pub(super) partitions: u32,
    /// True if producers set the timestamps of records, false if brokers set them. `None` if the collector cannot read
    /// the settings of the topic.
    pub(super) is_create_time: Option<bool>,
}

/// Checks the topic repeatedly until the process stops. The checks have their own thread, because brokers may respond
/// slowly.
pub(super) fn watch(client: ClientSettings, name: String, stop: Arc<Stop>) -> Receiver<Found> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut backoff = Backoff::default();
        loop {
            let (found, pause) = match look(&client, &name) {
                Ok(topic) => {
                    backoff.reset();
                    (Found::Topic(topic), AGAIN)
                }
                Err(error) => (Found::Nothing(error), backoff.delay()),
            };
            if sender.send(found).is_err() || stop.sleep(pause) {
                return;
            }
        }
    });
    receiver
}

fn look(client: &ClientSettings, name: &str) -> Result<Topic, KafkaError> {
    let topic = Cluster::open(client)?.topic(name).map_err(|error| error.needing(Operation::Write))?;
    // If the collector lacks the permission to describe settings, `is_create_time` is `None`. In that case, the
    // broker's response to the first written record shows which clock sets timestamps.
    let is_create_time = Admin::open(client)?.is_create_time(name).ok();
    Ok(Topic { partitions: topic.count(), is_create_time })
}
