//! Admin requests that rust-rdkafka does not wrap: ACLs, the operations for which our principal is authorized
//! ([`describe_acls`]), and the largest timestamp of a partition ([`largest`]). Only this module, its submodules and
//! `batch` contain unsafe code.
//!
//! The unsafe code relies on these facts from librdkafka's headers and sources (2.12):
//! - The caller owns the objects that these functions return, and must destroy each object once:
//!   `rd_kafka_queue_new`, `rd_kafka_AdminOptions_new`, `rd_kafka_AclBindingFilter_new`,
//!   `rd_kafka_topic_partition_list_new`, `rd_kafka_queue_poll` (an event). [`Owned`] destroys them, in the reverse
//!   order of creation. The client is borrowed while its queue exists, so the client outlives the queue. A request
//!   that is still in flight when its queue is destroyed holds its own reference to the queue.
//! - A request copies its options before the call returns.
//! - The contents of an event live as long as the event. Each string in an event is a C string or null; this module
//!   copies the strings.
//! - The error of an event or of a partition can be any number that a broker sends, including numbers for which the
//!   Rust enumeration has no value. Therefore this module reads the number as an integer ([`event_error`],
//!   [`code_of`]).
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
use crate::cluster::RESPONSE_TIMEOUT;

/// Copies a C string. Returns an empty string if `start` is null.
///
/// # Safety
/// `start` is null or points to a C string.
unsafe fn text(start: *const c_char) -> String {
    if start.is_null() {
        return String::new();
    }
    // SAFETY: a C string, as the caller guarantees.
    unsafe { CStr::from_ptr(start) }.to_string_lossy().into_owned()
}

/// The arguments that every admin request has.
struct Request {
    client: *mut RDKafka,
    options: Owned<sys::rd_kafka_AdminOptions_t>,
    queue: Owned<sys::rd_kafka_queue_t>,
}

impl Request {
    /// Requests that the response includes the operations for which our principal is authorized.
    fn include_authorized(&self) {
        // SAFETY: live options and a flag. The result is null, or an error that this function owns.
        unsafe {
            let refused =
                sys::rd_kafka_AdminOptions_set_include_authorized_operations(self.options.as_ptr(), 1);
            if !refused.is_null() {
                sys::rd_kafka_error_destroy(refused);
            }
        }
    }
}

/// Sends an admin request with `send`, and waits for its response.
fn ask<C: ClientContext>(
    client: &Client<C>,
    operation: sys::rd_kafka_admin_op_t,
    send: impl FnOnce(&Request),
) -> Result<Owned<sys::rd_kafka_event_t>, RDKafkaErrorCode> {
    let client = client.native_ptr();
    let millis = i32::try_from(RESPONSE_TIMEOUT.as_millis()).unwrap_or(i32::MAX);
    // SAFETY: a live client; both results are null or owned by this function.
    let (options, queue) =
        unsafe { (sys::rd_kafka_AdminOptions_new(client, operation), sys::rd_kafka_queue_new(client)) };
    let options = Owned::new(options, sys::rd_kafka_AdminOptions_destroy)?;
    let queue = Owned::new(queue, sys::rd_kafka_queue_destroy)?;
    // SAFETY: live options; the null pointer means that there is no buffer for an error text.
    unsafe { sys::rd_kafka_AdminOptions_set_request_timeout(options.as_ptr(), millis, ptr::null_mut(), 0) };
    let request = Request { client, options, queue };
    send(&request);
    // librdkafka always puts a response into the queue; if the request times out, the response is an error
    // SAFETY: a live queue; the result is null or owned by this function.
    let event = unsafe { sys::rd_kafka_queue_poll(request.queue.as_ptr(), millis.saturating_add(5_000)) };
    let event = Owned {
        object: NonNull::new(event).ok_or(RDKafkaErrorCode::OperationTimedOut)?,
        destroy: sys::rd_kafka_event_destroy,
    };
    // SAFETY: a live event.
    match code_of(unsafe { event_error(event.as_ptr()) }) {
        RDKafkaErrorCode::NoError => Ok(event),
        code => Err(code),
    }
}

unsafe extern "C" {
    /// The C function `rd_kafka_event_error`, declared here with the return type that it has in C, an int. The return
    /// type in rust-rdkafka is an enumeration, which cannot represent every number that a broker may send.
    #[link_name = "rd_kafka_event_error"]
    fn event_error(event: *mut sys::rd_kafka_event_t) -> c_int;
}

/// Converts the error number of a response. A number that librdkafka does not know becomes `Unknown`, and is logged
/// because `Unknown` does not contain the number.
fn code_of(number: c_int) -> RDKafkaErrorCode {
    error_code(number).unwrap_or_else(|| {
        tracing::warn!(number, "a broker responded with an error number that librdkafka does not know");
        RDKafkaErrorCode::Unknown
    })
}

/// An object of librdkafka that this module owns. It is destroyed when the value is dropped.
struct Owned<T> {
    object: NonNull<T>,
    destroy: unsafe extern "C" fn(*mut T),
}

impl<T> Owned<T> {
    fn new(object: *mut T, destroy: unsafe extern "C" fn(*mut T)) -> Result<Self, RDKafkaErrorCode> {
        Ok(Self { object: NonNull::new(object).ok_or(RDKafkaErrorCode::Fail)?, destroy })
    }

    const fn as_ptr(&self) -> *mut T {
        self.object.as_ptr()
    }
}

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        // SAFETY: `destroy` is librdkafka's function for a `T`, the pointer is live, and nothing else destroys the
        // object.
        unsafe { (self.destroy)(self.object.as_ptr()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_number_that_librdkafka_does_not_know_becomes_unknown() {
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
