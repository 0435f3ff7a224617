//! The airlock: bytes in, [`Observation`] or [`Rejection`] out. The address ends here.
#![forbid(unsafe_code)]

mod admit;
mod dictionary;
mod dimension;
mod observation;
mod rejection;
mod settings;

pub use admit::{Airlock, Placement, Record};
pub use dictionary::{Dictionary, Symbol};
pub use dimension::Dimension;
pub use observation::{ErrorClass, Identity, Measures, Millis, Observation, Tag, Tenant};
pub use rejection::{Reason, Rejection};
pub use settings::{AddressPolicy, Format, Partitioner, Settings};
