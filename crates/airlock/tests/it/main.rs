//! The airlock as its callers see it.

mod corpus;
mod invariants;
mod seen;
mod walls;
