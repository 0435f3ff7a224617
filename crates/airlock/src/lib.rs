//! The airlock: bytes in, [`Observation`] or [`Rejection`] out. The address ends here.
#![forbid(unsafe_code)]

mod address;
mod admit;
mod catalogue;
mod client;
mod cmcd;
mod dictionary;
mod dimension;
mod guard;
mod identity;
mod ignored;
mod measures;
mod observation;
mod rejection;
mod session;
mod session_hash;
mod settings;
mod shared;
mod text;
mod validator;
mod words;

pub use admit::{Airlock, LineTime, Placement, Record};
pub use dictionary::{Dictionary, Symbol};
pub use dimension::Dimension;
pub use ignored::Ignored;
pub use observation::{
    ErrorClass, Identity, Measures, Millis, MoreCodes, Observation, Playback, SessionHash, State, Tenant,
    Total, Totals,
};
pub use rejection::{Reason, Rejection};
pub use session::session_of;
pub use session_hash::{SessionHasher, murmur2};
pub use settings::{AddressPolicy, Format, Partitioner, Settings};
pub use shared::{AirlockError, Shared};
