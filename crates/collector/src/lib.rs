//! The HTTP collector for players. It packs beacons, with the few parts of the HTTP context that are needed, into
//! records of the beacons topic. A request is answered with 204 once every in-sync replica has its contents.
//!
//! **Architecture invariant.** Only the parts of a request that [`mod@context`] lists are read. No request is logged,
//! kept after it is written, or put into an error: there is no access log, and errors are reported as a status and a
//! counter.
#![forbid(unsafe_code)]

mod address;
mod answer;
mod body;
mod clock;
mod collector;
mod connection;
mod context;
mod counts;
mod error;
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
pub use error::CollectorError;
pub use server::Server;
pub use settings::{Acknowledge, Settings};
pub use tls::{Certificates, Files};
