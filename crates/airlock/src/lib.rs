//! Validates and de-identifies beacons. The airlock reads the bytes of a record, and returns an [`Observation`] or a
//! [`Rejection`] for each beacon in it.
//!
//! The IP address of a beacon is used to look up the country, region and autonomous system, and is then dropped. The
//! session id is replaced by a keyed hash. A rejection contains a reason and no content of the beacon.
//!
//! ```
//! use std::sync::Arc;
//!
//! use crowdfold_airlock::{Airlock, Record, SessionHasher, Settings, Shared};
//! use crowdfold_model::{Dimension, SumMetric};
//!
//! let shared = Arc::new(Shared::new(Settings::default(), SessionHasher::random())?);
//! let mut airlock = Airlock::new(&shared, None);
//! let payload = br#"{"ts":1795308528421,"session":"bbb27941-6c1f","ip":"203.0.113.9","os":"Windows","playing_ms":10000}"#;
//! let record = Record { payload, content_type: None, timestamp: None };
//!
//! let mut observations = Vec::new();
//! airlock.admit(&record, &mut |_, outcome| observations.extend(outcome));
//! let os = observations[0].dimension(Dimension::Os);
//! assert_eq!(&**airlock.dictionary().word(os), "Windows");
//! assert_eq!(observations[0].measures().sum(SumMetric::PlayingMs), 10_000);
//! # Ok::<(), crowdfold_airlock::AirlockError>(())
//! ```
//!
//! `examples/admit.rs` is a complete program.
#![forbid(unsafe_code)]

mod address;
mod admit;
mod catalogue;
mod client;
mod cmcd;
mod dictionary;
mod durations;
mod error;
mod guard;
mod identity;
mod ignored;
mod measures;
mod observation;
mod rejection;
mod sent_fields;
mod session;
mod session_hash;
mod settings;
mod shared;
mod text;
mod validator;
mod words;

pub use admit::{Airlock, LineTime, Placement, Record, Share};
pub use crowdfold_beacon::{FieldNames, FieldsError};
pub use dictionary::{Dictionary, Symbol};
pub use durations::Durations;
pub use error::{AirlockError, AirlockField};
pub use ignored::Ignored;
pub use observation::{
    Identity, Measures, MoreCodes, Observation, Playback, SessionHash, State, Tenant, Total,
};
pub use rejection::Rejection;
pub use sent_fields::{MappedField, MappedPath, SentFields};
pub use session::session_of;
pub use session_hash::SessionHasher;
pub use settings::{AddressPolicy, Format, Settings};
pub use shared::Shared;
pub use text::is_publishable;

pub use crowdfold_scan::Scanner;
