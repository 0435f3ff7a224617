//! The telemetry of a running worker: metrics, health, and the reasons why it is not ready.
//!
//! Counters are cumulative, only by outcome or reason, and floored to a multiple of k. Exact counts of withheld or late
//! beacons never leave the process (PRIVACY.md, "Where it is, and for how long").

mod counters;
mod server;
mod status;

pub use counters::Counters;
use counters::describe;
pub use server::Server;
pub use status::{Component, Status};
