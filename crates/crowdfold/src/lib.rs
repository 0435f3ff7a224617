//! Player beacons in, crowds out: the command line, the configuration, and the wiring of the worker.
#![forbid(unsafe_code)]

pub mod cli;
pub mod commands;
pub mod config;
pub mod failure;
pub mod logging;
