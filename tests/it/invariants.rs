//! The invariants of privacy, each with a test named after it: `invariant_N_…`, here or beside what it is about. The
//! table in ARCHITECTURE.md says which shows which, and what is not claimed; [`table`] sees to it that it is so.
#![expect(clippy::unwrap_used, reason = "a test says where it failed")]

mod attacker;
mod canaries;
mod conservation;
mod crowds;
mod exports;
mod once;
mod same_bytes;
mod table;
