//! The consumer of beacons and partials. It is a member of a consumer group, and has a separate queue for each
//! assigned partition. The caller uses it as follows:
//!
//! ```text
//! poll()  -> Assigned: check the committed offsets; call start_at() to start at another offset
//! poll()     starts to fetch the assigned partitions
//! read()     returns records of one partition; fetching of a partition pauses while its queue is full
//! readers()  returns a reader of each partition, for reading partitions in several threads
//! wait()     waits until there are records to read or events to poll
//! poll()  -> Skipped: offsets could not be read; reading continues after them
//! poll()  -> Revoked: stop reading, and commit or abort the open transaction
//! poll()     releases the partitions
//! ```

mod assignment;
mod damage;
mod error;
mod group;
mod reader;
mod wakeup;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rdkafka::Message as _;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerGroupMetadata};
use rdkafka::error::{KafkaError as RdkafkaError, RDKafkaErrorCode};

use crate::acl::{Operation, Right};
use crate::batch::PartitionQueue;
use crate::client::Context;
use crate::cluster::Cluster;
use crate::error::{code, is_forbidden};
use crate::{ClientSettings, KafkaError};

use assignment::PartitionState;
pub use assignment::{Assigned, AssignedPartition, Committed};
pub use damage::{OnDamaged, Skipped};
use damage::{Probe, Search};
pub use error::SourceError;
use group::{Change, Group};
pub use reader::{PartitionReader, Read, ReadBuffer};
pub(crate) use wakeup::Wakeup;

/// The settings of a source.
#[derive(Clone, Debug)]
pub struct SourceSettings {
    /// The topic to read.
    pub topic: String,
    /// The consumer group.
    pub group: String,
    /// The static name of this member (`group.instance.id`). The name stays the same after a restart, so that the group
    /// assigns the same partitions to the member again.
    pub instance: String,
    /// True to read committed records only, which exactly-once processing requires. Only tests set it to false.
    pub read_committed: bool,
    /// True to continue at the start of the log if the records at the committed offset were deleted. False to return
    /// [`SourceError::Gap`] instead.
    pub accept_loss: bool,
    /// The reaction to a batch that cannot be read.
    pub on_damaged: OnDamaged,
    /// The maximum size of fetched records that wait in the queues of all partitions together, in KiB.
    pub queue_kib: u32,
    /// The session time-out of the group. If a member sends no heartbeat for this time, for example during a restart,
    /// the group assigns its partitions to other members.
    pub session_timeout: Duration,
}

impl SourceSettings {
    /// Returns settings with the default limits.
    #[must_use]
    pub fn new(topic: &str, group: &str, instance: &str) -> Self {
        Self {
            topic: topic.into(),
            group: group.into(),
            instance: instance.into(),
            read_committed: true,
            accept_loss: false,
            on_damaged: OnDamaged::Stop,
            queue_kib: 65_536,
            session_timeout: Duration::from_secs(10),
        }
    }
}

/// An event of [`Source::poll`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The group assigned these partitions. Reading starts with the next poll.
    Assigned(Assigned),
    /// The group revoked these partitions. The next poll releases them, so commit or abort the open transaction
    /// first.
    Revoked(Vec<u32>),
    /// This member lost these partitions: another member may already read them. The open transaction cannot be
    /// committed.
    Lost(Vec<u32>),
    /// These offsets could not be read and are lost. Reading continues after them.
    Skipped(Skipped),
}

type GroupConsumer = BaseConsumer<Context<Group>>;

/// A member of a consumer group that reads one topic. Its methods run in the caller's thread, and librdkafka fetches
/// records in its own threads.
pub struct Source {
    // declared before `consumer`, so that the queues in it are dropped first: a consumer must outlive its queues
    partitions: BTreeMap<u32, PartitionState>,
    buffer: ReadBuffer,
    consumer: Arc<GroupConsumer>,
    cluster: Cluster,
    client: ClientSettings,
    wakeup: Arc<Wakeup>,
    settings: SourceSettings,
    /// The consumer that tests offsets while [`Source::search`] searches for the end of an unreadable batch.
    probe: Option<Probe>,
    /// The number of partitions of the topic.
    of: u32,
    state: State,
    metadata: Option<Arc<ConsumerGroupMetadata>>,
}

/// The state of a rebalance, which the next poll continues.
enum State {
    /// No rebalance is in progress.
    Stable,
    /// The group assigned these partitions, but their committed offsets could not be read yet.
    Assigned(Vec<u32>),
    /// The caller has received [`Event::Assigned`]. The next poll starts reading.
    Assigning,
    /// The caller has received [`Event::Revoked`] or [`Event::Lost`]. The next poll releases the partitions.
    Revoking,
}

impl Source {
    /// Joins the group. [`Source::poll`] returns the assigned partitions later.
    ///
    /// # Errors
    /// Returns an error if no broker responds within ten seconds, or if the topic does not exist or may not be read.
    pub fn open(client: &ClientSettings, settings: SourceSettings) -> Result<Self, KafkaError> {
        let cluster = Cluster::open(client)?;
        let of = cluster.topic(&settings.topic).map_err(|error| error.needing(Operation::Read))?.count();
        let wakeup = Arc::new(Wakeup::default());
        let consumer = group::join(client, &settings, of, &wakeup)?;
        Ok(Self {
            partitions: BTreeMap::new(),
            buffer: ReadBuffer::default(),
            consumer: Arc::new(consumer),
            cluster,
            client: client.clone(),
            wakeup,
            settings,
            probe: None,
            of,
            state: State::Stable,
            metadata: None,
        })
    }

    /// Processes changes of the assignment and other events of the consumer. Waits for an event for at most
    /// `timeout`. Call it between batches, and at least every five minutes, because the group removes a member that
    /// does not poll. The module documentation describes how to react to each event.
    ///
    /// # Errors
    /// After a transient error ([`SourceError::is_transient`]), log it and poll again. After any other error, stop.
    pub fn poll(&mut self, timeout: Duration) -> Result<Option<Event>, SourceError> {
        let assigned = match &self.state {
            State::Stable => None,
            State::Assigning => {
                self.assign()?;
                None
            }
            State::Revoking => {
                self.unassign()?;
                None
            }
            State::Assigned(partitions) => Some(partitions.clone()),
        };
        if assigned.is_none() {
            self.state = State::Stable;
        }
        self.serve(if assigned.is_some() { Duration::ZERO } else { timeout })?;
        match (self.consumer.context().role.next_change(), assigned) {
            (None, None) => self.search(),
            // a new assignment replaces an older one, even if the committed offsets for the older one were not read yet
            (None, Some(partitions)) | (Some(Change::Assigned(partitions)), _) => {
                self.assigned(partitions).map(Some)
            }
            (Some(Change::Revoked(partitions)), _) => {
                self.state = State::Revoking;
                let lost = self.consumer.assignment_lost();
                Ok(Some(if lost { Event::Lost(partitions) } else { Event::Revoked(partitions) }))
            }
        }
    }

    /// Polls the consumer's own queue until it is empty or the assignment changes.
    fn serve(&mut self, timeout: Duration) -> Result<(), SourceError> {
        let mut timeout = timeout;
        loop {
            let served = self.consumer.context().served();
            match self.consumer.poll(timeout) {
                Some(Ok(stray)) => {
                    // impossible, because the queue of each partition is separated before the partition is assigned; if
                    // it happens nevertheless, the error makes the worker restart and read the record again
                    tracing::error!(
                        partition = stray.partition(),
                        "a record arrived on the consumer's own queue instead of the queue of its partition"
                    );
                    return Err(SourceError::Fatal { code: RDKafkaErrorCode::Inconsistent });
                }
                Some(Err(error)) => self.consumer_error(&error)?,
                None if self.consumer.context().served() == served => return Ok(()),
                None => {}
            }
            if self.consumer.context().role.has_change() {
                return Ok(());
            }
            timeout = Duration::ZERO;
        }
    }

    /// Converts an error of the consumer that does not belong to one partition's queue.
    fn consumer_error(&self, error: &RdkafkaError) -> Result<(), SourceError> {
        let code = code(error);
        match error {
            RdkafkaError::PartitionEOF(_) => Ok(()),
            _ if code == RDKafkaErrorCode::FencedInstanceId => Err(SourceError::Fenced),
            RdkafkaError::MessageConsumptionFatal(code) => Err(SourceError::Fatal { code: *code }),
            _ if is_forbidden(code) => Err(self.forbidden(code).into()),
            _ => match code {
                RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic => {
                    Err(KafkaError::NoTopic { topic: self.settings.topic.clone() }.into())
                }
                code => Err(SourceError::Transient { code, partition: None }),
            },
        }
    }

    /// Waits until an empty queue receives an item, for at most `timeout`. Call this function only after all queues
    /// were drained: if a queue still contains items, a new item in it does not end the wait.
    pub fn wait(&self, timeout: Duration) {
        self.wakeup.wait(timeout);
    }

    /// Returns the offset at which reading of a partition continues: the offset after the last record that
    /// [`Source::read`] passed. Returns `None` if the partition is not assigned.
    #[must_use]
    pub fn position(&self, partition: u32) -> Option<i64> {
        self.partitions.get(&partition).map(|state| state.position)
    }

    /// Returns the group metadata, which a transaction must contain together with offsets. The metadata belongs to the
    /// current assignment; brokers refuse offsets with the metadata of an older assignment. Returns `None` if no
    /// partitions are assigned.
    #[must_use]
    pub fn group_metadata(&self) -> Option<&Arc<ConsumerGroupMetadata>> {
        self.metadata.as_ref()
    }

    /// Returns the assigned partitions.
    pub fn partitions(&self) -> impl Iterator<Item = u32> {
        self.partitions.keys().copied()
    }

    /// Returns the address of the process that is a member of the group with this instance's name. After
    /// [`SourceError::Fenced`] this is the other process with the same name. Returns `None` if the brokers report no
    /// such member.
    #[must_use]
    pub fn namesake(&self) -> Option<String> {
        let named = self.cluster.members_named(&self.settings.group, &self.settings.instance);
        named.ok()?.into_iter().next()
    }

    /// Returns the connection that this source uses for metadata and end offsets. Its end offsets include the records
    /// of open transactions.
    #[must_use]
    pub const fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    fn forbidden(&self, code: RDKafkaErrorCode) -> KafkaError {
        forbidden(&self.cluster, &self.settings, code)
    }
}

/// Returns the error for the error code of an authorization error.
fn forbidden(cluster: &Cluster, settings: &SourceSettings, code: RDKafkaErrorCode) -> KafkaError {
    KafkaError::Forbidden { principal: cluster.principal(), right: missing(settings, code) }
}

/// Returns the missing permission for the error code of an authorization error.
fn missing(settings: &SourceSettings, code: RDKafkaErrorCode) -> Right {
    match code {
        RDKafkaErrorCode::GroupAuthorizationFailed => Right::of_group(&settings.group),
        _ => Right::of_topic(Operation::Read, &settings.topic),
    }
}

/// Returns true for error codes that report an offset outside the log.
const fn is_out_of_range(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode as C;
    matches!(code, C::AutoOffsetReset | C::OffsetOutOfRange | C::LogTruncation | C::NoOffset)
}

impl Drop for Source {
    fn drop(&mut self) {
        // when the consumer is closed, librdkafka calls `rebalance` once more, but nothing polls the source anymore;
        // because of `closing`, the call-back releases the partitions immediately
        self.consumer.context().role.closing.store(true, Ordering::Relaxed);
        self.partitions.clear();
    }
}
