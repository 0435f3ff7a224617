//! Where beacons and partials are read: one member of a consumer group, with a queue for each partition.
//!
//! ```text
//! poll()  -> Assigned: look at what was committed, maybe start_at() elsewhere
//! poll()     only now the partitions are assigned
//! read()     batches of one partition; one that is not read fills its queue and is thereby paused
//! wait()     until there is something to read or to poll
//! poll()  -> Skipped: a batch cannot be read, reading goes on behind it
//! poll()  -> Revoked: stop reading, finish or abort the transaction
//! poll()     only now the partitions are released
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
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::acl::{Operation, Right};
use crate::batch::{Item, Message, MessageBuffer, PartitionQueue};
use crate::client::Context;
use crate::cluster::Cluster;
use crate::error::{code, is_forbidden};
use crate::{ClientSettings, Error};

use assignment::PartitionState;
pub use assignment::{Assigned, AssignedPartition, Committed};
pub use damage::{OnDamaged, Skipped};
use damage::{Probe, Search, is_damage};
pub use error::SourceError;
use group::{Change, Group};
pub(crate) use wakeup::Wakeup;

/// Most records that one [`Source::read`] takes.
const BATCH: usize = 1_000;

/// What is read, and as whom.
#[derive(Clone, Debug)]
pub struct SourceSettings {
    /// The topic.
    pub topic: String,
    /// The consumer group.
    pub group: String,
    /// The name of this member, which it keeps over restarts (`group.instance.id`).
    pub instance: String,
    /// Read what is committed only. Offsets are stable only then; tests alone may want otherwise.
    pub read_committed: bool,
    /// Go on where the log begins if what was committed lies before it.
    pub accept_loss: bool,
    /// The reaction to a batch that cannot be read.
    pub on_damaged: OnDamaged,
    /// Fetched records that wait to be read, all partitions together, KiB.
    pub queue_kib: u32,
    /// How long the group waits for a silent member, and a member's partitions for its return.
    pub session_timeout: Duration,
}

impl SourceSettings {
    /// Settings with the defaults of the design.
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

/// What [`Source::poll`] has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// These partitions are ours from the next poll on.
    Assigned(Assigned),
    /// These partitions are ours until the next poll: commit or abort what is open.
    Revoked(Vec<u32>),
    /// These partitions are another's already: what is open cannot be committed.
    Lost(Vec<u32>),
    /// These offsets cannot be read and are lost; the partition is read on behind them.
    Skipped(Skipped),
}

/// What a [`Source::read`] came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Read {
    /// Records that were shown.
    pub count: usize,
    /// Nothing more was there.
    pub drained: bool,
    /// The partition is read to its end, which is (was, a moment ago) at this offset. With `read_committed` the end is
    /// that of what is stable. Stays until there are more records.
    pub end: Option<i64>,
}

type GroupConsumer = BaseConsumer<Context<Group>>;

/// A member of a consumer group. Everything happens in the thread that calls it; librdkafka fetches in its own.
pub struct Source {
    // before the consumer: it must outlive its queues
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

/// What the next poll has to do first.
enum State {
    Stable,
    /// The group assigned these; the committed offsets could not be read yet.
    Assigned(Vec<u32>),
    /// The caller knows of the assignment; reading starts with the next poll.
    Assigning,
    /// The caller knows of the revocation; the next poll confirms it.
    Revoking,
}

impl Source {
    /// Joins the group; partitions come with [`Source::poll`].
    ///
    /// # Errors
    /// Within ten seconds when no broker answers, the topic is not there or may not be read.
    pub fn open(client: &ClientSettings, settings: SourceSettings) -> Result<Self, Error> {
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

    /// Serves the group: call it often (between batches), five minutes apart at most. Waits up to `timeout` if there is
    /// nothing to do. See the module for what each event asks of the caller.
    ///
    /// # Errors
    /// A transient one ([`SourceError::is_transient`]) is to be logged, and poll called again.
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
            // a newer change makes up for the one that could not be looked at yet
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

    /// Serves the consumer's own queue until it is empty or there is a change of the assignment.
    fn serve(&mut self, timeout: Duration) -> Result<(), SourceError> {
        let mut timeout = timeout;
        loop {
            let served = self.consumer.context().served();
            match self.consumer.poll(timeout) {
                Some(Ok(stray)) => {
                    // cannot be: every queue was split before its partition was assigned. A restart reads it again.
                    tracing::error!(
                        partition = stray.partition(),
                        "a record arrived on the queue of another partition"
                    );
                    return Err(SourceError::Fatal { code: RDKafkaErrorCode::Inconsistent });
                }
                Some(Err(error)) => self.trouble(&error)?,
                None if self.consumer.context().served() == served => return Ok(()),
                None => {}
            }
            if self.consumer.context().role.has_change() {
                return Ok(());
            }
            timeout = Duration::ZERO;
        }
    }

    /// Trouble of the consumer as a whole.
    fn trouble(&self, error: &KafkaError) -> Result<(), SourceError> {
        let code = code(error);
        match error {
            KafkaError::PartitionEOF(_) => Ok(()),
            _ if code == RDKafkaErrorCode::FencedInstanceId => Err(SourceError::Fenced),
            KafkaError::MessageConsumptionFatal(code) => Err(SourceError::Fatal { code: *code }),
            _ if is_forbidden(code) => Err(self.forbidden(code).into()),
            _ => match code {
                RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic => {
                    Err(Error::NoTopic { topic: self.settings.topic.clone() }.into())
                }
                code => Err(SourceError::Transient { code, partition: None }),
            },
        }
    }

    /// Shows what is fetched of one partition, at most `max` records (and at most 1,000), in the order of their offsets,
    /// to `each`. Does not wait, does not allocate. A partition that is not ours has nothing.
    ///
    /// # Errors
    /// After the records before it were shown.
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
        let (mut trouble, mut unknown) = (None, None);
        let max = max.min(BATCH);
        let mut damage = None;
        let taken = queue.read(&mut self.buffer, max, |item| match item {
            // librdkafka may go on behind a damaged batch by itself; what was fetched before an `assign` comes again
            Item::Message(message) if damage.is_some() || message.offset() < position => {}
            Item::Message(message) => {
                (count, position, end) = (count + 1, message.offset() + 1, None);
                each(message);
            }
            // comes once for each end, the last stable offset
            Item::Notice(RDKafkaErrorCode::PartitionEOF, offset) => {
                (position, end) = (offset.max(position), Some(offset));
            }
            Item::Notice(code, _) if is_damage(code) => damage = damage.or(Some(code)),
            Item::Notice(code, offset) => trouble = trouble.take().or(Some((code, offset))),
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
        match (trouble, unknown) {
            (None, None) => Ok(Read { count, drained: taken < max, end }),
            (Some((code, offset)), _) => Err(self.partition_trouble(partition, code, offset)),
            (None, Some(number)) => {
                let topic = self.settings.topic.clone();
                Err(SourceError::UnknownCode { topic, partition, number })
            }
        }
    }

    fn partition_trouble(&self, partition: u32, code: RDKafkaErrorCode, offset: i64) -> SourceError {
        let topic = self.settings.topic.clone();
        match code {
            code if is_out_of_range(code) => SourceError::OutOfRange { topic, partition, offset },
            code if is_forbidden(code) => self.forbidden(code).into(),
            code => SourceError::Transient { code, partition: Some(partition) },
        }
    }

    /// Sleeps until a queue that was empty is no longer, or for `timeout`. Call it when every partition that is being
    /// read is drained: a queue that was not empty does not notify.
    pub fn wait(&self, timeout: Duration) {
        self.wakeup.wait(timeout);
    }

    /// Where reading of a partition goes on: after the last record shown, or at its end. `None` if it is not ours.
    #[must_use]
    pub fn position(&self, partition: u32) -> Option<i64> {
        self.partitions.get(&partition).map(|state| state.position)
    }

    /// What to send with offsets in a transaction: captured when the partitions were assigned, and valid for them only.
    #[must_use]
    pub fn group_metadata(&self) -> Option<&Arc<ConsumerGroupMetadata>> {
        self.metadata.as_ref()
    }

    /// The partitions that are ours.
    pub fn partitions(&self) -> impl Iterator<Item = u32> {
        self.partitions.keys().copied()
    }

    /// The address of whichever process is in the group under this instance's name, if the broker reports one. After
    /// [`SourceError::Fenced`] that is another process.
    #[must_use]
    pub fn namesake(&self) -> Option<String> {
        let named = self.cluster.members_named(&self.settings.group, &self.settings.instance);
        named.ok()?.into_iter().next()
    }

    /// To ask of logs' ends, by reading uncommitted.
    #[must_use]
    pub const fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    fn forbidden(&self, code: RDKafkaErrorCode) -> Error {
        Error::Forbidden { principal: self.cluster.principal(), right: self.missing(code) }
    }

    /// The right that is missing by a broker's word.
    fn missing(&self, code: RDKafkaErrorCode) -> Right {
        match code {
            RDKafkaErrorCode::GroupAuthorizationFailed => Right::of_group(&self.settings.group),
            _ => Right::of_topic(Operation::Read, &self.settings.topic),
        }
    }
}

/// Codes of an offset that is not in the log.
const fn is_out_of_range(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode as C;
    matches!(code, C::AutoOffsetReset | C::OffsetOutOfRange | C::LogTruncation | C::NoOffset)
}

impl Drop for Source {
    fn drop(&mut self) {
        // closing the consumer takes the partitions back once more, and nobody polls us then
        self.consumer.context().role.closing.store(true, Ordering::Relaxed);
        self.partitions.clear();
    }
}
