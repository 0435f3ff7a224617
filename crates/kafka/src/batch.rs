//! Batched reads of the queue of one partition, and two other operations for which rust-rdkafka has no safe call. One
//! of the two modules with unsafe code.
//!
//! The unsafe code relies on these facts from librdkafka's headers and sources (2.12):
//! - We own a queue of `rd_kafka_queue_get_partition` and must destroy it before its client. [`PartitionQueue`] holds
//!   the client, and destroys the queue first.
//! - `rd_kafka_consume_batch_queue` writes at most `rkmessages_size` pointers and returns their number. We own each
//!   message and must destroy it once; until then it neither changes nor moves. [`Filled`] destroys each exactly once,
//!   even if the caller's closure panics.
//! - The call-back of `rd_kafka_queue_cb_event_enable` runs under the lock of its queue, and so does its removal, so
//!   it does not run anymore once the removal returns. Until then [`PartitionQueue`] keeps the [`Wakeup`] that the
//!   call-back notifies.
//! - Any thread may destroy messages while the client lives. Any thread may read a queue; here one at a time
//!   (`&mut`).
//! - Every handle of `rd_kafka_queue_get_partition` refers to the same queue inside librdkafka, and that queue has
//!   one call-back. Dropping a second handle of a partition would therefore remove the call-back of the first. At most
//!   one [`PartitionQueue`] exists per client and partition: `Source` keeps it in a map by partition and creates one
//!   only if there is none (`Source::assign`); nothing else calls [`PartitionQueue::split`].
//! - C code writes to a message while we hold it (headers are parsed on first use), and its `err` may contain a
//!   number that the Rust enumeration lacks, because librdkafka passes on error codes of brokers unchanged. So a
//!   message is held by pointer, never by reference, and error codes are read as integers ([`error_code`]).
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

/// The timestamp of a record, by the clock that set it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stamp {
    /// Set by the producer.
    Create(Timestamp),
    /// Set by the broker when it appended the record.
    Append(Timestamp),
    /// Missing, or before the epoch.
    Missing,
}

/// One record, borrowed from librdkafka. It does not implement `Debug`, because it contains personal data.
pub struct Message<'a> {
    /// Live for 'a. A pointer is neither `Send` nor `Sync`, as required: headers are parsed in place on first use.
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
        // SAFETY: `raw` is a live message of the library, `kind` a place to write an enumeration to, which is an int.
        let millis =
            unsafe { sys::rd_kafka_message_timestamp(self.raw.as_ptr(), ptr::from_mut(&mut kind).cast()) };
        match (u64::try_from(millis), kind) {
            (Ok(millis), CREATE) => Stamp::Create(Timestamp::from_millis(millis)),
            (Ok(millis), APPEND) => Stamp::Append(Timestamp::from_millis(millis)),
            _ => Stamp::Missing,
        }
    }

    /// Returns the key, if any.
    #[must_use]
    pub fn key(&self) -> Option<&'a [u8]> {
        let raw = self.raw.as_ptr();
        // SAFETY: `key` is null or points to `key_len` bytes that live as long as the message, hence 'a.
        unsafe { bytes((*raw).key.cast_const().cast(), (*raw).key_len) }
    }

    /// Returns the value; empty if the record has none.
    #[must_use]
    pub fn payload(&self) -> &'a [u8] {
        let raw = self.raw.as_ptr();
        // SAFETY: `payload` is null or points to `len` bytes that live as long as the message, hence 'a.
        unsafe { bytes((*raw).payload.cast_const().cast(), (*raw).len) }.unwrap_or_default()
    }

    /// Returns the value of the last `content-type` header, whose name may be in upper or lower case. Headers are parsed
    /// only if there are any.
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

/// One record of a topic that is read outside of any group. It does not implement `Debug`, because its contents are
/// unknown.
pub struct Record<'a> {
    message: &'a BorrowedMessage<'a>,
    // as for `Message`
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

    /// Returns the key, if any.
    #[must_use]
    pub fn key(&self) -> Option<&[u8]> {
        self.message.key()
    }

    /// Returns the value, if any.
    #[must_use]
    pub fn value(&self) -> Option<&[u8]> {
        self.message.payload()
    }

    /// Returns the names and values of the headers, in order. rust-rdkafka panics at a name that is not UTF-8, and any
    /// client may have written one.
    #[must_use]
    pub fn headers(&self) -> Vec<(&[u8], Option<&[u8]>)> {
        let mut headers = Vec::new();
        // SAFETY: a live message of the library. It is borrowed exclusively, and a `Record` is not shared between
        // threads.
        unsafe { each_header(self.message.ptr(), |name, value| headers.push((name, value))) };
        headers
    }
}

/// # Safety
/// `raw` is a message of the library, live for 'a, that no other thread uses, because its headers are parsed without a
/// lock on the first call.
unsafe fn each_header<'a>(raw: *const RDKafkaMessage, mut each: impl FnMut(&'a [u8], Option<&'a [u8]>)) {
    use sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR as OK;
    let mut headers = ptr::null_mut();
    // SAFETY: a live message, and a valid place for the headers. The headers belong to the message and live as long.
    if unsafe { sys::rd_kafka_message_headers(raw, &mut headers) } != OK {
        return;
    }
    for index in 0.. {
        let (mut name, mut value, mut len) = (ptr::null(), ptr::null(), 0);
        // SAFETY: live headers and valid places for the results. `name` is a C string and `value` is null or `len`
        // bytes; both live as long as the message, hence 'a.
        unsafe {
            if sys::rd_kafka_header_get_all(headers, index, &mut name, &mut value, &mut len) != OK {
                break;
            }
            each(CStr::from_ptr(name).to_bytes(), bytes(value.cast(), len));
        }
    }
}

/// # Safety
/// `start` is null, or points to `len` bytes that are live and unchanged for 'a.
unsafe fn bytes<'a>(start: *const u8, len: usize) -> Option<&'a [u8]> {
    // SAFETY: as above; a null pointer is not read from.
    (!start.is_null()).then(|| unsafe { slice::from_raw_parts(start, len) })
}

/// An item of a partition's queue.
pub(crate) enum Item<'a> {
    /// A record.
    Message(Message<'a>),
    /// The current end of the partition, or an error, with the offset.
    Notice(RDKafkaErrorCode, i64),
    /// An error whose number rust-rdkafka does not know.
    Unknown(i32),
}

impl Item<'_> {
    /// # Safety
    /// `raw` is a message of the library, or has the same layout, and lives as long as the item.
    unsafe fn of(raw: NonNull<RDKafkaMessage>) -> Self {
        // SAFETY: a live message. Its error is an int in C and is read as one; no reference to the enumeration is made.
        let (number, offset) =
            unsafe { (ptr::addr_of!((*raw.as_ptr()).err).cast::<c_int>().read(), (*raw.as_ptr()).offset) };
        match error_code(number) {
            Some(RDKafkaErrorCode::NoError) => Item::Message(Message { raw, alive: PhantomData }),
            Some(code) => Item::Notice(code, offset),
            None => Item::Unknown(number),
        }
    }
}

/// Converts an error number of the library; `None` if rust-rdkafka has no name for it.
pub(crate) fn error_code(number: c_int) -> Option<RDKafkaErrorCode> {
    RDKafkaRespErr::try_from(number).ok().map(RDKafkaErrorCode::from)
}

/// A buffer for the pointers of one batch; empty between batches.
pub(crate) struct MessageBuffer(Vec<*mut RDKafkaMessage>);

// SAFETY: between batches its pointers are to destroyed messages and are never read again.
unsafe impl Send for MessageBuffer {}

impl MessageBuffer {
    pub(crate) fn for_messages(count: usize) -> Self {
        Self(vec![ptr::null_mut(); count])
    }
}

/// The queue of one partition, separate from the consumer's queue.
pub(crate) struct PartitionQueue<C: ConsumerContext> {
    queue: NonNull<RDKafkaQueue>,
    /// Notified by the library as long as the queue has its address.
    _wakeup: Arc<Wakeup>,
    /// Declared after `queue`, which is destroyed explicitly, because a client must outlive its queues.
    _consumer: Arc<BaseConsumer<C>>,
}

// SAFETY: the library locks its queues; `&mut self` excludes concurrent readers.
unsafe impl<C: ConsumerContext> Send for PartitionQueue<C> {}

impl<C: ConsumerContext> PartitionQueue<C> {
    /// Splits a partition's queue off the consumer's queue. It remains split over assignments: once an application has
    /// forwarded a partition's queue (here to nowhere), the library no longer forwards it (`RD_KAFKA_Q_F_FWD_APP`). So
    /// splitting *before* `assign` loses no record to the consumer's own queue. The wake-up is notified whenever the
    /// queue is no longer empty.
    ///
    /// Returns `None` if the name contains a zero byte.
    pub(crate) fn split(
        consumer: &Arc<BaseConsumer<C>>,
        topic: &str,
        partition: u32,
        wakeup: &Arc<Wakeup>,
    ) -> Option<Self> {
        let topic = CString::new(topic).ok()?;
        // SAFETY: a live client, a C string; the library returns null or a queue that we own.
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
        // SAFETY: a live queue; the address is valid as long as `_wakeup`, which outlives the call-back (see `drop`).
        unsafe { sys::rd_kafka_queue_cb_event_enable(queue.as_ptr(), Some(wake), address) };
        Some(Self { queue, _wakeup: wakeup, _consumer: consumer })
    }

    /// Takes the available items, at most `max` and at most the size of the buffer, and passes them to `each`. Does not
    /// wait. Returns the number of items.
    pub(crate) fn read(
        &mut self,
        buffer: &mut MessageBuffer,
        max: usize,
        mut each: impl FnMut(Item<'_>),
    ) -> usize {
        let buffer = &mut buffer.0;
        let size = max.min(buffer.len());
        // SAFETY: a live queue, and room for `size` pointers.
        let count =
            unsafe { sys::rd_kafka_consume_batch_queue(self.queue.as_ptr(), 0, buffer.as_mut_ptr(), size) };
        // -1 is an error of the call itself, which only wrong arguments cause
        let count = usize::try_from(count).unwrap_or(0);
        let mut filled = Filled { messages: &buffer[..count] };
        while let Some(message) = filled.next() {
            // SAFETY: it is live until `message` is dropped, at the end of this iteration; `each` cannot keep the item,
            // because its lifetime is not named.
            each(unsafe { Item::of(message.0) });
        }
        count
    }
}

impl<C: ConsumerContext> Drop for PartitionQueue<C> {
    fn drop(&mut self) {
        // SAFETY: a live queue; afterwards the library does not hold the wake-up's address. We own the queue and
        // destroy it only here; the client is still alive because `_consumer` is dropped after this.
        unsafe {
            sys::rd_kafka_queue_cb_event_enable(self.queue.as_ptr(), None, ptr::null_mut());
            sys::rd_kafka_queue_destroy(self.queue.as_ptr());
        }
    }
}

/// The call-back that the library calls on its own thread when a queue is no longer empty.
unsafe extern "C" fn wake(_: *mut RDKafka, wakeup: *mut c_void) {
    // SAFETY: the address of a live `Wakeup`, as `split` ensures; notifying needs no exclusive access.
    unsafe { &*wakeup.cast_const().cast::<Wakeup>() }.notify();
}

/// The messages of one batch that were not yet processed.
struct Filled<'a> {
    messages: &'a [*mut RDKafkaMessage],
}

/// One message, destroyed when dropped.
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
        // SAFETY: we received it from the library in this batch, and it is destroyed only here.
        unsafe { sys::rd_kafka_message_destroy(self.0.as_ptr()) }
    }
}

/// Returns the metadata of each committed offset of a list as bytes, because rust-rdkafka panics if they are not UTF-8,
/// and any client may have committed them.
pub(crate) fn metadata(list: &TopicPartitionList) -> Vec<Vec<u8>> {
    // SAFETY: the list is live and has `cnt` elements from `elems` on; an element's metadata is null or `metadata_size`
    // bytes that belong to it. No reference to an element is made, because its error may be any number.
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
