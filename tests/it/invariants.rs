//! The privacy invariants, each with a test named after it: `invariant_N_…`, here or beside the code it tests. The
//! table in docs/internals/architecture.md lists the tests of each invariant, and what it does not cover; [`table`]
//! compares the two.
#![expect(clippy::unwrap_used, reason = "a panic shows the location of the failure")]

mod attacker;
mod canaries;
mod conservation;
mod crowds;
mod exports;
mod once;
mod same_bytes;
mod table;
