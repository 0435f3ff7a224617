//! Tests of the worker in the way in which users run it: as a process, with a real broker.

pub(crate) mod support;

mod damaged;
mod end_to_end;
mod hangup;
mod killed;
mod namesake;
mod noise;
pub(crate) mod offsets;
mod outage;
mod pages;
mod poison;
mod recreated;
mod same;
mod steady;
mod threads;
mod two_workers;
