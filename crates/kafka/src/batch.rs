//! Reads many records from the queue of one partition in one call, and provides two other operations for which
//! rust-rdkafka has no safe function: [`Record::headers`] and [`metadata`]. Only this module and `admin_calls`
//! contain unsafe code.
//!
//! The unsafe code relies on these facts from librdkafka's headers and sources (2.12):
//! - The caller owns the queue that `rd_kafka_queue_get_partition` returns, and must destroy the queue before its
//!   client. [`PartitionQueue`] holds the client, and destroys the queue first.
//! - `rd_kafka_consume_batch_queue` writes at most `rkmessages_size` pointers and returns their number. The caller
//!   owns each message and must destroy it once; until then the message does not move. [`Filled`] destroys each
//!   message exactly once, even if the closure that receives it panics.
//! - librdkafka holds the lock of a queue while it runs the call-back of `rd_kafka_queue_cb_event_enable`, and also
//!   while it removes the call-back. So the call-back does not run after the removal has returned. [`PartitionQueue`]
//!   keeps the [`Wakeup`] that the call-back notifies until then.
//! - Any thread may destroy messages while the client lives. Any thread may read a queue; [`PartitionQueue::read`]
//!   takes `&mut self`, so only one thread reads at a time.
//! - Every handle of `rd_kafka_queue_get_partition` refers to the same queue inside librdkafka, and that queue has
//!   one call-back. Dropping a second handle of a partition would therefore remove the call-back of the first. At
//!   most one [`PartitionQueue`] exists per client and partition: `Source` keeps it in a map by partition and creates
//!   one only if the partition has none (`Source::assign`); the consumer of `damage::Probe` is another client, with
//!   one queue.
//! - librdkafka writes to a message that the caller owns when it parses the headers, on their first use. The field
//!   `err` of a message can contain a number for which the Rust enumeration has no value, because librdkafka does not
//!   change the error codes of brokers. Therefore this module keeps a pointer to a message and never a reference, and
//!   reads error codes as integers ([`error_code`]).
#![allow(unsafe_code)]

use std::ffi::{CStr, CString};
use std::marker::PhantomData;
use std::os::raw::{c_int, c_void};
use std::ptr::{self, NonNull};
use std::slice;
use std::sync::Arc;

use crowdfold_model::Timestamp;
use rdkafka::bindings as sys;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::message::{BorrowedMessage, Message as _};
use rdkafka::topic_partition_list::TopicPartitionList;
use rdkafka::types::{RDKafka, RDKafkaMessage, RDKafkaQueue, RDKafkaRespErr};

use crate::source::Wakeup;

/// The timestamp of a record, with the clock that set it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stamp {
    /// The producer's clock set the timestamp (`CreateTime`).
    Create(Timestamp),
    /// The broker's clock set the timestamp when the broker appended the record (`LogAppendTime`).
    Append(Timestamp),
    /// The record has no timestamp, or a timestamp before the epoch (1970).
    Missing,
}

/// One record of a partition queue, borrowed from librdkafka. It does not implement `Debug`, because it can contain
/// personal data.
pub struct Message<'a> {
    /// A message that is live for 'a. Because the field is a raw pointer, this type is neither `Send` nor `Sync`. This
    /// is required, because librdkafka parses the headers in place, without a lock, on their first use.
    raw: NonNull<RDKafkaMessage>,
    alive: PhantomData<&'a [u8]>,
}

impl<'a> Message<'a> {
    /// Returns the offset in the partition.
    #[must_use]
    pub const fn offset(&self) -> i64 {
        // SAFETY: `raw` is a live message of the library, whose offset does not change.
        unsafe { (*self.raw.as_ptr()).offset }
    }

    /// Returns the timestamp.
    #[must_use]
    pub fn timestamp(&self) -> Stamp {
        use sys::rd_kafka_timestamp_type_t as T;
        const CREATE: c_int = T::RD_KAFKA_TIMESTAMP_CREATE_TIME as c_int;
        const APPEND: c_int = T::RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME as c_int;
        let mut kind: c_int = 0;
        // SAFETY: `raw` is a live message of the library, `kind` a valid pointer to an int, which is how C represents
        // the enumeration that it receives.
        let millis =
            unsafe { sys::rd_kafka_message_timestamp(self.raw.as_ptr(), ptr::from_mut(&mut kind).cast()) };
        match (u64::try_from(millis), kind) {
            (Ok(millis), CREATE) => Stamp::Create(Timestamp::from_millis(millis)),
            (Ok(millis), APPEND) => Stamp::Append(Timestamp::from_millis(millis)),
            _ => Stamp::Missing,
        }
    }

    /// Returns the key, or `None` if the record has no key.
    #[must_use]
    pub fn key(&self) -> Option<&'a [u8]> {
        let raw = self.raw.as_ptr();
        // SAFETY: `key` is null or points to `key_len` bytes that live as long as the message, hence 'a.
        unsafe { bytes((*raw).key.cast_const().cast(), (*raw).key_len) }
    }

    /// Returns the value, or an empty slice if the record has no value.
    #[must_use]
    pub fn payload(&self) -> &'a [u8] {
        let raw = self.raw.as_ptr();
        // SAFETY: `payload` is null or points to `len` bytes that live as long as the message, hence 'a.
        unsafe { bytes((*raw).payload.cast_const().cast(), (*raw).len) }.unwrap_or_default()
    }

    /// Returns the value of the last header named `content-type`. The case of the name does not matter.
    #[must_use]
    pub fn content_type(&self) -> Option<&'a [u8]> {
        let mut found = None;
        // SAFETY: a live message of the library, used by one thread. The header lives as long as the message, hence 'a.
        unsafe {
            each_header(self.raw.as_ptr(), |name, value| {
                if name.eq_ignore_ascii_case(b"content-type") {
                    found = value;
                }
            });
        }
        found
    }
}

/// One record of a topic that is read without a consumer group. It does not implement `Debug`, because it can contain
/// personal data.
pub struct Record<'a> {
    message: &'a BorrowedMessage<'a>,
    // a raw pointer makes the type neither `Send` nor `Sync`, for the same reason as in `Message`
    one_thread: PhantomData<*const ()>,
}

impl<'a> Record<'a> {
    pub(crate) const fn of(message: &'a mut BorrowedMessage<'_>) -> Self {
        Self { message, one_thread: PhantomData }
    }

    /// Returns the partition.
    #[must_use]
    pub fn partition(&self) -> u32 {
        self.message.partition() as u32
    }

    /// Returns the offset in the partition.
    #[must_use]
    pub fn offset(&self) -> i64 {
        self.message.offset()
    }

    /// Returns the key, or `None` if the record has no key.
    #[must_use]
    pub fn key(&self) -> Option<&[u8]> {
        self.message.key()
    }

    /// Returns the value, or `None` if the record has no value.
    #[must_use]
    pub fn value(&self) -> Option<&[u8]> {
        self.message.payload()
    }

    /// Returns the names and values of the headers, in the order of the record. rust-rdkafka's own method is not used,
    /// because it panics if a name is not UTF-8, and any client can write such a name.
    #[must_use]
    pub fn headers(&self) -> Vec<(&[u8], Option<&[u8]>)> {
        let mut headers = Vec::new();
        // SAFETY: a live message of the library. It is borrowed exclusively, and a `Record` is not shared between
        // threads.
        unsafe { each_header(self.message.ptr(), |name, value| headers.push((name, value))) };
        headers
    }
}

/// Passes the name and the value of each header of a message to `each`.
///
/// # Safety
/// `raw` is a message of the library that is live for 'a. No other thread uses the message, because librdkafka parses
/// its headers without a lock on the first call.
unsafe fn each_header<'a>(raw: *const RDKafkaMessage, mut each: impl FnMut(&'a [u8], Option<&'a [u8]>)) {
    use sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR as OK;
    let mut headers = ptr::null_mut();
    // SAFETY: a live message, and a valid pointer to the headers. The headers belong to the message and live as long
    // as it.
    if unsafe { sys::rd_kafka_message_headers(raw, &mut headers) } != OK {
        return;
    }
    for index in 0.. {
        let (mut name, mut value, mut len) = (ptr::null(), ptr::null(), 0);
        // SAFETY: live headers and valid pointers to the results. `name` is a C string and `value` is null or `len`
        // bytes; both live as long as the message, hence 'a.
        unsafe {
            if sys::rd_kafka_header_get_all(headers, index, &mut name, &mut value, &mut len) != OK {
                break;
            }
            each(CStr::from_ptr(name).to_bytes(), bytes(value.cast(), len));
        }
    }
}

/// Returns the slice of `len` bytes at `start`, or `None` if `start` is null.
///
/// # Safety
/// `start` is null, or points to `len` bytes that are live and unchanged for 'a.
unsafe fn bytes<'a>(start: *const u8, len: usize) -> Option<&'a [u8]> {
    // SAFETY: not null, and live bytes, as the caller guarantees.
    (!start.is_null()).then(|| unsafe { slice::from_raw_parts(start, len) })
}

/// An item of a partition's queue.
pub(crate) enum Item<'a> {
    /// A record.
    Message(Message<'a>),
    /// An error code, and the offset at which the error was found. `PartitionEOF` reports that the partition was read
    /// to its current end.
    Notice(RDKafkaErrorCode, i64),
    /// The number of an error for which rust-rdkafka has no name.
    Unknown(i32),
}

impl Item<'_> {
    /// Converts a message into a record, or into an error if the field `err` of the message contains an error number.
    ///
    /// # Safety
    /// `raw` is a message of the library, or has the same layout, and lives as long as the item.
    unsafe fn of(raw: NonNull<RDKafkaMessage>) -> Self {
        // SAFETY: a live message. Its error is an int in C and is read as an int, without a reference to the Rust
        // enumeration.
        let (number, offset) =
            unsafe { (ptr::addr_of!((*raw.as_ptr()).err).cast::<c_int>().read(), (*raw.as_ptr()).offset) };
        match error_code(number) {
            Some(RDKafkaErrorCode::NoError) => Item::Message(Message { raw, alive: PhantomData }),
            Some(code) => Item::Notice(code, offset),
            None => Item::Unknown(number),
        }
    }
}

/// Converts an error number of librdkafka. Returns `None` if rust-rdkafka has no name for it.
pub(crate) fn error_code(number: c_int) -> Option<RDKafkaErrorCode> {
    RDKafkaRespErr::try_from(number).ok().map(RDKafkaErrorCode::from)
}

/// A buffer for the pointers to the messages of one batch. Between batches the pointers in it are invalid.
pub(crate) struct MessageBuffer(Vec<*mut RDKafkaMessage>);

// SAFETY: between batches, the buffer contains only pointers to messages that were destroyed. They are never
// dereferenced, so the buffer can be moved to another thread.
unsafe impl Send for MessageBuffer {}

impl MessageBuffer {
    pub(crate) fn for_messages(count: usize) -> Self {
        Self(vec![ptr::null_mut(); count])
    }
}

/// The queue of the fetched records of one partition, separate from the consumer's own queue.
pub(crate) struct PartitionQueue<C: ConsumerContext> {
    queue: NonNull<RDKafkaQueue>,
    /// The signal of the queue. It is stored here because librdkafka uses its address until the call-back of the queue
    /// is removed.
    _wakeup: Arc<Wakeup>,
    /// The client. It is stored here because a client must outlive its queues. [`Drop`] destroys the queue before this
    /// field is dropped.
    _consumer: Arc<BaseConsumer<C>>,
}

// SAFETY: librdkafka locks its queues; `&mut self` excludes concurrent readers.
unsafe impl<C: ConsumerContext> Send for PartitionQueue<C> {}

impl<C: ConsumerContext> PartitionQueue<C> {
    /// Separates the queue of a partition from the consumer's queue. The queue remains separate after later
    /// assignments, because librdkafka does not change the forwarding of a queue that the application has set
    /// (`RD_KAFKA_Q_F_FWD_APP`). Call this function *before* `assign`, so that no record arrives on the consumer's own
    /// queue. librdkafka notifies `wakeup` whenever an empty queue receives an item.
    ///
    /// Returns `None` if the name contains a zero byte.
    pub(crate) fn split(
        consumer: &Arc<BaseConsumer<C>>,
        topic: &str,
        partition: u32,
        wakeup: &Arc<Wakeup>,
    ) -> Option<Self> {
        let topic = CString::new(topic).ok()?;
        // SAFETY: a live client and a C string; the result is null, or a queue that the caller owns.
        let queue = NonNull::new(unsafe {
            sys::rd_kafka_queue_get_partition(
                consumer.client().native_ptr(),
                topic.as_ptr(),
                partition as i32,
            )
        })?;
        // SAFETY: a live queue; null means "forward to nowhere".
        unsafe { sys::rd_kafka_queue_forward(queue.as_ptr(), ptr::null_mut()) };
        let (wakeup, consumer) = (Arc::clone(wakeup), Arc::clone(consumer));
        let address = Arc::as_ptr(&wakeup).cast_mut().cast();
        // SAFETY: a live queue; the address is valid while `_wakeup` exists, and `drop` removes the call-back before
        // it drops `_wakeup`.
        unsafe { sys::rd_kafka_queue_cb_event_enable(queue.as_ptr(), Some(wake), address) };
        Some(Self { queue, _wakeup: wakeup, _consumer: consumer })
    }

    /// Takes the available items from the queue, at most `max` and at most the size of the buffer, and passes each
    /// item to `each`. Does not wait for items. Returns the number of items.
    pub(crate) fn read(
        &mut self,
        buffer: &mut MessageBuffer,
        max: usize,
        mut each: impl FnMut(Item<'_>),
    ) -> usize {
        let buffer = &mut buffer.0;
        let size = max.min(buffer.len());
        // SAFETY: a live queue, and a buffer with space for `size` pointers.
        let count =
            unsafe { sys::rd_kafka_consume_batch_queue(self.queue.as_ptr(), 0, buffer.as_mut_ptr(), size) };
        // a result of -1 means that the call itself failed, which only invalid arguments cause
        let count = usize::try_from(count).unwrap_or(0);
        let mut filled = Filled { messages: &buffer[..count] };
        while let Some(message) = filled.next() {
            // SAFETY: the message is live until `message` is dropped, at the end of this iteration; `each` cannot
            // keep the item, because it must accept an item of any lifetime.
            each(unsafe { Item::of(message.0) });
        }
        count
    }
}

impl<C: ConsumerContext> Drop for PartitionQueue<C> {
    fn drop(&mut self) {
        // SAFETY: a live queue; after the first call, librdkafka no longer has the address of the wake-up. This value
        // owns the queue and destroys it only here. The client is still alive, because `_consumer` is dropped after
        // this function.
        unsafe {
            sys::rd_kafka_queue_cb_event_enable(self.queue.as_ptr(), None, ptr::null_mut());
            sys::rd_kafka_queue_destroy(self.queue.as_ptr());
        }
    }
}

/// The call-back that librdkafka calls on its own thread when a queue is no longer empty.
unsafe extern "C" fn wake(_: *mut RDKafka, wakeup: *mut c_void) {
    // SAFETY: the address of a live `Wakeup`, as `split` guarantees; `notify` needs only a shared reference.
    unsafe { &*wakeup.cast_const().cast::<Wakeup>() }.notify();
}

/// The messages of one batch that were not processed yet. They are destroyed when this value is dropped.
struct Filled<'a> {
    messages: &'a [*mut RDKafkaMessage],
}

/// One message, which is destroyed when this value is dropped.
struct Owned(NonNull<RDKafkaMessage>);

impl Filled<'_> {
    fn next(&mut self) -> Option<Owned> {
        let (first, rest) = self.messages.split_first()?;
        self.messages = rest;
        NonNull::new(*first).map(Owned)
    }
}

impl Drop for Filled<'_> {
    fn drop(&mut self) {
        while let Some(message) = self.next() {
            drop(message);
        }
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        // SAFETY: librdkafka returned the message in this batch, and it is destroyed only here.
        unsafe { sys::rd_kafka_message_destroy(self.0.as_ptr()) }
    }
}

/// Returns the metadata of each committed offset of a list, as bytes. rust-rdkafka's own method panics if the
/// metadata is not UTF-8, and any client can commit such metadata.
pub(crate) fn metadata(list: &TopicPartitionList) -> Vec<Vec<u8>> {
    // SAFETY: the list is live and has `cnt` elements, which begin at `elems`. The metadata of an element is null, or
    // `metadata_size` bytes that belong to the element. The code makes no reference to an element, because its error
    // may have no value in the Rust enumeration.
    unsafe {
        let list = list.ptr();
        let (first, count) = ((*list).elems, usize::try_from((*list).cnt).unwrap_or(0));
        let count = if first.is_null() { 0 } else { count };
        let owned = |index| {
            let element = first.add(index);
            bytes((*element).metadata.cast_const().cast(), (*element).metadata_size)
                .unwrap_or_default()
                .to_vec()
        };
        (0..count).map(owned).collect()
    }
}

#[cfg(test)]
mod tests;
