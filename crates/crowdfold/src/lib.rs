//! The `crowdfold` program: the command line, the configuration, and the worker that connects Kafka with the operators.
#![forbid(unsafe_code)]

pub mod cli;
mod clock;
pub mod commands;
pub mod config;
pub mod error;
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
