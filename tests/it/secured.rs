//! A broker that asks who comes and what he may: the program itself under the rights that `topics acl` prints.

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
