//! Tests the public interface of the airlock.

mod clients;
mod corpus;
mod guarantees;
mod invariants;
mod packed;
mod seen;
