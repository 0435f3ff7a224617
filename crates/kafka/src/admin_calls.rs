//! Admin requests that rust-rdkafka does not wrap: ACLs and the operations we are authorized for ([`describe_acls`]),
//! and the largest timestamp of a partition ([`largest`]). This module and its submodules are one of the two places
//! with unsafe code.
//!
//! The unsafe code relies on these facts from librdkafka's headers and sources (2.12):
//! - We own a queue of `rd_kafka_queue_new`, options of `rd_kafka_AdminOptions_new`, a filter of
//!   `rd_kafka_AclBindingFilter_new`, a list of `rd_kafka_topic_partition_list_new` and an event of
//!   `rd_kafka_queue_poll`, and must destroy each of them once. [`Owned`] does so, in the reverse order of creation.
//!   The client is borrowed meanwhile, so it outlives its queue. A request that is still in flight when its queue is
//!   destroyed holds its own reference to the queue.
//! - A request copies its options before the call returns.
//! - The contents of an event live as long as the event. Strings in it are C strings or null; they are copied.
//! - The error of an event or of a partition may be any number that a broker sends, including numbers that the Rust
//!   enumeration lacks. It is read as an integer ([`event_error`], [`code_of`]).
#![allow(unsafe_code)]

pub(crate) mod describe_acls;
pub(crate) mod largest;

use std::ffi::CStr;
use std::os::raw::{c_char, c_int};
use std::ptr::{self, NonNull};

use rdkafka::bindings as sys;
use rdkafka::client::{Client, ClientContext};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::types::RDKafka;

use crate::batch::error_code;
use crate::cluster::ANSWER;

/// # Safety
/// `start` is null or a C string.
unsafe fn text(start: *const c_char) -> String {
    if start.is_null() {
        return String::new();
    }
    // SAFETY: a C string, as the caller guarantees.
    unsafe { CStr::from_ptr(start) }.to_string_lossy().into_owned()
}

/// The parts of a request.
struct Asked {
    client: *mut RDKafka,
    options: Owned<sys::rd_kafka_AdminOptions_t>,
    queue: Owned<sys::rd_kafka_queue_t>,
}

impl Asked {
    /// Requests that the response includes the operations we are authorized for.
    fn include_authorized(&self) {
        // SAFETY: live options and a flag. The result is null, or an error that we own.
        unsafe {
            let refused =
                sys::rd_kafka_AdminOptions_set_include_authorized_operations(self.options.as_ptr(), 1);
            if !refused.is_null() {
                sys::rd_kafka_error_destroy(refused);
            }
        }
    }
}

/// Sends a request and waits for its response.
fn ask<C: ClientContext>(
    client: &Client<C>,
    operation: sys::rd_kafka_admin_op_t,
    request: impl FnOnce(&Asked),
) -> Result<Owned<sys::rd_kafka_event_t>, RDKafkaErrorCode> {
    let client = client.native_ptr();
    let millis = i32::try_from(ANSWER.as_millis()).unwrap_or(i32::MAX);
    // SAFETY: a live client; both results are null or owned by us.
    let (options, queue) =
        unsafe { (sys::rd_kafka_AdminOptions_new(client, operation), sys::rd_kafka_queue_new(client)) };
    let options = Owned::new(options, sys::rd_kafka_AdminOptions_destroy)?;
    let queue = Owned::new(queue, sys::rd_kafka_queue_destroy)?;
    // SAFETY: live options; no error text is written because there is no buffer for it.
    unsafe { sys::rd_kafka_AdminOptions_set_request_timeout(options.as_ptr(), millis, ptr::null_mut(), 0) };
    let asked = Asked { client, options, queue };
    request(&asked);
    // the response always arrives, at the latest when the request times out
    // SAFETY: a live queue; the result is null or owned by us.
    let event = unsafe { sys::rd_kafka_queue_poll(asked.queue.as_ptr(), millis.saturating_add(5_000)) };
    let event = Owned {
        it: NonNull::new(event).ok_or(RDKafkaErrorCode::OperationTimedOut)?,
        destroy: sys::rd_kafka_event_destroy,
    };
    // SAFETY: a live event.
    match code_of(unsafe { event_error(event.as_ptr()) }) {
        RDKafkaErrorCode::NoError => Ok(event),
        code => Err(code),
    }
}

unsafe extern "C" {
    /// `rd_kafka_event_error` with the return type it has in C, an int. The binding's enumeration cannot represent every
    /// number that a broker may send.
    #[link_name = "rd_kafka_event_error"]
    fn event_error(event: *mut sys::rd_kafka_event_t) -> c_int;
}

/// Converts the error number of a response. A number without a name is logged, because `Unknown` does not contain it.
fn code_of(number: c_int) -> RDKafkaErrorCode {
    error_code(number).unwrap_or_else(|| {
        tracing::warn!(number, "a broker responded with an error number that librdkafka does not know");
        RDKafkaErrorCode::Unknown
    })
}

/// An object of the library that we own and must destroy.
struct Owned<T> {
    it: NonNull<T>,
    destroy: unsafe extern "C" fn(*mut T),
}

impl<T> Owned<T> {
    fn new(it: *mut T, destroy: unsafe extern "C" fn(*mut T)) -> Result<Self, RDKafkaErrorCode> {
        Ok(Self { it: NonNull::new(it).ok_or(RDKafkaErrorCode::Fail)?, destroy })
    }

    const fn as_ptr(&self) -> *mut T {
        self.it.as_ptr()
    }
}

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        // SAFETY: `destroy` is the library's function for a `T`, the pointer is live, and it is destroyed only here.
        unsafe { (self.destroy)(self.it.as_ptr()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_number_without_a_name_is_unknown() {
        let codes = [0, 29, -185, 103, 9_999, i32::MIN].map(code_of);
        let expected = [
            RDKafkaErrorCode::NoError,
            RDKafkaErrorCode::TopicAuthorizationFailed,
            RDKafkaErrorCode::OperationTimedOut,
            RDKafkaErrorCode::Unknown,
            RDKafkaErrorCode::Unknown,
            RDKafkaErrorCode::Unknown,
        ];
        assert_eq!(codes, expected);
    }
}
