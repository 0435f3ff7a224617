//! Batches that cannot be read, because they are damaged or because they are too large when decompressed. If the
//! settings allow skipping such a batch, this module searches for the next readable offset, at which reading
//! continues.
//!
//! A separate consumer, which is not a member of the group, tests one offset after the other. It uses `assign` and
//! not `seek`, because after reading in batches, librdkafka's own position is two offsets too far (librdkafka
//! #5213). Each poll of the [`Source`] tests one offset, so that the source stays in the group during the search.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::Offset;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::topic_partition_list::TopicPartitionList;

use super::{Event, Source, SourceError, SourceSettings, Wakeup};
use crate::batch::{Item, MessageBuffer, PartitionQueue};
use crate::client::Context;
use crate::cluster::RESPONSE_TIMEOUT;
use crate::{ClientSettings, KafkaError};

/// The reaction to a batch that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnDamaged {
    /// Reading stops. Topics use this reaction if none of their records may be skipped.
    Never,
    /// Reading stops. [`Self::Skip`] would skip the batch.
    Stop,
    /// The records of the batch count as lost, and reading continues after the batch.
    Skip,
}

impl OnDamaged {
    /// Returns the last part of the error message, which contains the fix. The fix of a batch that may be skipped depends
    /// on the configuration, so the caller appends it.
    pub(super) const fn remedy(self) -> &'static str {
        match self {
            Self::Never => {
                "; partials are never skipped, so restore the partition's log from another replica"
            }
            Self::Stop | Self::Skip => "",
        }
    }
}

/// Returns true for error codes that report a damaged or too large batch.
pub(super) const fn is_damage(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode as C;
    matches!(
        code,
        C::BadMessage
            | C::BadCompression
            | C::InvalidMessage
            | C::InvalidMessageSize
            | C::MessageSizeTooLarge
            | C::NotImplemented
    )
}

/// A range of offsets that were skipped because they cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The partition.
    pub partition: u32,
    /// The first skipped offset.
    pub from: i64,
    /// The offset after the last skipped one.
    pub to: i64,
}

/// The number of tests of the first unreadable offset before the search skips anything.
const TRIES: u8 = 3;

/// The number of steps at the start of the search that advance by one offset. During these steps, the search skips no
/// readable record between short unreadable batches. After them, the size of each step doubles.
const SINGLE_STEPS: u32 = 16;

/// The search for the next readable offset. The first steps advance by one offset. After them, the size of the steps
/// doubles until a readable offset is found; then the search bisects. The result is a readable offset whose predecessor
/// is not readable. If a step is larger than one offset, the search may skip a readable batch between two unreadable
/// batches. This is only possible if the readable batch is not longer than the unreadable batch before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Search {
    /// The largest offset that could not be read.
    unreadable: i64,
    /// The smallest offset that could be read, if one was found.
    readable: Option<i64>,
    /// The distance from `unreadable` to the next offset to test, until a readable one is found.
    step: i64,
    /// The number of steps so far.
    steps: u32,
    /// The number of remaining retries of the first unreadable offset.
    tries: u8,
}

impl Search {
    /// Starts at an offset that could not be read.
    pub(super) const fn new(unreadable: i64) -> Self {
        Self { unreadable, readable: None, step: 1, steps: 0, tries: TRIES }
    }

    /// Returns `Ok` with the next offset to test, or `Err` with the result of the search. `end` is the end of the
    /// log, which counts as readable.
    pub(super) fn next(&self, end: i64) -> Result<i64, i64> {
        match self.readable {
            _ if end <= self.unreadable => Err(self.unreadable),
            Some(readable) if readable - self.unreadable <= 1 => Err(readable.max(self.unreadable)),
            None if self.tries > 0 => Ok(self.unreadable),
            None => Ok(self.unreadable.saturating_add(self.step).min(end)),
            Some(readable) => Ok(self.unreadable + (readable - self.unreadable) / 2),
        }
    }

    /// Records the result of testing an offset.
    pub(super) fn record_test(&mut self, offset: i64, is_readable: bool) {
        if is_readable {
            self.readable = Some(offset);
        } else if self.tries > 0 {
            self.tries -= 1;
        } else {
            self.unreadable = self.unreadable.max(offset);
            self.steps = self.steps.saturating_add(1);
            if self.steps >= SINGLE_STEPS {
                self.step = self.step.saturating_mul(2);
            }
        }
    }
}

/// A consumer outside the group that tests whether offsets of one partition are readable.
pub(super) struct Probe {
    queue: PartitionQueue<Context<()>>,
    buffer: MessageBuffer,
    wakeup: Arc<Wakeup>,
    consumer: Arc<BaseConsumer<Context<()>>>,
    partition: u32,
}

impl Probe {
    fn open(client: &ClientSettings, settings: &SourceSettings, partition: u32) -> Result<Self, KafkaError> {
        // small, because one batch is enough, and a broker sends a whole batch even if it is larger than this limit
        let defaults = [("fetch.message.max.bytes", "65536")];
        let fixed = [
            // librdkafka requires a group name to assign partitions, but this consumer joins no group and commits
            // nothing
            ("group.id", settings.group.as_str()),
            ("isolation.level", if settings.read_committed { "read_committed" } else { "read_uncommitted" }),
            ("auto.offset.reset", "error"),
            ("enable.auto.commit", "false"),
            ("enable.auto.offset.store", "false"),
            ("enable.partition.eof", "true"),
        ];
        let config = client.config(&defaults, &fixed)?;
        let consumer = Arc::new(config.create_with_context(Context::default())?);
        let wakeup = Arc::new(Wakeup::default());
        let queue = PartitionQueue::split(&consumer, &settings.topic, partition, &wakeup)
            .ok_or_else(|| KafkaError::NoTopic { topic: settings.topic.clone() })?;
        Ok(Self { queue, buffer: MessageBuffer::for_messages(100), wakeup, consumer, partition })
    }

    /// Returns true if the first item at or after an offset is a record or the end of the partition, and false if it
    /// is an unreadable batch.
    #[expect(clippy::disallowed_methods, reason = "the caller decides how long to wait for a broker")]
    fn is_readable(&mut self, topic: &str, offset: i64) -> Result<bool, SourceError> {
        let what = || format!("read partition {} of topic {topic} at offset {offset}", self.partition);
        let mut list = TopicPartitionList::with_capacity(1);
        list.add_partition_offset(topic, self.partition as i32, Offset::Offset(offset))
            .and_then(|()| self.consumer.assign(&list))
            .map_err(|error| as_transient(self.partition, KafkaError::of(what(), &error)))?;
        let start = Instant::now();
        while start.elapsed() < RESPONSE_TIMEOUT {
            let mut seen = None;
            self.queue.read(&mut self.buffer, 100, |item| {
                let this = match item {
                    Item::Message(message) => (message.offset() >= offset).then_some(Ok(true)),
                    Item::Notice(RDKafkaErrorCode::PartitionEOF, _) => Some(Ok(true)),
                    Item::Notice(code, _) if is_damage(code) => Some(Ok(false)),
                    Item::Notice(code, _) if super::is_out_of_range(code) => Some(Err(code)),
                    // continue to poll, because librdkafka retries after all other errors
                    Item::Notice(..) | Item::Unknown(_) => None,
                };
                seen = seen.take().or(this);
            });
            match seen {
                Some(Ok(is_readable)) => return Ok(is_readable),
                Some(Err(_)) => {
                    let (topic, partition) = (topic.to_owned(), self.partition);
                    return Err(SourceError::OutOfRange { topic, partition, offset });
                }
                None => {}
            }
            // poll, so that librdkafka calls the call-backs for its log and its errors
            let _ = self.consumer.poll(Duration::ZERO);
            self.wakeup.wait(Duration::from_millis(50));
        }
        let (code, partition) = (RDKafkaErrorCode::OperationTimedOut, Some(self.partition));
        Err(SourceError::Transient { code, partition })
    }
}

impl Source {
    /// Tests one more offset of the first partition that has an unreadable batch. When the search has found the next
    /// readable offset, reading continues there.
    pub(super) fn search(&mut self) -> Result<Option<Event>, SourceError> {
        let searching =
            self.partitions.iter().find_map(|(partition, state)| Some((*partition, state.search?)));
        let Some((partition, mut search)) = searching else {
            self.probe = None;
            return Ok(None);
        };
        let topic = self.settings.topic.clone();
        let ends =
            self.cluster.log_ends(&topic, &[partition]).map_err(|error| as_transient(partition, error))?;
        let unknown =
            SourceError::Transient { code: RDKafkaErrorCode::LeaderNotAvailable, partition: Some(partition) };
        let end = ends.first().copied().flatten().ok_or(unknown)?;
        let to = match search.next(end) {
            Ok(offset) => {
                if self.probe.as_ref().is_none_or(|probe| probe.partition != partition) {
                    let probe = Probe::open(&self.client, &self.settings, partition);
                    self.probe = Some(probe.map_err(|error| as_transient(partition, error))?);
                }
                if let Some(probe) = &mut self.probe {
                    search.record_test(offset, probe.is_readable(&topic, offset)?);
                }
                if let Some(state) = self.partitions.get_mut(&partition) {
                    state.search = Some(search);
                }
                return Ok(None);
            }
            Err(found) => found,
        };
        self.probe = None;
        let Some(state) = self.partitions.get_mut(&partition) else { return Ok(None) };
        let from = state.position;
        (state.search, state.position, state.end) = (None, to.max(from), None);
        if let Err(error) = self.assign() {
            if let Some(state) = self.partitions.get_mut(&partition) {
                (state.search, state.position) = (Some(search), from);
            }
            return Err(error);
        }
        Ok((to > from).then_some(Event::Skipped(Skipped { partition, from, to })))
    }
}

/// Converts the error of a failed request of the search. The error code of a broker becomes a transient error, because
/// the next poll repeats the request.
fn as_transient(partition: u32, error: KafkaError) -> SourceError {
    match error {
        KafkaError::Kafka { code, .. } => SourceError::Transient { code, partition: Some(partition) },
        error => error.into(),
    }
}

#[cfg(test)]
mod tests;
