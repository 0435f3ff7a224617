//! The telemetry of a running worker: metrics, liveness and readiness.
//!
//! Counters of beacons, offsets and windows are cumulative and rounded down to a multiple of k. Their labels are only
//! outcomes, reasons or field names. Exact counts of withheld or late beacons never leave the process (PRIVACY.md,
//! "Where it is, and for how long").

mod absent_paths;
mod counters;
mod lags;
mod server;
mod status;

pub use absent_paths::AbsentPaths;
pub use counters::Counters;
use counters::describe;
pub(crate) use lags::Lags;
pub use server::Server;
pub use status::{Component, Status};
