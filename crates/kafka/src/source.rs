//! The consumer of beacons and partials: one member of a consumer group, with a queue for each partition.
//!
//! ```text
//! poll()  -> Assigned: check the committed offsets, and call start_at() for other offsets
//! poll()     the partitions are assigned
//! read()     batches of one partition; a partition that is not read fills its queue and pauses
//! wait()     until there is something to read or to poll
//! poll()  -> Skipped: a batch cannot be read, reading continues after it
//! poll()  -> Revoked: stop reading, finish or abort the transaction
//! poll()     the partitions are released
//! ```

mod assignment;
mod damage;
mod error;
mod group;
mod wakeup;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rdkafka::Message as _;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerGroupMetadata};
use rdkafka::error::{KafkaError as RdkafkaError, RDKafkaErrorCode};

use crate::acl::{Operation, Right};
use crate::batch::{Item, Message, MessageBuffer, PartitionQueue};
use crate::client::Context;
use crate::cluster::Cluster;
use crate::error::{code, is_forbidden};
use crate::{ClientSettings, KafkaError};

use assignment::PartitionState;
pub use assignment::{Assigned, AssignedPartition, Committed};
pub use damage::{OnDamaged, Skipped};
use damage::{Probe, Search, is_damage};
pub use error::SourceError;
use group::{Change, Group};
pub(crate) use wakeup::Wakeup;

/// The maximum number of records in one [`Source::read`].
const BATCH: usize = 1_000;

/// The settings of a source.
#[derive(Clone, Debug)]
pub struct SourceSettings {
    /// The topic.
    pub topic: String,
    /// The consumer group.
    pub group: String,
    /// The static name of this member, which it keeps over restarts (`group.instance.id`).
    pub instance: String,
    /// Reads only committed records. Offsets are stable only then; only tests set it to false.
    pub read_committed: bool,
    /// If the committed offset was deleted, continues at the start of the log.
    pub accept_loss: bool,
    /// The reaction to a batch that cannot be read.
    pub on_damaged: OnDamaged,
    /// The size of the queue of fetched records over all partitions, KiB.
    pub queue_kib: u32,
    /// The session time-out: how long the group waits for a silent member, and keeps a member's partitions for its
    /// return.
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
    /// The partitions that are read from the next poll on.
    Assigned(Assigned),
    /// The partitions that will be released at the next poll. Commit or abort the open transaction first.
    Revoked(Vec<u32>),
    /// Partitions that already belong to another member. The open transaction cannot be committed.
    Lost(Vec<u32>),
    /// Offsets that cannot be read and are lost. Reading continues after them.
    Skipped(Skipped),
}

/// The result of a [`Source::read`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Read {
    /// The number of records that were passed.
    pub count: usize,
    /// True if the queue is empty.
    pub drained: bool,
    /// The end offset, if the partition has been read to its end. With `read_committed` this is the last stable offset.
    /// It is reported until there are more records.
    pub end: Option<i64>,
}

type GroupConsumer = BaseConsumer<Context<Group>>;

/// A member of a consumer group. All methods run in the caller's thread; librdkafka fetches in its own threads.
pub struct Source {
    // dropped before the consumer, which must outlive its queues
    partitions: BTreeMap<u32, PartitionState>,
    buffer: MessageBuffer,
    consumer: Arc<GroupConsumer>,
    cluster: Cluster,
    client: ClientSettings,
    wakeup: Arc<Wakeup>,
    settings: SourceSettings,
    probe: Option<Probe>,
    of: u32,
    state: State,
    metadata: Option<Arc<ConsumerGroupMetadata>>,
}

/// The action that the next poll starts with.
enum State {
    Stable,
    /// The group assigned these partitions, but their committed offsets could not be read yet.
    Assigned(Vec<u32>),
    /// The caller has received the assignment; reading starts with the next poll.
    Assigning,
    /// The caller has received the revocation; the next poll confirms it.
    Revoking,
}

impl Source {
    /// Joins the group; partitions are assigned in [`Source::poll`].
    ///
    /// # Errors
    /// Within ten seconds if no broker responds, or the topic does not exist or may not be read.
    pub fn open(client: &ClientSettings, settings: SourceSettings) -> Result<Self, KafkaError> {
        let cluster = Cluster::open(client)?;
        let of = cluster.topic(&settings.topic).map_err(|error| error.needing(Operation::Read))?.count();
        let wakeup = Arc::new(Wakeup::default());
        let consumer = group::join(client, &settings, of, &wakeup)?;
        Ok(Self {
            partitions: BTreeMap::new(),
            buffer: MessageBuffer::for_messages(BATCH),
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

    /// Serves the group. Call it often (between batches), at least every five minutes. Waits up to `timeout` if there
    /// is nothing to do. The module documentation describes the caller's action for each event.
    ///
    /// # Errors
    /// Log a transient error ([`SourceError::is_transient`]) and call poll again.
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
            // a newer change replaces the one that was not processed yet
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

    /// Serves the consumer's own queue until it is empty or the assignment changes.
    fn serve(&mut self, timeout: Duration) -> Result<(), SourceError> {
        let mut timeout = timeout;
        loop {
            let served = self.consumer.context().served();
            match self.consumer.poll(timeout) {
                Some(Ok(stray)) => {
                    // impossible, because every queue was split before its partition was assigned; a restart reads the
                    // record again
                    tracing::error!(
                        partition = stray.partition(),
                        "a record arrived on the queue of another partition"
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

    /// Converts an error of the whole consumer.
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

    /// Passes the fetched records of one partition, at most `max` (and at most 1,000), to `each` in the order of their
    /// offsets. Does not wait or allocate. A partition that is not assigned has no records.
    ///
    /// # Errors
    /// Returned after the records before the error were passed.
    pub fn read(
        &mut self,
        partition: u32,
        max: usize,
        mut each: impl FnMut(Message<'_>),
    ) -> Result<Read, SourceError> {
        let nothing = Read { count: 0, drained: true, end: None };
        let Some(state) = self.partitions.get_mut(&partition) else { return Ok(nothing) };
        let Some(queue) = state.queue.as_mut().filter(|_| state.search.is_none()) else { return Ok(nothing) };
        let (mut count, mut position, mut end) = (0, state.position, state.end);
        let (mut notice, mut unknown) = (None, None);
        let max = max.min(BATCH);
        let mut damage = None;
        let taken = queue.read(&mut self.buffer, max, |item| match item {
            // librdkafka may continue after a damaged batch by itself; records fetched before an `assign` are delivered
            // again
            Item::Message(message) if damage.is_some() || message.offset() < position => {}
            Item::Message(message) => {
                (count, position, end) = (count + 1, message.offset() + 1, None);
                each(message);
            }
            // occurs once for each end, at the last stable offset
            Item::Notice(RDKafkaErrorCode::PartitionEOF, offset) => {
                (position, end) = (offset.max(position), Some(offset));
            }
            Item::Notice(code, _) if is_damage(code) => damage = damage.or(Some(code)),
            Item::Notice(code, offset) => notice = notice.take().or(Some((code, offset))),
            Item::Unknown(code) => unknown = Some(code),
        });
        (state.position, state.end) = (position, end);
        if let Some(code) = damage {
            let (topic, on_damaged) = (self.settings.topic.clone(), self.settings.on_damaged);
            if on_damaged == OnDamaged::Skip {
                state.search = Some(Search::new(position));
                return Err(SourceError::Unreadable { topic, partition, offset: position, code });
            }
            return Err(SourceError::Damaged { topic, partition, offset: position, code, on_damaged });
        }
        match (notice, unknown) {
            (None, None) => Ok(Read { count, drained: taken < max, end }),
            (Some((code, offset)), _) => Err(self.partition_error(partition, code, offset)),
            (None, Some(number)) => {
                let topic = self.settings.topic.clone();
                Err(SourceError::UnknownCode { topic, partition, number })
            }
        }
    }

    fn partition_error(&self, partition: u32, code: RDKafkaErrorCode, offset: i64) -> SourceError {
        let topic = self.settings.topic.clone();
        match code {
            code if is_out_of_range(code) => SourceError::OutOfRange { topic, partition, offset },
            code if is_forbidden(code) => self.forbidden(code).into(),
            code => SourceError::Transient { code, partition: Some(partition) },
        }
    }

    /// Waits until an empty queue receives something, or for `timeout`. Call it only when all partitions being read are
    /// drained, because a queue that was not empty does not notify.
    pub fn wait(&self, timeout: Duration) {
        self.wakeup.wait(timeout);
    }

    /// Returns the offset at which reading of a partition continues: after the last record passed, or at its end.
    /// `None` if the partition is not assigned.
    #[must_use]
    pub fn position(&self, partition: u32) -> Option<i64> {
        self.partitions.get(&partition).map(|state| state.position)
    }

    /// Returns the group metadata to send with offsets in a transaction. It is captured when the partitions are
    /// assigned, and valid only for that assignment.
    #[must_use]
    pub fn group_metadata(&self) -> Option<&Arc<ConsumerGroupMetadata>> {
        self.metadata.as_ref()
    }

    /// Returns the assigned partitions.
    pub fn partitions(&self) -> impl Iterator<Item = u32> {
        self.partitions.keys().copied()
    }

    /// Returns the address of the process that is in the group under this instance's name, if the broker reports one.
    /// After [`SourceError::Fenced`] that is another process.
    #[must_use]
    pub fn namesake(&self) -> Option<String> {
        let named = self.cluster.members_named(&self.settings.group, &self.settings.instance);
        named.ok()?.into_iter().next()
    }

    /// Returns the connection for requests of end offsets, which reads uncommitted.
    #[must_use]
    pub const fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    fn forbidden(&self, code: RDKafkaErrorCode) -> KafkaError {
        KafkaError::Forbidden { principal: self.cluster.principal(), right: self.missing(code) }
    }

    /// Returns the missing permission for a broker's error code.
    fn missing(&self, code: RDKafkaErrorCode) -> Right {
        match code {
            RDKafkaErrorCode::GroupAuthorizationFailed => Right::of_group(&self.settings.group),
            _ => Right::of_topic(Operation::Read, &self.settings.topic),
        }
    }
}

/// Returns true for error codes of an offset that is not in the log.
const fn is_out_of_range(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode as C;
    matches!(code, C::AutoOffsetReset | C::OffsetOutOfRange | C::LogTruncation | C::NoOffset)
}

impl Drop for Source {
    fn drop(&mut self) {
        // closing the consumer revokes the partitions once more, when nothing polls it
        self.consumer.context().role.closing.store(true, Ordering::Relaxed);
        self.partitions.clear();
    }
}
