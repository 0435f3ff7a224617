//! Tests of the airlock's public interface.

mod clients;
mod corpus;
mod guarantees;
mod invariants;
mod packed;
mod seen;
