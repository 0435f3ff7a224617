//! The membership of a consumer group, and the changes of the assignment that librdkafka reports.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::topic_partition_list::TopicPartitionList;
use rdkafka::types::RDKafkaRespErr;

use super::{GroupConsumer, SourceSettings, Wakeup};
use crate::client::Context;
use crate::{ClientSettings, KafkaError};

/// A change of the assignment, with the affected partitions. librdkafka reports the next change only after `assign`
/// or `unassign` was called.
pub(super) enum Change {
    Assigned(Vec<u32>),
    Revoked(Vec<u32>),
}

/// The changes of the assignment that were not processed yet. The call-back `rebalance` only stores a change.
/// [`super::Source::poll`] processes it, because processing sends requests to the brokers, and because the caller must
/// end its transaction before.
#[derive(Default)]
pub(super) struct Group {
    changes: Mutex<VecDeque<Change>>,
    /// True while the source is being dropped. The call-back then releases the partitions immediately.
    pub(super) closing: AtomicBool,
}

impl Group {
    fn changes(&self) -> MutexGuard<'_, VecDeque<Change>> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn next_change(&self) -> Option<Change> {
        self.changes().pop_front()
    }

    pub(super) fn has_change(&self) -> bool {
        !self.changes().is_empty()
    }
}

impl ConsumerContext for Context<Group> {
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        kind: RDKafkaRespErr,
        partitions: &mut TopicPartitionList,
    ) {
        self.count();
        if self.role.closing.load(Ordering::Relaxed) {
            if let Err(error) = consumer.unassign() {
                tracing::warn!(%error, "cannot release partitions");
            }
            return;
        }
        let partitions = partitions.elements().iter().map(|element| element.partition() as u32).collect();
        self.role.changes().push_back(match kind {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => Change::Assigned(partitions),
            _ => Change::Revoked(partitions),
        });
    }
}

/// Creates a consumer that is subscribed to the topic. `of` is the number of partitions of the topic.
pub(super) fn join(
    client: &ClientSettings,
    settings: &SourceSettings,
    of: u32,
    wakeup: &Arc<Wakeup>,
) -> Result<GroupConsumer, KafkaError> {
    let session = settings.session_timeout.as_millis().to_string();
    let heartbeat = (settings.session_timeout.as_millis() * 3 / 10).to_string();
    // librdkafka applies this limit to each partition separately, because each partition has a separate queue
    let queue = (settings.queue_kib / of.max(1)).max(1_024).to_string();
    let defaults = [
        ("session.timeout.ms", session.as_str()),
        ("heartbeat.interval.ms", &heartbeat),
        ("queued.max.messages.kbytes", &queue),
        // the delay of the next fetch after a queue was full; the default of one second would slow down reading
        ("fetch.queue.backoff.ms", "5"),
        // the maximum delay until a partition that was added to the topic is detected
        ("topic.metadata.refresh.interval.ms", "60000"),
    ];
    let fixed = [
        ("group.id", settings.group.as_str()),
        ("group.instance.id", &settings.instance),
        ("group.protocol", "classic"),
        ("partition.assignment.strategy", "range"),
        ("isolation.level", if settings.read_committed { "read_committed" } else { "read_uncommitted" }),
        ("auto.offset.reset", "error"),
        ("enable.auto.commit", "false"),
        ("enable.auto.offset.store", "false"),
        ("enable.partition.eof", "true"),
    ];
    let config = client.config(&defaults, &fixed)?;
    let mut consumer: GroupConsumer = config.create_with_context(Context::default())?;
    let wakeup = Arc::clone(wakeup);
    consumer.set_nonempty_callback(move || wakeup.notify());
    let what = || format!("subscribe to topic {}", settings.topic);
    consumer.subscribe(&[&settings.topic]).map_err(|error| KafkaError::of(what(), &error))?;
    Ok(consumer)
}
