//! Tests of the privacy invariants. Their names begin with `invariant_` and the number of the invariant. Further tests
//! with such names are beside the code that they test. The table in docs/internals/architecture.md lists the tests of
//! each invariant, and the module [`table`] compares it with the tests that exist.
#![expect(clippy::unwrap_used, reason = "a panic shows the location of the failure")]

mod attacker;
mod canaries;
mod conservation;
mod crowds;
mod exports;
mod once;
mod same_bytes;
mod table;
