//! Wire formats and raw addresses: the only crate in which a person exists.
//!
//! What is read here borrows from the record and goes no further than `airlock` and `collector`.
//!
//! **Architecture invariant.** No type of this crate that holds something of a person (a beacon, its HTTP context, an
//! address) has `Debug`, `Display`, `Clone`, `Hash` or `Serialize`, and no error carries anything of what was read: a
//! parser's message quotes its input, so it is dropped where it arises. A beacon and an address stay in the thread that
//! read them; an HTTP context is for a collector to move.
#![forbid(unsafe_code)]

mod address;
mod beacon;
mod capture;
mod cmcd;
mod envelope;
mod fields;
mod http;
mod json;
mod nothing;
mod paths;
mod reader;
mod split;
mod time;

pub use address::{Address, Network, Purpose};
pub use beacon::{Amount, Beacon, Malformed, Mode, Number, ReadError, Text};
pub use capture::LogFields;
pub use envelope::{Body, CONTENT_TYPE, Packer, unpack};
pub use fields::{Field, Fields, FieldsError};
pub use http::Http;
pub use nothing::is_nothing;
pub use reader::{Form, Reader};

/// Neither `Send` nor `Sync`: what has it stays in its thread.
type Here = std::marker::PhantomData<*const ()>;
