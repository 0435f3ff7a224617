//! Folding, thresholds, noise, and the only rows that are published: [`release`] turns the tables of one tenant and
//! window into [`Rollup`]s, each of which covers a crowd.
//!
//! Architecture invariant: [`Rollup`] and [`RejectionNote`] are the only types of the house that are serialised to
//! leave it, and only [`release()`] makes a [`Rollup`].
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

pub use distribution_summary::{BINS, LEAST_IN_RANGE};
pub use families::{FamilyError, breakdown_name, check_families};
pub use note::RejectionNote;
pub use policies::Policies;
pub use policy::{Detail, LEAST_K, Policy, PolicyError, PolicySettings};
pub use privacy::{Measure, Privacy, PrivacyError, PrivacySettings, Secret, Sigma, YEAR};
pub use release::{Fault, Released, release};
pub use row::{Coverage, Rollup};
