//! Tests a broker with authentication and authorization. The program runs with the permissions that `topics acl`
//! prints.

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
