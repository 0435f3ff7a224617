//! Reading the fetched records of one partition.

use rdkafka::error::RDKafkaErrorCode;

use super::assignment::PartitionState;
use super::damage::{OnDamaged, Search, is_damage};
use super::{Source, SourceError, SourceSettings, forbidden, is_out_of_range};
use crate::batch::{Item, Message, MessageBuffer};
use crate::cluster::Cluster;
use crate::error::is_forbidden;

/// The maximum number of records that one call of [`PartitionReader::read`] passes.
const MAX_BATCH: usize = 1_000;

/// The result of [`Source::read`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Read {
    /// The number of records that were passed to the closure.
    pub count: usize,
    /// True if the queue is empty after this read.
    pub drained: bool,
    /// The end offset of the partition, or `None` if the partition was not read to its end. With `read_committed` the
    /// end is the last stable offset. Until more records arrive, each read returns this end.
    pub end: Option<i64>,
}

/// A buffer for the records of one batch. Each thread that reads needs its own buffer.
pub struct ReadBuffer(MessageBuffer);

impl Default for ReadBuffer {
    fn default() -> Self {
        Self(MessageBuffer::for_messages(MAX_BATCH))
    }
}

/// A reader of one assigned partition. The readers of several partitions can be used by several threads.
pub struct PartitionReader<'a> {
    pub(super) partition: u32,
    pub(super) state: &'a mut PartitionState,
    pub(super) settings: &'a SourceSettings,
    pub(super) cluster: &'a Cluster,
}

impl PartitionReader<'_> {
    /// Returns the number of the partition.
    #[must_use]
    pub const fn partition(&self) -> u32 {
        self.partition
    }

    /// Passes the fetched records to `each`, in the order of their offsets. Passes at most `max` records, and at most
    /// 1,000. Does not wait and does not allocate memory.
    ///
    /// # Errors
    /// Before the function returns an error, `each` has received all records that precede the error.
    pub fn read(
        &mut self,
        buffer: &mut ReadBuffer,
        max: usize,
        mut each: impl FnMut(Message<'_>),
    ) -> Result<Read, SourceError> {
        let state = &mut *self.state;
        let Some(queue) = state.queue.as_mut().filter(|_| state.search.is_none()) else {
            return Ok(Read { count: 0, drained: true, end: None });
        };
        let (mut count, mut position, mut end) = (0, state.position, state.end);
        let (mut notice, mut unknown) = (None, None);
        let max = max.min(MAX_BATCH);
        let mut damage = None;
        let taken = queue.read(&mut buffer.0, max, |item| match item {
            // ignore records that follow a damaged batch, because librdkafka may continue to read after it by itself;
            // also ignore records that librdkafka fetched again because of an `assign`
            Item::Message(message) if damage.is_some() || message.offset() < position => {}
            Item::Message(message) => {
                (count, position, end) = (count + 1, message.offset() + 1, None);
                each(message);
            }
            // librdkafka reports each end once; the reported offset is the last stable offset
            Item::Notice(RDKafkaErrorCode::PartitionEOF, offset) => {
                (position, end) = (offset.max(position), Some(offset));
            }
            Item::Notice(code, _) if is_damage(code) => damage = damage.or(Some(code)),
            Item::Notice(code, offset) => notice = notice.take().or(Some((code, offset))),
            Item::Unknown(code) => unknown = Some(code),
        });
        (state.position, state.end) = (position, end);
        if let Some(code) = damage {
            return Err(self.damaged(code));
        }
        match (notice, unknown) {
            (None, None) => Ok(Read { count, drained: taken < max, end }),
            (Some((code, offset)), _) => Err(self.error(code, offset)),
            (None, Some(number)) => {
                let (topic, partition) = (self.settings.topic.clone(), self.partition);
                Err(SourceError::UnknownCode { topic, partition, number })
            }
        }
    }

    /// Returns the error for a batch that cannot be read. Starts the search for the next readable offset if the
    /// settings allow it to be skipped.
    fn damaged(&mut self, code: RDKafkaErrorCode) -> SourceError {
        let (topic, on_damaged) = (self.settings.topic.clone(), self.settings.on_damaged);
        let (partition, offset) = (self.partition, self.state.position);
        if on_damaged == OnDamaged::Skip {
            self.state.search = Some(Search::new(offset));
            return SourceError::Unreadable { topic, partition, offset, code };
        }
        SourceError::Damaged { topic, partition, offset, code, on_damaged }
    }

    fn error(&self, code: RDKafkaErrorCode, offset: i64) -> SourceError {
        let (topic, partition) = (self.settings.topic.clone(), self.partition);
        match code {
            code if is_out_of_range(code) => SourceError::OutOfRange { topic, partition, offset },
            code if is_forbidden(code) => forbidden(self.cluster, self.settings, code).into(),
            code => SourceError::Transient { code, partition: Some(partition) },
        }
    }
}

impl Source {
    /// Returns the readers of the assigned partitions, in the order of their numbers.
    pub fn readers(&mut self) -> impl Iterator<Item = PartitionReader<'_>> {
        let (settings, cluster) = (&self.settings, &self.cluster);
        self.partitions.iter_mut().map(move |(partition, state)| PartitionReader {
            partition: *partition,
            state,
            settings,
            cluster,
        })
    }

    /// Passes the fetched records of one partition to `each`, as [`PartitionReader::read`] does. For a partition that
    /// is not assigned, returns the result of an empty queue.
    ///
    /// # Errors
    /// Before the function returns an error, `each` has received all records that precede the error.
    pub fn read(
        &mut self,
        partition: u32,
        max: usize,
        each: impl FnMut(Message<'_>),
    ) -> Result<Read, SourceError> {
        let Some(state) = self.partitions.get_mut(&partition) else {
            return Ok(Read { count: 0, drained: true, end: None });
        };
        let mut reader =
            PartitionReader { partition, state, settings: &self.settings, cluster: &self.cluster };
        reader.read(&mut self.buffer, max, each)
    }
}
