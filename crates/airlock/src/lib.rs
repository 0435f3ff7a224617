//! The airlock: bytes in, [`Observation`] or [`Rejection`] out. The address ends here.
#![forbid(unsafe_code)]

mod address;
mod admit;
mod catalogue;
mod client;
mod cmcd;
mod dictionary;
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
pub use ignored::Ignored;
pub use observation::{
    Identity, Measures, MoreCodes, Observation, Playback, SessionHash, State, Tenant, Total, Totals,
};
pub use rejection::Rejection;
pub use session::session_of;
pub use session_hash::SessionHasher;
pub use settings::{AddressPolicy, Format, Settings};
pub use shared::{AirlockError, Shared};
