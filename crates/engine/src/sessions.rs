//! The sessions of one partition: their state, and their session summaries by window.

mod attempts;
mod codes;
mod errors;
mod frames;
mod identities;
mod outcome;
mod session;
mod session_summary;
mod store;
mod timeline;
mod tracker;

pub use outcome::Outcome;
pub(crate) use session_summary::{Contribution, SessionSummary};
pub use store::SessionStore;
