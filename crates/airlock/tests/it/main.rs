//! The airlock as its callers see it.

mod clients;
mod corpus;
mod invariants;
mod packed;
mod seen;
mod walls;
