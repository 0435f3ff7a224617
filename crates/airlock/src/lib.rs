//! The airlock: bytes in, [`Observation`] or [`Rejection`] out. The address ends here.
#![forbid(unsafe_code)]

mod address;
mod admit;
mod catalogue;
mod client;
mod cmcd;
mod dictionary;
mod dimension;
mod gate;
mod guard;
mod identity;
mod ignored;
mod measures;
mod observation;
mod rejection;
mod session;
mod settings;
mod shared;
mod tag;
mod text;
mod words;

pub use admit::{Airlock, LineTime, Placement, Record};
pub use dictionary::{Dictionary, Symbol};
pub use dimension::Dimension;
pub use ignored::Ignored;
pub use observation::{
    ErrorClass, Identity, Measures, Millis, MoreCodes, Observation, Playback, State, Tag, Tenant, Total,
    Totals,
};
pub use rejection::{Reason, Rejection};
pub use session::session_of;
pub use settings::{AddressPolicy, Format, Partitioner, Settings};
pub use shared::{AirlockError, Shared};
pub use tag::{TagKey, murmur2};
