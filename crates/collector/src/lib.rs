//! The HTTP intake for players. It packs several requests, each with a few parts of its HTTP context, into one record
//! of the topic of beacons. By default, it responds with 204 after every in-sync replica has stored the beacons of a
//! request.
//!
//! A [`Server`] accepts connections and passes requests to a [`Collector`], which writes records and counts the beacons
//! by [`Outcome`]:
//!
//! ```
//! use crowdfold_collector::Outcome;
//!
//! let names: Vec<_> = Outcome::ALL.iter().map(|outcome| outcome.name()).collect();
//! assert_eq!(names[..3], ["accepted", "opted_out", "unwritten"]);
//! assert_eq!(names[3..], ["malformed", "no_session", "too_large", "unknown_tenant"]);
//! ```
//!
//! **Architecture invariant.** The collector reads only the parts of a request that `context.rs` lists. It logs no part
//! of a request. It keeps no part of a request after the record was written. Its errors contain no part of a request.
//! It has no access log; it reports failures as a response status and a counter.
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
pub use error::{CollectorError, CollectorField};
pub use server::Server;
pub use settings::{Acknowledge, Settings};
pub use tls::{Certificates, Files};
