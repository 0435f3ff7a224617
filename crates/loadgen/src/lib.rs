//! Synthetic players: sessions that start, play, stall, fail and end. They send JSON beacons, in the order of time.
//!
//! The same [`PlayersConfig`] gives the same bytes on every machine, and in every release with the same major version.
//! The crate uses neither a clock nor floating-point numbers. The data contains nothing about real persons: addresses
//! and autonomous systems are from the ranges that are reserved for documentation (RFC 5737, RFC 3849, RFC 5398).
//!
//! ```
//! use crowdfold_loadgen::{Players, PlayersConfig, Truth};
//!
//! let config = PlayersConfig { sessions: 100, seed: 7, ..PlayersConfig::default() };
//! let mut truth = Truth::new(60_000, &[&["os", "browser"]])?;
//! for report in Players::new(config)?.take(1_000) {
//!     truth.watch(&report);
//!     assert!(report.payload.len() < 1_000);
//! }
//! let (cells, ledger) = truth.finish();
//! assert_eq!(cells.iter().map(|cell| cell.beacons).sum::<u64>(), ledger.placed);
//! # Ok::<(), crowdfold_loadgen::LoadgenError>(())
//! ```
//!
//! # Ground truth
//! [`Truth`] adds up the activity of the players without parsing their beacons. Its results are the exact cells, before
//! folding, clamping and noise, which the worker must reproduce. [`write()`] writes each cell as a line of JSON:
//!
//! ```json
//! {"tenant":"default","window":{"start":1795308480000,"end":1795308540000},"breakdown":["os"],
//!  "dimensions":{"os":"Tizen"},"sessions":9,"beacons":51,"attempts":1,"plays":1,"startup_failures":0,
//!  "playback_failures":0,"playing_ms":431200,"stalled_ms":2400,"stalls":3,"dropped_frames":12,"switches":4,
//!  "errors":{"network":1},"startup_ms":[[850,1]],"bandwidth_kbps":[[5400,2],[9100,7]],"bitrate_kbps":[[3200,9]],
//!  "live_latency_ms":[]}
//! ```
//!
//! Names and units are those of a rollup, except that a distribution contains all values in ascending order, as
//! `[value, sessions]`. Cells are ordered by window, tenant, breakdown and dimension values. The last line contains the
//! number of records by outcome, `{"ledger":{"read":…,"placed":…,"duplicate":…,…}}`.
//!
//! All numbers of the detail table (`"detail": true`) can be compared with the truth: each row is the sum of the cells
//! that were folded into it. In other tables only the number of sessions is exact. Every other number there is a sum of
//! clamped amounts with noise. It equals the truth only on average, and is lower if sessions exceed the clamps.
//!
//! The truth is valid for a worker with the same window length and breakdowns, and an idle timeout of 90 s. Its
//! lateness must be at least 5 s, which is the longest delay of duplicates, and less than [`Faults::late_by_ms`] minus
//! the window length.
#![forbid(unsafe_code)]

mod catalogue;
mod config;
mod json;
mod players;
mod profile;
mod report;
mod session;
mod truth;
mod write;

pub use config::{Custom, Faults, LoadgenError, Mix, PlayersConfig};
pub use players::Players;
pub use report::{Outcome, Report};
pub use truth::{Cell, Ledger, Truth, Window};
pub use write::{Limit, write, write_cells, write_end};
