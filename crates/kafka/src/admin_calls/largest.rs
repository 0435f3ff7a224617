//! Requests for the largest timestamp of partitions (ListOffsets with MAX_TIMESTAMP, KIP-734). The parent module
//! lists the facts on which the unsafe code relies. This module relies on two more:
//! - `rd_kafka_topic_partition_list_add` copies the name and returns an element of the list, which lives until the
//!   next element is added. The element's field `offset` selects the query: -3 means MAX_TIMESTAMP
//!   (`rd_kafka_OffsetSpec_t`).
//! - `rd_kafka_ListOffsets` copies the list before the call returns.
//!
//! `rd_kafka_offsets_for_times`, which rust-rdkafka wraps, does not support this query: rust-rdkafka accepts no offset
//! below -2 except its own constants, and the response contains no timestamp.

use std::ffi::CString;
use std::os::raw::c_int;
use std::{ptr, slice};

use crowdfold_model::Timestamp;
use rdkafka::bindings as sys;
use rdkafka::client::{Client, ClientContext};
use rdkafka::error::RDKafkaErrorCode;

use super::{Owned, Request, ask, code_of};

/// The result for one partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Largest {
    /// The partition.
    pub(crate) partition: u32,
    /// The largest timestamp of the partition's segments, or the error of its leader. `None` if no record has a
    /// timestamp.
    pub(crate) time: Result<Option<Timestamp>, RDKafkaErrorCode>,
}

/// Returns the largest timestamp of each partition. The timestamp of a record counts until its segment is deleted, even
/// if the record can no longer be read. Each partition must have a leader; for a partition without one, librdkafka
/// waits until the request times out.
///
/// # Errors
/// Returns an error code if no broker responds within ten seconds, if the broker refuses the request, or if the name
/// contains a zero byte.
pub(crate) fn timestamps<C: ClientContext>(
    client: &Client<C>,
    topic: &str,
    partitions: &[u32],
) -> Result<Vec<Largest>, RDKafkaErrorCode> {
    let name = CString::new(topic).map_err(|_| RDKafkaErrorCode::InvalidArgument)?;
    let size = i32::try_from(partitions.len()).map_err(|_| RDKafkaErrorCode::InvalidArgument)?;
    // SAFETY: any size is valid; the result is null or owned by this function.
    let list = unsafe { sys::rd_kafka_topic_partition_list_new(size) };
    let list = Owned::new(list, sys::rd_kafka_topic_partition_list_destroy)?;
    for partition in partitions {
        let partition = i32::try_from(*partition).map_err(|_| RDKafkaErrorCode::InvalidArgument)?;
        // SAFETY: a live list and a C string; the result is null, or an element that lives until the next call.
        let added = unsafe {
            sys::rd_kafka_topic_partition_list_add(list.as_ptr(), name.as_ptr(), partition).as_mut()
        };
        let added = added.ok_or(RDKafkaErrorCode::Fail)?;
        added.offset = i64::from(sys::rd_kafka_OffsetSpec_t::RD_KAFKA_OFFSET_SPEC_MAX_TIMESTAMP as i32);
    }
    let send = |request: &Request| {
        let (options, queue) = (request.options.as_ptr(), request.queue.as_ptr());
        // SAFETY: live client, list, options and queue.
        unsafe { sys::rd_kafka_ListOffsets(request.client, list.as_ptr(), options, queue) };
    };
    let event = ask(client, sys::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_LISTOFFSETS, send)?;
    // SAFETY: a live event; the result is null if the event is of another kind, otherwise the result lives as long as
    // the event.
    let result = unsafe { sys::rd_kafka_event_ListOffsets_result(event.as_ptr()) };
    if result.is_null() {
        return Err(RDKafkaErrorCode::Fail);
    }
    let mut count = 0;
    // SAFETY: a live result and a valid pointer to the count; the return value is null, or `count` pointers that live
    // as long as the result.
    let infos = unsafe {
        let first = sys::rd_kafka_ListOffsets_result_infos(result, &mut count);
        if first.is_null() || count == 0 { &[] } else { slice::from_raw_parts(first, count) }
    };
    let largest = infos.iter().map(|info| {
        // SAFETY: each pointer is to a response that lives as long as the result, and so does the element in it.
        let (time, element) = unsafe {
            let time = sys::rd_kafka_ListOffsetsResultInfo_timestamp(*info);
            (time, sys::rd_kafka_ListOffsetsResultInfo_topic_partition(*info))
        };
        if element.is_null() {
            return Err(RDKafkaErrorCode::Fail);
        }
        // SAFETY: a live element. The code makes no reference to the element, because its error, an int in C, may
        // have no value in the Rust enumeration.
        let (error, partition) = unsafe {
            let error = ptr::addr_of!((*element).err).cast::<c_int>().read();
            (error, ptr::addr_of!((*element).partition).read())
        };
        let time = match code_of(error) {
            RDKafkaErrorCode::NoError => Ok(u64::try_from(time).ok().map(Timestamp::from_millis)),
            code => Err(code),
        };
        let partition = u32::try_from(partition).map_err(|_| RDKafkaErrorCode::Fail)?;
        Ok(Largest { partition, time })
    });
    largest.collect()
}
