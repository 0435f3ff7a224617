//! Tests with a broker that requires authentication and authorization. The program has exactly the permissions that
//! `topics acl` prints.

mod collector;
mod end_to_end;
mod erased;
mod less;
mod listed;
mod mechanisms;
mod purged;
mod refused;
mod roles;
mod support;
