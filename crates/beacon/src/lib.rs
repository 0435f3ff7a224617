//! The wire formats of beacons, and raw IP addresses. This is the only crate whose types contain personal data.
//!
//! A [`Reader`] reads JSON, CMCD, captured HTTP requests and packed records. Beacons borrow from the record. Only the
//! crates `airlock`, `collector` and `testkit` may depend on this crate.
//!
//! ```
//! use std::collections::BTreeMap;
//! use std::sync::Arc;
//!
//! use crowdfold_beacon::{Fields, Form, Number, Reader, Text};
//! use crowdfold_model::SumMetric;
//!
//! let mut reader = Reader::new(Arc::new(Fields::new(&BTreeMap::new())?));
//! let record = br#"{"ts":1795308528421,"session":"bbb27941-6c1f","playing_ms":10000}"#;
//! let mut beacons = 0;
//! reader.read(Form::Json, record, &mut |_http, beacon| {
//!     let beacon = beacon.ok().expect("a beacon");
//!     assert_eq!(beacon.text(Text::Session), Some("bbb27941-6c1f"));
//!     assert_eq!(beacon.number(Number::Sum(SumMetric::PlayingMs)).map(|amount| amount.rounded()), Some(10_000));
//!     beacons += 1;
//! });
//! assert_eq!(beacons, 1);
//! # Ok::<(), crowdfold_beacon::FieldsError>(())
//! ```
//!
//! **Architecture invariant.** The types of this crate that contain personal data (beacons, their HTTP context, IP
//! addresses) do not implement `Debug`, `Display`, `Clone`, `Hash` or `Serialize`. No error contains a part of the
//! input. Messages of parsers quote their input, so they are dropped where they occur. Beacons and IP addresses are
//! not `Send`, so they stay in the thread that read them. An HTTP context is `Send`, because the collector passes it
//! between threads.
#![forbid(unsafe_code)]

mod address;
mod beacon;
mod body;
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
pub use body::Body;
pub use capture::LogFields;
pub use envelope::{CONTENT_TYPE, Packer, Parsed};
pub use fields::{Field, FieldNames, FieldSet, Fields, FieldsError};
pub use http::{Http, is_signal_set};
pub use nothing::{is_nothing, trimmed};
pub use reader::{Form, Reader};

/// A marker for types that must stay in their thread. The marker is neither `Send` nor `Sync`. Therefore a type that
/// contains the marker is neither `Send` nor `Sync`.
type NotSend = std::marker::PhantomData<*const ()>;
