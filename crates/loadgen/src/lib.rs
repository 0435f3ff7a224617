//! Synthetic players: sessions that start, play, stall, fail and end, as JSON beacons in the order of time.
//!
//! Everything follows from a seed: the same [`PlayersConfig`] gives the same bytes on every machine, and in every
//! release of this crate's major version. It uses neither a clock nor floating point. No person is in the data:
//! addresses are from the documentation ranges (RFC 5737, RFC 3849), autonomous systems from RFC 5398.
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
//! [`Truth`] sums the activity of the players without reading their beacons: the cells before folding, clamps and
//! noise, which the worker must reproduce. As JSON lines ([`write()`]) a cell is
//!
//! ```json
//! {"tenant":"default","window":{"start":1795308480000,"end":1795308540000},"breakdown":["os"],
//!  "dimensions":{"os":"Tizen"},"sessions":9,"beacons":51,"attempts":1,"plays":1,"startup_failures":0,
//!  "playback_failures":0,"playing_ms":431200,"stalled_ms":2400,"stalls":3,"dropped_frames":12,"switches":4,
//!  "errors":{"network":1},"startup_ms":[[850,1]],"bandwidth_kbps":[[5400,2],[9100,7]],"bitrate_kbps":[[3200,9]],
//!  "live_latency_ms":[]}
//! ```
//!
//! with the names and units of the rollup, except for the distributions, which contain all values, ascending, as
//! `[value, sessions]`. Cells are ordered by window, tenant, breakdown (in the given order) and dimension values; the
//! last line contains the outcomes of all records, `{"ledger":{"read":…,"placed":…,"duplicate":…,…}}`.
//!
//! Only the detail table of the rollups (`"detail": true`) can be compared with the truth number for number: add up the
//! cells that a row folds. In other tables only the number of sessions is exact. Every other number there is a sum of
//! clamped contributions with noise, so it agrees only on average, and less so if sessions exceed the clamps.
//!
//! The truth is valid for a worker with the same window length and breakdowns, a lateness of at least 5 s (the longest
//! delay of duplicates) but less than [`Faults::late_by_ms`] minus a window, and an idle time of 90 s.
#![forbid(unsafe_code)]

mod catalogue;
mod config;
mod json;
mod players;
mod profile;
mod random;
mod report;
mod session;
mod truth;
mod write;

pub use config::{Faults, LoadgenError, Mix, PlayersConfig};
pub use players::Players;
pub use report::{Outcome, Report};
pub use truth::{Cell, Ledger, Truth, Window};
pub use write::{Limit, write, write_cells, write_end};
