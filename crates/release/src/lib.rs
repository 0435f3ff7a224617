//! Folding, differential privacy, and the creation of published rows. [`release()`] converts the tables of one tenant
//! and window to [`Rollup`]s. Each rollup covers at least *k* sessions.
//!
//! ```
//! use std::sync::Arc;
//!
//! use crowdfold_model::{Cell, CellKey, Dimension, Span, Table, Timestamp, Window};
//! use crowdfold_release::{Policy, PolicySettings, release};
//!
//! let breakdowns = vec![vec![Dimension::Os, Dimension::Browser]];
//! let policy = Policy::threshold(PolicySettings { k: 50, breakdowns, ..PolicySettings::default() })?;
//! let cells = [("Windows", "Chrome", 900), ("Windows", "Edge", 70), ("Windows", "Opera", 9), ("Tizen", "Samsung", 60)];
//! let table: Table = cells
//!     .into_iter()
//!     .map(|(os, browser, sessions)| {
//!         let key: CellKey = [os, browser].map(Arc::from).into();
//!         (key, Cell { sessions, ..Cell::default() })
//!     })
//!     .collect();
//!
//! let window = Window::of(Timestamp::from_millis(1_795_308_528_421), Span::MINUTE);
//! let released = release("acme", window, vec![table], &policy, None);
//! let rows: Vec<(String, u64)> = released
//!     .rollups
//!     .iter()
//!     .map(|row| (row.cell_key().collect::<Vec<_>>().join("/"), row.sessions()))
//!     .collect();
//! let expected = [("Tizen/Samsung", 60), ("Windows/*", 79), ("Windows/Chrome", 900)];
//! assert_eq!(rows, expected.map(|(key, sessions)| (key.to_owned(), sessions)));
//! # Ok::<(), crowdfold_release::PolicyError>(())
//! ```
//!
//! `examples/fold.rs` is a complete program.
//!
//! **Architecture invariant.** [`Rollup`] and [`RejectionNote`] are the only types that are written to published
//! topics. Only [`release()`] can create a [`Rollup`].
#![forbid(unsafe_code)]

mod covered;
mod distribution_summary;
mod families;
mod fold;
mod note;
mod policies;
mod policy;
mod privacy;
mod release;
mod row;
#[cfg(test)]
mod testing;

pub use distribution_summary::{BINS, MIN_IN_RANGE};
pub use families::{FamilyError, breakdown_name, check_families};
pub use note::RejectionNote;
pub use policies::Policies;
pub use policy::{Detail, MIN_K, Policy, PolicyError, PolicyField, PolicySettings};
pub use privacy::{Measure, Privacy, PrivacyError, PrivacySettings, Secret, Sigma, YEAR};
pub use release::{ReleaseError, Released, release};
pub use row::{Coverage, Rollup};
