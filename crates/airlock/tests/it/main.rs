//! The airlock as its callers see it.

mod clients;
mod corpus;
mod guarantees;
mod invariants;
mod packed;
mod seen;
