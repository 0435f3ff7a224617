//! The HTTP intake for players: their reports, with the little that is read of the HTTP context, packed many to a
//! record onto the beacons' topic. A request is answered 204 once every in-sync replica has what it said.
//!
//! **Architecture invariant.** Of a request only what [`mod@context`] lists is read. Nothing of one is logged, kept after
//! it is written, or put into an error: there is no access log, and what went wrong is a status and a counter.
#![forbid(unsafe_code)]

mod address;
mod answer;
mod body;
mod clock;
mod collector;
mod connection;
mod context;
mod counts;
mod intake;
mod limits;
mod packs;
mod proxied;
mod route;
mod server;
mod settings;
mod tls;
mod watched;

pub use collector::Collector;
pub use counts::{Counted, Outcome};
pub use server::{BindError, Server};
pub use settings::{Acknowledge, Settings};
pub use tls::{Certificates, Files, TlsError};
