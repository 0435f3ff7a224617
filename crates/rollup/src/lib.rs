//! Windows, session summaries and cells.
//!
//! A beacon touches one thing: the session summary of its session in its window ([`SessionStore::insert`]). Cells are
//! made when the window closes ([`SessionStore::close`]), by walking the session summaries once for each breakdown of
//! their tenant; so what a beacon costs does not depend on how many there are. Cells of disjoint sets of sessions add
//! up exactly ([`Cell::add`]).
#![forbid(unsafe_code)]

mod attempts;
mod codes;
mod counts;
mod errors;
mod identities;
mod plan;
mod rules;
#[cfg(feature = "seeded-bugs")]
pub mod seeded_bugs;
mod session;
mod session_summary;
mod store;
mod tabulate;
mod timeline;
mod tracker;
pub mod wire;

pub use counts::Counts;
pub use rules::Rules;
pub use store::{Outcome, SessionStore};
pub use tabulate::{ClosedWindow, MOST_CELLS, MOST_LEVELS};
