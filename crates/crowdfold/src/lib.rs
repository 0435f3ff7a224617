//! Player beacons in, crowds out: the command line, the configuration, and the wiring of the worker.
#![forbid(unsafe_code)]

pub mod cli;
mod clock;
pub mod commands;
pub mod config;
pub mod failure;
pub mod hardening;
mod ledger_file;
pub mod logging;
mod memory;
mod output;
pub mod process;
mod roles;
mod specs;
mod telemetry;
mod terminal;
mod watch;
mod wiring;
mod worker;
