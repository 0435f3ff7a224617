//! Windows, session summaries and cells.
//!
//! Each beacon updates one session summary, that of its session and window ([`SessionStore::insert`]). When the window
//! closes ([`SessionStore::close`]), the summaries are walked once for each breakdown of their tenant, and added to
//! cells. Therefore the cost of a beacon does not depend on the number of breakdowns. Cells of disjoint sets of sessions
//! can be added exactly:
//!
//! ```
//! use crowdfold_model::{Cell, ValueMetric, Window};
//!
//! let mut total = Cell { sessions: 900, ..Cell::default() };
//! let mut other = Cell { sessions: 70, ..Cell::default() };
//! other.values[ValueMetric::StartupMs].record_many(850, 70);
//! total.add(&other);
//! assert_eq!(total.sessions, 970);
//! assert_eq!(total.values[ValueMetric::StartupMs].values(), [(850, 70)]);
//!
//! let window = Window::of(1_795_308_528_421, 60_000);
//! assert_eq!((window.start, window.end), (1_795_308_480_000, 1_795_308_540_000));
//! ```
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
