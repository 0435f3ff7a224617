//! The beacons' topic as the collector sees it: the number of partitions, and whose clock sets timestamps.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use crowdfold_kafka::acl::Operation;
use crowdfold_kafka::topics::Admin;
use crowdfold_kafka::{ClientSettings, Cluster, Error};

use crate::worker::{Backoff, Stop};

/// How often it is looked at again: partitions are added seldom.
const AGAIN: Duration = Duration::from_secs(60);

/// What was found.
pub(super) enum Found {
    /// It is there.
    Topic(Topic),
    /// It cannot be seen. Whoever asks next may hear something else.
    Nothing(Error),
}

/// The topic as it is.
pub(super) struct Topic {
    /// Its partitions.
    pub(super) partitions: u32,
    /// Whether producers stamp its records; `None` where we may not see its settings.
    pub(super) is_create_time: Option<bool>,
}

/// Looks at it in a thread of its own, since brokers may be slow to answer, again and again until told to stop.
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
                Err(error) => (Found::Nothing(error), backoff.next()),
            };
            if sender.send(found).is_err() || stop.sleep(pause) {
                return;
            }
        }
    });
    receiver
}

fn look(client: &ClientSettings, name: &str) -> Result<Topic, Error> {
    let topic = Cluster::open(client)?.topic(name).map_err(|error| error.needing(Operation::Write))?;
    // the right to see them is not among those of a collector: without it, the first record that is written tells
    let is_create_time = Admin::open(client)?.is_create_time(name).ok();
    Ok(Topic { partitions: topic.count(), is_create_time })
}
