//! The HTTP intake for players: packs their reports, with the few parts of the HTTP context that are read, into records
//! of the topic of beacons. A request is answered with 204 once every in-sync replica has its beacons.
//!
//! A [`Server`] accepts connections and passes requests to a [`Collector`], which writes records and counts the beacons
//! by [`Outcome`]:
//!
//! ```
//! use crowdfold_collector::Outcome;
//!
//! let names: Vec<_> = Outcome::ALL.iter().map(|outcome| outcome.name()).collect();
//! assert_eq!(names[..3], ["taken", "opted_out", "unwritten"]);
//! assert_eq!(names[3..], ["malformed", "no_session", "too_large", "unknown_tenant"]);
//! ```
//!
//! **Architecture invariant.** Only the parts of a request that `context.rs` lists are read. Nothing of a request is
//! logged, kept after it is written, or contained in an error: there is no access log, and a failure is reported as a
//! status and a counter.
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
